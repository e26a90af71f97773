"""A pod's worker with everything around it, on a runtime in memory under a clock that is turned by hand."""

from __future__ import annotations

import asyncio

from pybernetes.meta import objects
from pybernetes.node.runtime.port import RuntimeFailure
from pybernetes.testing import onenode

from .scene import C, Scene, is_waiting, pod_state, restarted


async def test_a_crash_loop_waits_ten_then_twenty_seconds(scene: Scene) -> None:
    await scene.pod("p", C)
    await scene.ready("p")
    scene.runtime.finish(scene.runtime.running("c"), 1)
    await scene.turn(0.1, restarted(1))
    scene.runtime.finish(scene.runtime.running("c"), 1)
    pod = await scene.turn(0.1, is_waiting("CrashLoopBackOff"))
    assert pod_state(pod)["waiting"]["message"].startswith("back-off 10s restarting failed container=c pod=p_default(")
    pod = await scene.turn(9, is_waiting("CrashLoopBackOff"))
    await scene.turn(2, restarted(2))
    scene.runtime.finish(scene.runtime.running("c"), 1)
    pod = await scene.turn(11, is_waiting("CrashLoopBackOff"))
    assert "back-off 20s" in pod_state(pod)["waiting"]["message"]
    await scene.turn(10, restarted(3))


async def test_an_image_that_comes_late_is_pulled_at_the_next_try(scene: Scene) -> None:
    await scene.pod("p", {"name": "c", "image": "late:1"})
    await scene.turn(0.1, is_waiting("ErrImagePull"))
    await scene.turn(2, is_waiting("ImagePullBackOff"))
    scene.runtime.registry.add("docker.io/library/late:1")
    await scene.clock.advance(9)
    await scene.ready("p")
    assert [m for m in await scene.messages("p") if m.startswith("Successfully pulled")]


async def test_events_tell_the_story_in_the_kubelets_words(scene: Scene) -> None:
    await scene.pod("p", {"name": "c", "image": "far:1"})
    await scene.ready("p")
    await scene.delete("p")
    assert sorted(await scene.messages("p")) == sorted(
        [
            'Pulling image "far:1"',
            'Successfully pulled image "far:1" in 0s (0s including waiting). Image size: 1 bytes.',
            "Created container: c",
            "Started container c",
            "Stopping container c",
        ]
    )


async def test_a_latest_image_is_pulled_again_for_every_attempt(scene: Scene) -> None:
    await scene.pod("p", {"name": "c", "image": "web"})
    await scene.ready("p")
    scene.runtime.finish(scene.runtime.running("c"))
    await scene.turn(0.1, restarted(1))
    pulls = await scene.admin.list("events", "default", fields="reason=Pulling")
    assert sum(e["count"] for e in pulls["items"]) == 2


async def test_a_name_that_is_none_is_told_as_such(scene: Scene) -> None:
    await scene.pod("p", {"name": "c", "image": "UPPER"})
    pod = await scene.turn(0.1, is_waiting("InvalidImageName"))
    assert (
        'Failed to apply default image tag "UPPER": couldn\'t parse image name' in pod_state(pod)["waiting"]["message"]
    )


async def test_a_sandbox_that_cannot_be_made_is_tried_again(scene: Scene) -> None:
    scene.runtime.failures["run_sandbox"] = RuntimeFailure("Unknown", "no addresses left")
    await scene.pod("p", C)
    event = await scene.said("p", "Failed to create pod sandbox")
    assert event["reason"] == "FailedCreatePodSandBox"
    assert event["message"].endswith("rpc error: code = Unknown desc = no addresses left")
    scene.runtime.failures.clear()
    await scene.clock.advance(1)
    await scene.ready("p")


