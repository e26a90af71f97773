"""A pod's probes and hooks under its worker: what their outcomes do to the pod, told by a clock turned by hand."""

from __future__ import annotations

import asyncio
from typing import Any

from pybernetes.meta import objects
from pybernetes.node.runtime.port import ExecResult
from pybernetes.testing.onenode import container_status

from .scene import Scene, pod_state, restarted

GOOD, BAD = ExecResult(0, b"", b""), ExecResult(1, b"", b"no such file")
EXEC = {"exec": {"command": ["check"]}, "periodSeconds": 5, "failureThreshold": 2}


def container(**more: Any) -> dict[str, Any]:
    return {"name": "c", "image": "web:1", **more}


def is_ready(wanted: bool) -> Any:
    return lambda pod: objects.condition_is(pod, "Ready") is wanted and "running" in pod_state(pod)


async def test_a_pod_is_ready_by_its_probe_and_restarts_for_none_of_it(scene: Scene) -> None:
    scene.runtime.answers["c"] = BAD
    await scene.pod("p", container(readinessProbe=EXEC))
    pod = await scene.turn(0.1, is_ready(False))
    ready = objects.condition(pod, "Ready")
    assert ready is not None
    assert (ready["reason"], ready["message"]) == ("ContainersNotReady", "containers with unready status: [c]")
    scene.runtime.answers["c"] = GOOD
    pod = await scene.turn(5, is_ready(True))
    scene.runtime.answers["c"] = BAD
    await scene.turn(5, is_ready(True))
    pod = await scene.turn(5, is_ready(False))
    assert container_status(pod, "c")["restartCount"] == 0
    assert await scene.said("p", "Readiness probe failed: no such file")


async def test_a_container_that_is_not_alive_is_restarted(scene: Scene) -> None:
    await scene.pod("p", container(livenessProbe=EXEC))
    await scene.turn(0.1, is_ready(True))
    scene.runtime.answers["c"] = BAD
    await scene.clock.advance(10)
    scene.runtime.answers["c"] = GOOD
    pod = await scene.turn(1, restarted(1))
    assert container_status(pod, "c")["lastState"]["terminated"]["exitCode"] == 143
    assert await scene.said("p", "Liveness probe failed: no such file")
    assert await scene.said("p", "Container c failed liveness probe, will be restarted")


async def test_under_restart_policy_never_a_container_that_is_not_alive_only_ends(scene: Scene) -> None:
    scene.runtime.answers["c"] = BAD
    await scene.pod("p", container(livenessProbe=EXEC), restartPolicy="Never")
    pod = await scene.turn(10, lambda found: found["status"]["phase"] == "Failed")
    assert container_status(pod, "c")["restartCount"] == 0
    assert (await scene.said("p", "Container c failed"))["message"] == "Container c failed liveness probe"


async def test_a_slow_starter_is_given_the_time_of_its_startup_probe(scene: Scene) -> None:
    slow = {"exec": {"command": ["started"]}, "periodSeconds": 10, "failureThreshold": 30}
    alive = {"exec": {"command": ["alive"]}, "periodSeconds": 1, "failureThreshold": 1}
    scene.runtime.answers["c"] = BAD
    await scene.pod("p", container(startupProbe=slow, livenessProbe=alive))
    pod = await scene.turn(200, is_ready(False))
    assert container_status(pod, "c")["started"] is False
    assert {words for _, words in scene.runtime.commands} == {("started",)}
    scene.runtime.answers["c"] = GOOD
    pod = await scene.turn(10, is_ready(True))
    assert container_status(pod, "c")["started"] is True
    assert container_status(pod, "c")["restartCount"] == 0


async def test_a_probe_waits_for_its_delay_and_tries_once_a_period(scene: Scene) -> None:
    await scene.pod("p", container(readinessProbe={**EXEC, "initialDelaySeconds": 7, "periodSeconds": 3}))
    await scene.turn(6, is_ready(False))
    assert scene.runtime.commands == []
    await scene.turn(1, is_ready(True))
    await scene.clock.advance(9)
    assert len(scene.runtime.commands) == 4


async def test_a_ready_pod_stays_ready_while_the_agent_is_away_and_after(scene: Scene) -> None:
    await scene.pod("p", container(readinessProbe={**EXEC, "initialDelaySeconds": 60}))
    before = await scene.turn(61, is_ready(True))
    await scene.stop_agent()
    await scene.start_agent()
    await scene.clock.advance(1)
    after = await scene.ready("p")
    assert objects.condition(after, "Ready") == objects.condition(before, "Ready")


async def test_a_failing_probe_of_a_container_that_is_gone_says_nothing_more(scene: Scene) -> None:
    await scene.pod("p", container(readinessProbe=EXEC))
    await scene.turn(0.1, is_ready(True))
    await scene.delete("p")
    tried = len(scene.runtime.commands)
    await scene.clock.advance(60)
    assert len(scene.runtime.commands) == tried


async def test_a_container_has_started_once_its_hook_is_done(scene: Scene) -> None:
    slow = container(lifecycle={"postStart": {"sleep": {"seconds": 30}}})
    await scene.pod("p", slow, {"name": "d", "image": "web:1"}, terminationGracePeriodSeconds=60)
    pod = await scene.turn(29, lambda found: "waiting" in pod_state(found))
    assert pod["status"]["phase"] == "Pending"
    assert pod_state(pod)["waiting"]["reason"] == "ContainerCreating"
    assert "waiting" in container_status(pod, "d")["state"]
    await scene.turn(1, is_ready(True))


async def test_a_hook_that_fails_ends_the_container_and_tells_no_secret(scene: Scene) -> None:
    scene.runtime.answers["c"] = BAD
    await scene.pod("p", container(lifecycle={"postStart": {"exec": {"command": ["secret"]}}}))
    await scene.turn(1, lambda found: container_status(found, "c").get("restartCount") == 1)
    assert (await scene.said("p", "PostStartHook failed"))["reason"] == "FailedPostStartHook"
    assert (await scene.said("p", "FailedPostStartHook"))["reason"] == "Killing"
    assert not [m for m in await scene.messages("p") if "secret" in m]


async def test_what_is_to_be_done_before_the_end_is_done_within_the_grace(scene: Scene) -> None:
    await scene.pod("p", container(lifecycle={"preStop": {"exec": {"command": ["bye"]}}}))
    await scene.ready("p")
    await scene.delete("p")
    assert scene.runtime.commands == [("c", ("bye",))]


async def test_a_hook_that_takes_too_long_is_left_behind(scene: Scene) -> None:
    scene.runtime.deaf.add("c")
    slow = container(lifecycle={"preStop": {"sleep": {"seconds": 600}}})
    await scene.pod("p", slow, terminationGracePeriodSeconds=700)
    await scene.ready("p")
    await scene.admin.delete("pods", "p", "default", grace_period_seconds=20)
    await scene.turn(21, lambda found: found is not None)
    await scene.clock.advance(2)
    await asyncio.wait_for(scene.until("p", lambda found: found is None), 10)


async def test_a_hook_that_fails_before_the_end_is_told_and_holds_up_nothing(scene: Scene) -> None:
    scene.runtime.answers["c"] = BAD
    await scene.pod("p", container(lifecycle={"preStop": {"exec": {"command": ["bye"]}}}))
    await scene.ready("p")
    await scene.delete("p")
    assert (await scene.said("p", "PreStopHook failed"))["reason"] == "FailedPreStopHook"
