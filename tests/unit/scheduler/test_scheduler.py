"""The loop: from a pod without a node to a binding, or to the reason why not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pybernetes.lib.clock import VirtualClock
from pybernetes.lib.entropy import SeededEntropy
from pybernetes.meta import errors, objects
from pybernetes.scheduler.scheduler import Scheduler

from .build import Api, cordoned, node, pod


@asynccontextmanager
async def running(api: Api, clock: VirtualClock) -> AsyncIterator[None]:
    scheduler = Scheduler(api.client, api, clock, SeededEntropy(1), events=api)
    work = asyncio.ensure_future(scheduler.run())
    await clock.advance(0)
    try:
        yield
    finally:
        await scheduler.stop()
        await work


async def test_pods_are_bound_and_told_of() -> None:
    api, clock = Api(), VirtualClock()
    api.put("nodes", node("n1"), node("n2"))
    async with running(api, clock):
        api.put("pods", *(pod(f"p{i}", cpu="1") for i in range(8)))
        await clock.advance(0)
    assert sorted(name for name, _ in api.bound) == [f"p{i}" for i in range(8)]
    assert [where for _, where in api.bound].count("n1") == 4
    assert (api.told[0].reason, api.told[0].message) == (
        "Scheduled",
        f"Successfully assigned default/p0 to {dict(api.bound)['p0']}",
    )


async def test_a_pod_without_room_is_told_why_once_and_bound_when_there_is_room() -> None:
    api, clock = Api(), VirtualClock()
    api.put("nodes", node("n1"))
    first = pod("first", on="n1", cpu="3")
    api.put("pods", first)
    async with running(api, clock):
        api.put("pods", pod("second", cpu="2"))
        await clock.advance(400)
        condition = objects.condition(api.pod("second"), "PodScheduled") or {}
        assert (condition["status"], condition["reason"]) == ("False", "Unschedulable")
        assert condition["message"] == (
            "0/1 nodes are available: 1 Insufficient cpu. "
            "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
        )
        assert len(api.patches) == 1
        assert [event.reason for event in api.told] == ["FailedScheduling", "FailedScheduling"]  # again after 5 minutes
        api.remove("pods", first)
        await clock.advance(10)
    assert api.bound == [("second", "n1")]


async def test_a_node_that_is_uncordoned_wakes_those_who_wait_for_it() -> None:
    api, clock = Api(), VirtualClock()
    api.put("nodes", cordoned(node("n1")))
    async with running(api, clock):
        api.put("pods", pod("p"))
        await clock.advance(2)
        assert not api.bound
        api.put("nodes", node("n1"))
        await clock.advance(0)
        assert api.bound == [("p", "n1")]


async def test_a_refused_binding_is_taken_back_and_tried_again_after_a_pause() -> None:
    api, clock = Api(), VirtualClock()
    api.put("nodes", node("n1", pods="1"))
    api.refusals = [errors.ServiceUnavailable("away"), errors.InternalError("broken")]
    async with running(api, clock):
        api.put("pods", pod("p"))
        await clock.advance(0)
        assert not api.bound
        await clock.advance(3.1)
        assert api.bound == [("p", "n1")]
    failures = [event for event in api.told if event.reason == "FailedScheduling"]
    assert [event.message for event in failures] == ["binding rejected: away", "binding rejected: broken"]


async def test_a_pod_that_was_deleted_while_it_was_bound_is_let_go() -> None:
    api, clock = Api(), VirtualClock()
    api.put("nodes", node("n1", pods="1"))
    going = pod("going")
    deleting = objects.evolve(going, ("metadata", "deletionTimestamp"), "2026-01-01T00:00:00Z")
    api.refusals = [errors.Conflict("pod going is being deleted, cannot be assigned to a host")]
    async with running(api, clock):
        api.put("pods", going, deleting, pod("next"))
        api.put("pods", going)
        api.put("pods", deleting)
        await clock.advance(20)
        assert [name for name, _ in api.bound] == ["next"]


async def test_pods_of_other_schedulers_with_gates_or_on_their_way_out_are_left_alone() -> None:
    api, clock = Api(), VirtualClock()
    api.put("nodes", node("n1"))
    gated = pod("gated", schedulingGates=[{"name": "wait"}])
    gone = objects.evolve(pod("gone"), ("metadata", "deletionTimestamp"), "2026-01-01T00:00:00Z")
    async with running(api, clock):
        api.put("pods", pod("other", schedulerName="mine"), gated, gone)
        await clock.advance(5)
        assert not api.bound
        assert not api.told
        api.put("pods", objects.without(gated, ("spec", "schedulingGates")))
        await clock.advance(0)
        assert api.bound == [("gated", "n1")]


async def test_the_higher_priority_goes_first() -> None:
    api, clock = Api(), VirtualClock()
    async with running(api, clock):
        api.put("nodes", node("n1", pods="1"))
        api.put("pods", pod("low"), pod("high", priority=1000))
        await clock.advance(0)
    assert api.bound == [("high", "n1")]


async def test_without_nodes_a_pod_waits_for_the_first_one() -> None:
    api, clock = Api(), VirtualClock()
    async with running(api, clock):
        api.put("pods", pod("p"))
        await clock.advance(2)
        assert [event.message for event in api.told] == ["no nodes available to schedule pods"]
        api.put("nodes", node("n1"))
        await clock.advance(0)
        assert api.bound == [("p", "n1")]


async def test_room_is_made_for_a_higher_priority_and_kept_until_the_victims_are_gone() -> None:
    api, clock = Api(), VirtualClock()
    api.put("nodes", node("n1"), node("n2", cpu="1"))
    victim, bystander = pod("victim", on="n1", cpu="3", priority=5), pod("bystander", on="n1", cpu="1", priority=5)
    api.put("pods", victim, bystander)
    async with running(api, clock):
        api.put("pods", pod("urgent", cpu="3", priority=100))
        await clock.advance(0)
        assert api.deleted == ["victim"]
        disrupted = objects.condition(api.pod("victim"), "DisruptionTarget") or {}
        assert (disrupted["reason"], disrupted["message"]) == (
            "PreemptionByScheduler",
            "default-scheduler: preempting to accommodate a higher priority pod",
        )
        assert api.pod("urgent")["status"]["nominatedNodeName"] == "n1"
        message = (objects.condition(api.pod("urgent"), "PodScheduled") or {})["message"]
        assert message == "0/2 nodes are available: 2 Insufficient cpu."
        assert ("Preempted", "Preempted by pod uid-urgent on node n1") in [(e.reason, e.message) for e in api.told]
        api.remove("pods", api.pod("victim"))
        api.put("pods", pod("lower", cpu="2", priority=5))
        await clock.advance(0)
        assert not api.bound
        await clock.advance(1)
        assert api.bound == [("urgent", "n1")]
    assert api.deleted == ["victim"]


async def test_it_stops_while_more_is_to_be_written_than_the_server_takes() -> None:
    api, clock = Api(), VirtualClock()
    api.put("nodes", node("n1", pods="1000", cpu="1000"))
    api.stuck = True
    async with running(api, clock):
        api.put("pods", *(pod(f"p{i}") for i in range(300)))
        await clock.advance(1)
    assert not api.bound
