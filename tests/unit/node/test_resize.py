"""Other resources for a running container: what is planned, done and told."""

from __future__ import annotations

from typing import Any

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.node import podplan, podstatus, resize
from pybernetes.node.podactions import Resize, Stop
from pybernetes.node.podnotes import Notes, Room
from pybernetes.node.runtime.port import RuntimeFailure
from pybernetes.testing.onenode import container_status

from .build import NOW, main, noted, pod, running, seen
from .scene import Scene

SMALL = {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "200m", "memory": "64Mi"}}
LARGE = {"requests": {"cpu": "300m", "memory": "64Mi"}, "limits": {"cpu": "400m", "memory": "64Mi"}}
WIDE = Room({"cpu": 1000, "memory": 1 << 30}, {"cpu": 0, "memory": 0})


def notes(**more: Any) -> Notes:
    return noted(**{"resources": {"c0": SMALL}, "room": WIDE, **more})


def conditions(obj: Obj, known: Notes) -> dict[str, Obj]:
    told = podstatus.status(obj, seen(running()), known, NOW, ("192.0.2.1",))
    return {c["type"]: c for c in told["conditions"] if c["type"].startswith("PodResize")}


def test_a_container_with_other_resources_than_its_specs_is_resized() -> None:
    assert podplan.plan(pod(main(resources=LARGE)), seen(running()), notes(), NOW).actions == (Resize("c0", "c"),)
    assert podplan.plan(pod(main(resources=SMALL)), seen(running()), notes(), NOW).actions == ()


def test_amounts_are_compared_and_not_their_spelling() -> None:
    assert resize.differing(main(resources={"limits": {"cpu": "1"}}), {"limits": {"cpu": "1000m"}}) == set()
    assert resize.differing(main(resources=LARGE), SMALL) == {"cpu"}


def test_after_a_restart_of_the_agent_the_api_knows_what_a_container_has() -> None:
    told = {"containerStatuses": [{"name": "c", "containerID": "containerd://c0", "resources": SMALL}]}
    obj = pod(main(resources=LARGE), status=told)
    assert podplan.plan(obj, seen(running()), notes(resources={}), NOW).actions == (Resize("c0", "c"),)


def test_a_container_that_wants_it_is_restarted_instead() -> None:
    policy = [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]
    planned = podplan.plan(pod(main(resources=LARGE, resizePolicy=policy)), seen(running()), notes(), NOW)
    assert planned.actions == (Stop("c0", "c", 30, "Container c resize requires restart"),)


def test_what_the_node_can_never_give_is_infeasible_and_what_it_cannot_give_now_waits() -> None:
    obj = pod(main(resources=LARGE))
    little = notes(room=Room({"cpu": 200, "memory": 1 << 30}, {"cpu": 0, "memory": 0}))
    assert podplan.plan(obj, seen(running()), little, NOW).actions == ()
    pending = conditions(obj, little)[resize.PENDING]
    assert pending["reason"] == "Infeasible"
    assert pending["message"] == "Node didn't have enough capacity: cpu, requested: 300, capacity: 200"
    full = notes(room=Room({"cpu": 1000, "memory": 1 << 30}, {"cpu": 900, "memory": 0}))
    planned = podplan.plan(obj, seen(running()), full, NOW)
    assert (planned.actions, planned.wake_at) == ((), NOW + resize.LOOK_AGAIN_SECONDS)
    assert conditions(obj, full)[resize.PENDING]["reason"] == "Deferred"


def test_a_resize_is_in_progress_until_it_is_done() -> None:
    obj = pod(main(resources=LARGE))
    assert set(conditions(obj, notes())) == {resize.IN_PROGRESS}
    assert conditions(obj, notes(resources={"c0": LARGE})) == {}


def test_the_room_is_what_other_living_pods_leave() -> None:
    other = pod(main(resources=SMALL)) | {"metadata": {"name": "o", "namespace": "ns", "uid": "o"}}
    done = other | {"metadata": {"name": "d", "namespace": "ns", "uid": "d"}, "status": {"phase": "Succeeded"}}
    room = resize.room_for(pod(), [pod(), other, done], {"cpu": "2", "memory": "1Gi"})
    assert room == Room({"cpu": 2000, "memory": 1 << 30}, {"cpu": 100, "memory": 64 << 20})


async def test_a_running_container_gets_its_new_resources_and_the_api_is_told(scene: Scene) -> None:
    await scene.pod("p", {"name": "c", "image": "web:1", "resources": SMALL})
    before = await scene.ready("p")
    scene.runtime.failures["update_resources"] = RuntimeFailure("Unknown", "device or resource busy")
    change = {"spec": {"containers": [{"name": "c", "resources": LARGE}]}}
    await scene.admin.patch("pods", "p", change, namespace="default", kind="strategic", subresource="resize")
    pod = await scene.turn(0.1, lambda found: objects.condition(found, resize.IN_PROGRESS) is not None)
    assert container_status(pod, "c")["resources"] == SMALL
    scene.runtime.failures.clear()
    pod = await scene.turn(10, lambda found: container_status(found, "c")["resources"] == LARGE)
    assert container_status(pod, "c")["allocatedResources"] == {"cpu": "300m", "memory": "64Mi"}
    assert scene.runtime.resources["c"]["cpu_quota"] == 40_000
    assert container_status(pod, "c")["containerID"] == container_status(before, "c")["containerID"]
    await scene.turn(0.1, lambda found: objects.condition(found, resize.IN_PROGRESS) is None)