async def test_a_container_that_cannot_be_created_waits_with_the_runtimes_reason(scene: Scene) -> None:
    scene.runtime.failures["create_container"] = RuntimeFailure("Unknown", "no such device")
    await scene.pod("p", C)
    pod = await scene.turn(0.1, is_waiting("CreateContainerError"))
    assert pod_state(pod)["waiting"]["message"] == "no such device"
    scene.runtime.failures.clear()
    await scene.clock.advance(2)
    await scene.ready("p")


async def test_a_shorter_grace_hurries_a_stop_under_way(scene: Scene) -> None:
    scene.runtime.deaf.add("c")
    await scene.pod("p", C, terminationGracePeriodSeconds=100)
    await scene.ready("p")
    await scene.admin.delete("pods", "p", "default", grace_period_seconds=100)
    await scene.clock.advance(5)
    await scene.admin.delete("pods", "p", "default", grace_period_seconds=2)
    await scene.clock.advance(2)
    await asyncio.wait_for(scene.until("p", lambda found: found is None), 10)


async def test_a_pod_past_its_deadline_fails(scene: Scene) -> None:
    await scene.pod("p", C, activeDeadlineSeconds=60)
    await scene.ready("p")
    pod = await scene.turn(61, lambda found: found["status"]["phase"] == "Failed")
    assert pod["status"]["reason"] == "DeadlineExceeded"


async def test_a_pod_made_anew_under_its_old_name_is_another_pod(scene: Scene) -> None:
    scene.runtime.deaf.add("c")
    await scene.pod("p", C, terminationGracePeriodSeconds=10)
    old = await scene.ready("p")
    await scene.admin.delete("pods", "p", "default", grace_period_seconds=0)
    await scene.pod("p", C)
    new = await scene.ready("p")
    assert objects.uid(new) != objects.uid(old)
    await scene.clock.advance(11)
    assert [s.uid for s in await scene.runtime.sandboxes()] == [objects.uid(new)]


async def test_what_nobody_has_ordered_is_ended_once_the_api_has_told_of_everything(scene: Scene) -> None:
    await scene.pod("p", C)
    pod = await scene.ready("p")
    await scene.stop_agent()
    stray = {"metadata": {"name": "s", "namespace": "default", "uid": "stray"}}
    await scene.runtime.run_sandbox(stray)
    (scene.config.kubelet / "pods" / "left").mkdir()
    await scene.start_agent()
    await scene.clock.advance(1)
    while len(scene.agent.pods()) > 1:  # type: ignore[union-attr]
        await asyncio.sleep(0)
    assert [s.uid for s in await scene.runtime.sandboxes()] == [objects.uid(pod)]
    assert [p.name for p in (scene.config.kubelet / "pods").iterdir()] == [objects.uid(pod)]


async def test_an_end_that_no_event_told_of_is_found_in_time(scene: Scene) -> None:
    await scene.pod("p", C)
    await scene.ready("p")
    scene.runtime.finish(scene.runtime.running("c"), 1, told=False)
    await scene.turn(16, restarted(1))


async def test_a_node_is_not_ready_while_its_runtime_does_not_answer(scene: Scene) -> None:
    scene.runtime.failures["version"] = RuntimeFailure("Unavailable", "connection refused")
    await scene.clock.advance(10)
    node = await scene.admin.get("nodes", onenode.NODE)
    ready = objects.condition(node, "Ready")
    assert ready is not None
    assert (ready["status"], ready["reason"]) == ("False", "KubeletNotReady")
    assert ready["message"] == "container runtime is down: connection refused"
    scene.runtime.failures.clear()
    await scene.clock.advance(10)
    assert objects.condition_is(await scene.admin.get("nodes", onenode.NODE), "Ready")


async def test_the_lease_is_renewed_every_ten_seconds(scene: Scene) -> None:
    await scene.clock.advance(1)
    lease = "leases.coordination.k8s.io", onenode.NODE, "kube-node-lease"
    before = (await scene.admin.get(*lease))["spec"]["renewTime"]
    await scene.clock.advance(10)
    assert (await scene.admin.get(*lease))["spec"]["renewTime"] > before
