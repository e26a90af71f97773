"""Persistent volumes in real containers: files of the node, volumes of their own size, and what cannot be mounted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pybernetes.meta import objects, volumes
from pybernetes.meta.objects import Obj
from pybernetes.node.storage import FOLDER
from pybernetes.node.volumes import mounting
from pybernetes.node.volumes.local import BACKING, LOOP
from pybernetes.testing.onenode import FOREVER, OneNode, shell

pytestmark = pytest.mark.node


async def bound(world: OneNode, name: str, size: str = "8Mi", mode: str = "Filesystem", **source: Any) -> Obj:
    """A volume, and a claim of the same name that is bound to it."""
    spec = {
        "accessModes": ["ReadWriteOnce"], "storageClassName": "", "volumeMode": mode, "capacity": {"storage": size},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchFields": [
            {"key": "metadata.name", "operator": "In", "values": ["node-1"]}]}]}},
    }  # fmt: skip
    if "hostPath" in source:
        del spec["nodeAffinity"]
    asked = {"accessModes": ["ReadWriteOnce"], "storageClassName": "", "resources": {"requests": {"storage": size}}}
    made = await world.create(volumes.CLAIMS, "PersistentVolumeClaim", name, spec={**asked, "volumeMode": mode})
    metadata = {"name": name, "finalizers": source.pop("finalizers", [])}
    volume = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata, "spec": {**spec, **source}}
    volume = await world.admin.create(volumes.VOLUMES, volumes.with_claim(volume, made))
    await world.admin.patch(volumes.VOLUMES, name, {"status": {"phase": "Bound"}}, subresource="status")
    named = objects.evolve(made, ("spec", "volumeName"), name)
    await world.admin.update(volumes.CLAIMS, volumes.annotated(named, volumes.BIND_COMPLETED))
    status = {"status": {"phase": "Bound", "capacity": {"storage": size}}}
    await world.admin.patch(volumes.CLAIMS, name, status, namespace="default", subresource="status")
    return volume


def local(world: OneNode, name: str) -> dict[str, Any]:
    """The source of a volume that is made for a claim on this node."""
    path = world.config.kubelet / FOLDER / name
    return {"local": {"path": str(path)}, "finalizers": [volumes.LOCAL_DATA]}


def mounted(*claims: str, **more: Any) -> dict[str, Any]:
    return {"volumes": [{"name": c, "persistentVolumeClaim": {"claimName": c, **more}} for c in claims]}


async def test_files_of_a_host_path_outlive_their_pod(world: OneNode, tmp_path: Path) -> None:
    await bound(world, "data", hostPath={"path": str(tmp_path / "made"), "type": "DirectoryOrCreate"})
    mount: dict[str, Any] = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    await world.pod("first", shell("c", f"echo keep > /data/file; {FOREVER}", **mount), **mounted("data"))
    await world.ready("first")
    await world.eventually((tmp_path / "made" / "file").exists)
    await world.delete("first")
    read_only = shell("c", FOREVER, volumeMounts=[{"name": "data", "mountPath": "/data", "subPath": "file"}])
    await world.pod("second", read_only, **mounted("data", readOnly=True))
    second = await world.ready("second")
    assert await world.run_in(second, "c", "cat", "/data") == "keep\n"
    assert "Read-only" in await world.run_in(second, "c", "sh", "-c", "(echo x > /data) 2>&1 || true")


async def test_a_local_volume_holds_as_much_as_was_asked_for_and_grows(world: OneNode) -> None:
    volume = await bound(world, "sized", **local(world, "sized"))
    container = shell("c", FOREVER, volumeMounts=[{"name": "sized", "mountPath": "/data"}])
    spec = {"securityContext": {"fsGroup": 4711}, **mounted("sized")}
    await world.pod("p", container, **spec)
    pod = await world.ready("p")
    made = await world.admin.get(volumes.VOLUMES, "sized")
    if objects.annotations(made)[BACKING] != LOOP:
        pytest.skip("no loop devices here")
    fill = "dd if=/dev/zero of=/data/big bs=1M count=12 2>&1 || true"
    assert "No space left" in await world.run_in(pod, "c", "sh", "-c", fill)
    await world.run_in(pod, "c", "rm", "/data/big")
    assert (await world.run_in(pod, "c", "stat", "-c", "%g", "/data")).strip() == "4711"

    await world.admin.patch(volumes.VOLUMES, "sized", {"spec": {"capacity": {"storage": "24Mi"}}})
    said = await world.said("sized", "")

    async def has_grown() -> bool:
        claim = await world.admin.get(volumes.CLAIMS, "sized", "default")
        return bool(claim["status"]["capacity"]["storage"] == "24Mi")

    if said["type"] == "Warning":  # not every kernel lets us while it is in use: a new pod is the remedy
        await world.delete("p")
        await world.pod("p", container, **spec)
        pod = await world.ready("p")
    await world.eventually(has_grown)
    assert "No space left" not in await world.run_in(pod, "c", "sh", "-c", fill)

    await world.delete("p")
    path = Path(volume["spec"]["local"]["path"])
    assert path.with_name("sized.img").exists()
    await world.admin.delete(volumes.VOLUMES, "sized")
    await world.admin.patch(
        volumes.VOLUMES, "sized", {"metadata": {"finalizers": [volumes.LOCAL_DATA]}}
    )  # as the protection controller does
    await world.eventually(lambda: not path.exists())
    assert not path.with_name("sized.img").exists()
    assert not mounting.source_of(path)


async def test_a_raw_volume_is_a_device_in_its_container(world: OneNode) -> None:
    await bound(world, "raw", mode="Block", **local(world, "raw"))
    devices: dict[str, Any] = {"volumeDevices": [{"name": "raw", "devicePath": "/dev/raw"}]}
    await world.pod("p", shell("c", FOREVER, **devices), **mounted("raw"))
    pod = await world.ready("p")
    script = "test -b /dev/raw && echo mark | dd of=/dev/raw conv=notrunc 2>/dev/null; head -c 4 /dev/raw"
    assert await world.run_in(pod, "c", "sh", "-c", script) == "mark"
    await world.delete("p")
    await world.admin.delete(volumes.VOLUMES, "raw")
    await world.admin.patch(volumes.VOLUMES, "raw", {"metadata": {"finalizers": [volumes.LOCAL_DATA]}})
    image = world.config.kubelet / FOLDER / "raw.img"
    await world.eventually(lambda: not image.exists())


async def test_a_restarted_agent_finds_volumes_mounted_and_still_cleans_up(world: OneNode) -> None:
    await bound(world, "kept", **local(world, "kept"))
    script = f"echo one >> /data/file; {FOREVER}"
    await world.pod("p", shell("c", script, volumeMounts=[{"name": "kept", "mountPath": "/data"}]), **mounted("kept"))
    pod = await world.ready("p")
    await world.stop_agent()
    await world.start_agent()
    assert await world.run_in(await world.ready("p"), "c", "cat", "/data/file") == "one\n"
    await world.delete("p")
    uid = objects.uid(pod)
    await world.eventually(lambda: not (world.config.kubelet / "pods" / uid).exists())
    assert (world.config.kubelet / FOLDER / "kept" / "file").read_text() == "one\n"


async def test_a_claim_that_is_not_bound_holds_the_pod_and_says_so(world: OneNode) -> None:
    await world.pod("p", shell("c", FOREVER), **mounted("missing"))
    told = await world.said("p", "error processing PVC default/missing")
    assert told["reason"] == "FailedMount"
    await bound(world, "missing", local={"path": "/nowhere/at/all"})
    assert await world.said("p", 'path "/nowhere/at/all" does not exist')
