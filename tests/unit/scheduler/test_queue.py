"""Who is tried next, and when again."""

from __future__ import annotations

from pybernetes.lib.clock import VirtualClock
from pybernetes.meta import objects
from pybernetes.scheduler.plugins.plugin import Change
from pybernetes.scheduler.queue import Entry, Queue

from .build import pod

FIT = frozenset({"NodeResourcesFit"})


class Woken:
    """A queue and what can be popped from it."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.calls = 0
        self.queue = Queue(self.clock, self._count)

    def _count(self) -> None:
        self.calls += 1

    def pop(self) -> Entry:
        entry = self.queue.pop()
        assert entry is not None
        return entry

    def names(self) -> list[str]:
        found = []
        while (entry := self.queue.pop()) is not None:
            found.append(entry.info.name)
        return found

    def timers(self) -> int:
        return len([timer for *_, timer in self.clock._timers if timer.callback is not None])


def test_priority_first_then_who_came_first() -> None:
    woken = Woken()
    for each in (pod("a"), pod("b", priority=5), pod("c"), pod("d", priority=5), pod("e", priority=-1)):
        woken.queue.put(each)
    assert woken.names() == ["b", "d", "a", "c", "e"]
    assert woken.calls == 5


def test_a_removed_pod_is_not_popped_and_one_made_anew_is() -> None:
    woken = Woken()
    woken.queue.put(pod("a"))
    woken.queue.remove("uid-a")
    assert len(woken.queue) == 0
    woken.queue.put(pod("a"))
    assert woken.names() == ["a"]


async def test_errors_back_off_longer_each_time_up_to_ten_seconds() -> None:
    woken = Woken()
    woken.queue.put(pod("a"))
    entry = woken.pop()
    for seconds in (1, 2, 4, 8, 10, 10):
        woken.queue.give_back(entry, None)
        await woken.clock.advance(seconds - 0.01)
        assert woken.queue.pop() is None
        await woken.clock.advance(0.01)
        entry = woken.pop()


async def test_a_rejected_pod_is_woken_only_by_what_can_help_it() -> None:
    woken = Woken()
    woken.queue.put(pod("a"))
    woken.queue.give_back(woken.pop(), FIT)
    await woken.clock.advance(20)
    woken.queue.wake({Change.NODE_LABELS, Change.NODE_TAINTS})
    assert woken.names() == []
    woken.queue.wake({Change.POD_GONE})
    assert woken.names() == ["a"]


async def test_those_who_are_woken_together_go_in_the_order_in_which_they_were_tried() -> None:
    woken = Woken()
    for name in "cab":
        woken.queue.put(pod(name))
        woken.queue.give_back(woken.pop(), FIT | {"NodePorts"})
        await woken.clock.advance(1)
    await woken.clock.advance(1)
    woken.queue.wake({Change.POD_GONE, Change.NODE_ADDED})
    assert woken.names() == ["c", "a", "b"]


async def test_one_that_is_woken_soon_waits_for_the_rest_of_its_back_off() -> None:
    woken = Woken()
    woken.queue.put(pod("a"))
    woken.queue.give_back(woken.pop(), FIT)
    await woken.clock.advance(0.4)
    woken.queue.wake({Change.NODE_ADDED})
    assert woken.names() == []
    await woken.clock.advance(0.6)
    assert woken.names() == ["a"]


async def test_nobody_waits_for_more_than_five_minutes() -> None:
    woken = Woken()
    for name, pause in (("a", 100), ("b", 199)):
        woken.queue.put(pod(name))
        woken.queue.give_back(woken.pop(), FIT)
        await woken.clock.advance(pause)
    assert woken.names() == []
    await woken.clock.advance(1)
    assert woken.names() == ["a"]
    await woken.clock.advance(100)
    assert woken.names() == ["b"]


async def test_one_timer_stands_for_all_and_none_for_nobody() -> None:
    woken = Woken()
    for number in range(10):
        woken.queue.put(pod(f"p{number}"))
    assert woken.timers() == 0
    for number in range(10):
        woken.queue.give_back(woken.pop(), None if number % 2 else FIT)
    assert woken.timers() == 1
    await woken.clock.advance(1)
    assert len(woken.names()) == 5
    await woken.clock.advance(300)
    assert len(woken.names()) == 5
    assert woken.timers() == 0


def test_a_waiting_pod_is_tried_again_when_it_changes_itself_but_not_for_its_status() -> None:
    woken = Woken()
    first = pod("a", cpu="9")
    woken.queue.put(first)
    entry = woken.pop()
    entry.attempts = 0  # no back-off in the way
    woken.queue.give_back(entry, FIT)
    woken.queue.put(objects.evolve(first, ("status", "conditions"), [{"type": "PodScheduled"}]))
    assert woken.names() == []
    woken.queue.put(objects.evolve(first, ("spec", "tolerations"), [{"operator": "Exists"}]))
    assert woken.pop().info.tolerations == [{"operator": "Exists"}]
