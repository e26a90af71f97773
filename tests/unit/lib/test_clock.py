import asyncio

from pybernetes.lib.clock import TurnedClock, VirtualClock


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


async def test_whoever_is_woken_does_all_that_needs_no_time_before_more_of_it_passes() -> None:
    clock, seen = VirtualClock(0.0), []

    async def relay(left: int) -> None:
        if left:
            await asyncio.create_task(relay(left - 1))
        else:
            seen.append(clock.time())

    clock.call_later(10, lambda: asyncio.ensure_future(relay(100)))
    clock.call_later(11, lambda: seen.append(clock.time()))
    await clock.advance(20)
    assert seen == [10.0, 11.0]


async def test_work_that_the_loop_does_not_see_is_waited_for() -> None:
    clock, left = VirtualClock(0.0), [2]

    async def elsewhere() -> bool:
        await asyncio.to_thread(lambda: None)
        left[0] -= 1
        return left[0] > 0

    clock.elsewhere = elsewhere
    await clock.settle()
    assert left == [0]


async def test_a_turned_clock_goes_with_the_real_one_and_can_be_turned() -> None:
    real, seen = VirtualClock(0.0), []
    clock = TurnedClock(real)
    for seconds in (30, 10, 3600):
        clock.call_later(seconds, lambda: seen.append((real.time(), clock.time())))
    await real.advance(15)
    assert seen == [(10.0, 10.0)]
    await clock.advance(1000)
    assert seen == [(10.0, 10.0), (15.0, 30.0)]
    assert (clock.time(), clock.ahead) == (1015.0, 1000.0)
    await real.advance(2585)
    assert seen[2:] == [(2600.0, 3600.0)]
