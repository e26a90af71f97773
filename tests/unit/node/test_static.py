"""Static pods: from files to pods that run, and to their mirrors in the API."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pybernetes.lib.clock import VirtualClock
from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj
from pybernetes.node import static
from pybernetes.node.runtime.memory import MemoryRuntime
from pybernetes.testing import onenode

from .build import NOW
from .scene import C, Scene

NAME = f"web-{onenode.NODE}"


def manifest(image: str = "web:1", **spec: Any) -> Obj:
    containers = [{**C, "image": image}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": containers, **spec}}


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    clock = VirtualClock()
    runtime = MemoryRuntime(clock, images=["web:1", "web:2"])
    made = Scene(runtime, replace(onenode.config(tmp_path), manifests=tmp_path / "manifests"), clock)
    await made.start()
    yield made
    await made.stop()


def put(scene: Scene, pod: Obj) -> Path:
    assert scene.config.manifests is not None
    path = scene.config.manifests / "web.yaml"
    path.write_text(json.dumps(pod))
    return path


async def until(scene: Scene, predicate: Any) -> Any:
    return await asyncio.wait_for(scene.until(NAME, predicate), 10)


def shows(image: str) -> Any:
    return lambda pod: pod and pod["spec"]["containers"][0]["image"] == image and objects.condition_is(pod, "Ready")


def test_another_content_is_another_pod() -> None:
    one, same, other = (static.pod_of(manifest(), "n", "/f", content, NOW) for content in (b"1", b"1", b"2"))
    assert objects.uid(one) == objects.uid(same) != objects.uid(other)
    assert static.mirrors(static.mirror_of(one, "node"), same)
    assert not static.mirrors(static.mirror_of(one, "node"), other)


@pytest.mark.parametrize("bad", [None, [], {"kind": "Pod"}, {"apiVersion": "v1", "kind": "Pod", "metadata": {}}])
def test_a_manifest_of_something_else_is_refused(bad: Any) -> None:
    with pytest.raises(static.NoPod):
        static.pod_of(bad, "n", "/f", b"", NOW)


async def test_a_file_becomes_a_running_pod_with_a_mirror(scene: Scene) -> None:
    put(scene, manifest())
    pod = await until(scene, shows("web:1"))
    annotations = objects.annotations(pod)
    assert annotations["kubernetes.io/config.mirror"] == annotations["kubernetes.io/config.hash"]
    assert annotations["kubernetes.io/config.source"] == "file"
    owner = pod["metadata"]["ownerReferences"][0]
    assert (owner["kind"], owner["name"], owner["controller"]) == ("Node", onenode.NODE, True)
    assert pod["status"]["podIP"]


async def test_a_mirror_that_is_deleted_comes_back_and_the_pod_goes_on(scene: Scene) -> None:
    put(scene, manifest())
    before = await until(scene, shows("web:1"))
    await scene.admin.delete("pods", NAME, "default", grace_period_seconds=0)
    after = await until(scene, lambda pod: shows("web:1")(pod) and objects.uid(pod) != objects.uid(before))
    ids = [pod["status"]["containerStatuses"][0]["containerID"] for pod in (before, after)]
    assert ids[0] == ids[1]


async def test_a_changed_file_replaces_its_pod_and_a_removed_one_ends_it(scene: Scene) -> None:
    path = put(scene, manifest())
    await until(scene, shows("web:1"))
    put(scene, manifest("web:2"))
    await until(scene, shows("web:2"))
    assert len([s for s in await scene.runtime.sandboxes() if s.ready]) == 1
    path.unlink()
    await until(scene, lambda pod: pod is None)
    while await scene.runtime.sandboxes():
        await asyncio.sleep(0)


async def test_an_agent_that_comes_back_finds_its_static_pods_again(scene: Scene) -> None:
    put(scene, manifest())
    before = await until(scene, shows("web:1"))
    await scene.stop_agent()
    await scene.start_agent()
    await scene.clock.advance(20)
    after = await until(scene, shows("web:1"))
    ids = [pod["status"]["containerStatuses"][0]["containerID"] for pod in (before, after)]
    assert ids[0] == ids[1]
    assert objects.uid(after) == objects.uid(before)


async def test_a_runtime_class_names_the_handler_of_the_sandbox(scene: Scene) -> None:
    made = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "fast"}, "handler": "crun"}
    await scene.admin.create("runtimeclasses.node.k8s.io", made)
    await scene.pod("p", C, runtimeClassName="fast")
    await scene.ready("p")
    assert scene.runtime.handlers == ["crun"]


async def test_a_runtime_class_that_is_not_there_is_told(scene: Scene) -> None:
    made = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "gone"}, "handler": "x"}
    await scene.admin.create("runtimeclasses.node.k8s.io", made)
    await scene.stop_agent()
    await scene.pod("p", C, runtimeClassName="gone")
    await scene.admin.delete("runtimeclasses.node.k8s.io", "gone")
    with pytest.raises(errors.NotFound):
        await scene.admin.get("runtimeclasses.node.k8s.io", "gone")
    await scene.start_agent()
    event = await scene.said("p", 'runtimeclasses.node.k8s.io "gone" not found')
    assert event["reason"] == "FailedCreatePodSandBox"
