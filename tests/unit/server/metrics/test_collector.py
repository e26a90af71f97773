from __future__ import annotations

import asyncio

from pybernetes.lib.clock import VirtualClock
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj
from pybernetes.server.metrics.collector import Collector
from pybernetes.server.metrics.usage import Usage

from ..build import Cluster, named
from .test_usage import START, summary


class Node:
    """A node on which one pod uses half a core; it notes when it was asked."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock, self.asked = clock, list[float]()
        self.away = False

    async def stats(self, name: str) -> Obj:
        self.asked.append(self.clock.time() - START)
        if self.away:
            raise errors.InternalError("connection refused")
        return summary(self.clock.time() - START, web=(self.clock.time() - START) / 2)


async def made() -> tuple[Collector, Node, VirtualClock]:
    clock, cluster = VirtualClock(START), Cluster()
    await cluster.put("nodes", named("n1"))
    node = Node(clock)
    return Collector(cluster.live, node.stats, clock), node, clock


async def used(collector: Collector, clock: VirtualClock) -> dict[str, Usage]:
    asked = asyncio.gather(collector.nodes(), collector.nodes())
    await clock.advance(1.0)
    one, other = await asked
    assert one == other
    return dict(one)


async def test_who_asks_first_waits_for_two_looks_and_the_others_share_them() -> None:
    collector, node, clock = await made()
    assert node.asked == []
    assert await used(collector, clock) == {"n1": Usage(0.5, 10 << 20)}
    assert node.asked == [0.0, 1.0]
    assert collector.window == 1.0


async def test_an_answer_is_good_for_a_while_and_the_next_counts_from_the_last_look() -> None:
    collector, node, clock = await made()
    await used(collector, clock)
    await clock.advance(10)
    await used(collector, clock)
    assert len(node.asked) == 2
    await clock.advance(10)
    await used(collector, clock)
    assert node.asked[2:] == [22.0]
    assert collector.window == 21.0


async def test_after_a_long_silence_two_looks_are_taken_anew() -> None:
    collector, node, clock = await made()
    await used(collector, clock)
    await clock.advance(600)
    await used(collector, clock)
    assert node.asked[2:] == [601.0, 602.0]


async def test_a_node_that_does_not_answer_is_left_out() -> None:
    collector, node, clock = await made()
    node.away = True
    assert await used(collector, clock) == {}
