from __future__ import annotations

import asyncio

from pybernetes.control.queue import Queue, backoff_seconds
from pybernetes.lib.clock import VirtualClock


async def test_a_key_waits_once_however_often_it_is_added(clock: VirtualClock) -> None:
    queue = Queue[str](clock)
    for key in "aab":
        queue.add(key)
    assert [await queue.get(), await queue.get()] == ["a", "b"]
    assert len(queue) == 0


async def test_a_key_added_while_it_is_worked_on_comes_back_when_that_is_done(clock: VirtualClock) -> None:
    queue = Queue[str](clock)
    queue.add("a")
    assert await queue.get() == "a"
    queue.add("a")
    assert len(queue) == 0
    queue.done("a")
    assert await queue.get() == "a"
    queue.done("a")
    assert len(queue) == 0


async def test_of_several_waits_of_a_key_the_shortest_counts(clock: VirtualClock) -> None:
    queue = Queue[str](clock)
    queue.add_after("a", 10)
    queue.add_after("a", 5)
    queue.add_after("a", 20)
    await clock.advance(4.9)
    assert len(queue) == 0
    await clock.advance(0.2)
    assert await queue.get() == "a"
    queue.done("a")
    await clock.advance(60)
    assert len(queue) == 0


async def test_taking_a_key_voids_what_it_waited_for(clock: VirtualClock) -> None:
    queue = Queue[str](clock)
    queue.add_after("a", 5)
    queue.add("a")
    assert await queue.get() == "a"
    queue.done("a")
    await clock.advance(10)
    assert len(queue) == 0


async def test_a_failing_key_waits_longer_and_longer_until_it_succeeds(clock: VirtualClock) -> None:
    assert [backoff_seconds(n) for n in (1, 2, 3, 18, 19, 100)] == [0.005, 0.01, 0.02, 655.36, 1000, 1000]
    queue = Queue[str](clock)
    assert [queue.add_failed("a"), queue.add_failed("a")] == [1, 2]
    queue.forget("a")
    assert queue.add_failed("a") == 1


async def test_each_waiting_worker_gets_a_key_and_a_cancelled_one_takes_none_along(clock: VirtualClock) -> None:
    queue = Queue[str](clock)
    first, second, third = (asyncio.ensure_future(queue.get()) for _ in range(3))
    await asyncio.sleep(0)
    queue.add("a")
    first.cancel()
    queue.add("b")
    assert sorted(await asyncio.gather(second, third)) == ["a", "b"]
