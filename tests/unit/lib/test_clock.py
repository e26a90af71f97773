import asyncio

from pybernetes.lib.clock import VirtualClock


async def test_advancing_runs_due_calls_in_order_of_their_time() -> None:
    clock, seen = VirtualClock(0.0), []
    clock.call_later(20, lambda: seen.append(("b", clock.time())))
    clock.call_later(10, lambda: seen.append(("a", clock.time())))
    clock.call_later(40, lambda: seen.append(("c", clock.time())))
    await clock.advance(30)
    assert seen == [("a", 10.0), ("b", 20.0)]
    assert clock.time() == 30.0


async def test_a_cancelled_call_never_happens() -> None:
    clock, seen = VirtualClock(0.0), []
    clock.call_later(10, lambda: seen.append(1)).cancel()
    await clock.advance(60)
    assert seen == []


async def test_a_sleeper_that_sleeps_again_wakes_at_the_right_times() -> None:
    clock, seen = VirtualClock(0.0), []

    async def ticker() -> None:
        while True:
            await clock.sleep(10)
            seen.append(clock.time())

    task = asyncio.create_task(ticker())
    await clock.advance(35)
    task.cancel()
    assert seen == [10.0, 20.0, 30.0]
