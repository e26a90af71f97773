"""Claims, volumes and classes in a whole cluster: who is bound to whom, what is made, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pybernetes.meta import errors, objects, volumes
from pybernetes.meta.objects import Obj
from pybernetes.testing.cluster import Cluster

PV, PVC = volumes.VOLUMES, volumes.CLAIMS


def volume(name: str, size: str = "1G", **spec: Any) -> Obj:
    labels = spec.pop("labels", {})
    more = {"hostPath": {"path": f"/tmp/{name}"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "", **spec}
    metadata = {"name": name, "labels": labels}
    spec = {"capacity": {"storage": size}, **more}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata, "spec": spec}


def claim(name: str, size: str = "1G", **spec: Any) -> Obj:
    more = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}, **spec}
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": more}


def static(name: str, size: str = "1G", **spec: Any) -> Obj:
    return claim(name, size, storageClassName="", **spec)


def pod(name: str, *claims: str, **spec: Any) -> Obj:
    mounts = [{"name": c, "persistentVolumeClaim": {"claimName": c}} for c in claims]
    containers = [{"name": "main", "image": "web:1"}]
    metadata = {"name": name, "namespace": "default"}
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": metadata,
        "spec": {"containers": containers, "volumes": mounts, **spec},
    }  # fmt: skip


def is_in(phase: str) -> Callable[[Obj], bool]:
    return lambda obj: volumes.phase(obj) == phase


async def make(cluster: Cluster, *objs: Obj) -> None:
    for obj in objs:
        await cluster.create(PV if obj["kind"] == "PersistentVolume" else PVC, obj)


async def until_volume(cluster: Cluster, name: str, predicate: Callable[[Obj], Any]) -> Obj:
    return await cluster.until(PV, name, predicate, namespace="")


# ── binding ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_claim_takes_the_smallest_volume_that_fits(cluster: Cluster) -> None:
    await make(cluster, volume("large", "5G"), volume("right", "2G"), volume("small", "1G"))
    for name in ("large", "right", "small"):
        await until_volume(cluster, name, is_in("Available"))
    await make(cluster, static("mine", "1500M"))
    bound = await cluster.until(PVC, "mine", is_in("Bound"))
    assert bound["spec"]["volumeName"] == "right"
    assert bound["status"]["capacity"] == {"storage": "2G"}
    assert volumes.is_bound(bound)
    held = await until_volume(cluster, "right", is_in("Bound"))
    ref = held["spec"]["claimRef"]
    assert (ref["namespace"], ref["name"], ref["uid"]) == ("default", "mine", objects.uid(bound))
    assert objects.annotations(held)[volumes.BOUND_BY_CONTROLLER] == "yes"
    assert {volumes.phase(v) for v in await cluster.list(PV, namespace="") if v is not held} >= {"Available"}


async def test_a_claim_waits_for_a_volume_that_its_selector_names(cluster: Cluster) -> None:
    wants = static("mine", selector={"matchLabels": {"disk": "b"}})
    await make(cluster, volume("a", labels={"disk": "a"}), wants)
    text = "no persistent volumes available for this claim and no storage class is set"
    await cluster.until_events("mine", "FailedBinding", lambda told: text in told)
    await make(cluster, volume("b", "9G", labels={"disk": "b"}))
    assert (await cluster.until(PVC, "mine", is_in("Bound")))["spec"]["volumeName"] == "b"


async def test_a_volume_reserved_for_a_claim_is_no_others(cluster: Cluster) -> None:
    reserved = {"kind": "PersistentVolumeClaim", "namespace": "default", "name": "mine"}
    await make(cluster, volume("kept", claimRef=reserved), static("other"))
    await until_volume(cluster, "kept", is_in("Available"))
    await cluster.until_events("other", "FailedBinding", bool)
    await make(cluster, static("mine"))
    assert (await cluster.until(PVC, "mine", is_in("Bound")))["spec"]["volumeName"] == "kept"
    assert volumes.BOUND_BY_CONTROLLER not in objects.annotations(await until_volume(cluster, "kept", is_in("Bound")))


async def test_a_claim_may_name_its_volume_but_not_one_that_is_too_small(cluster: Cluster) -> None:
    await make(cluster, volume("small"), volume("large", "9G"), static("mine", "2G", volumeName="small"))
    told = 'Cannot bind to requested volume "small": requested PV is too small'
    await cluster.until_events("mine", "VolumeMismatch", lambda said: told in said)
    await make(cluster, static("other", volumeName="large"))
    assert (await cluster.until(PVC, "other", is_in("Bound")))["spec"]["volumeName"] == "large"


async def test_a_retained_volume_is_nobodys_until_its_claim_is_cleared(cluster: Cluster) -> None:
    await make(cluster, volume("kept"), static("first"))
    await until_volume(cluster, "kept", is_in("Bound"))
    await cluster.client.delete(PVC, "first", "default")
    released = await until_volume(cluster, "kept", is_in("Released"))
    assert released["spec"]["claimRef"]["name"] == "first"
    await make(cluster, static("second"))
    await cluster.until_events("second", "FailedBinding", bool)
    await cluster.patch(PV, "kept", [{"op": "remove", "path": "/spec/claimRef"}], kind="json", namespace="")
    assert (await cluster.until(PVC, "second", is_in("Bound")))["spec"]["volumeName"] == "kept"


@pytest.mark.parametrize(
    ("policy", "reason", "text"),
    [
        ("Recycle", "VolumeFailedRecycle", "No recycler plugin found for the volume!"),
        ("Delete", "VolumeFailedDelete", "no deletable volume plugin matched"),
    ],
)
async def test_a_volume_that_nobody_can_clean_up_fails(cluster: Cluster, policy: str, reason: str, text: str) -> None:
    await make(cluster, volume("v", persistentVolumeReclaimPolicy=policy), static("mine"))
    await until_volume(cluster, "v", is_in("Bound"))
    await cluster.client.delete(PVC, "mine", "default")
    failed = await until_volume(cluster, "v", is_in("Failed"))
    assert failed["status"]["reason"] == reason
    await cluster.until_events("v", reason, lambda told: any(text in each for each in told))


async def test_a_claim_whose_volume_is_gone_is_lost(cluster: Cluster) -> None:
    await make(cluster, volume("v"), static("mine"))
    await until_volume(cluster, "v", is_in("Bound"))
    await cluster.client.delete(PV, "v")
    await cluster.patch(PV, "v", {"metadata": {"finalizers": None}}, kind="merge", namespace="")
    await cluster.until(PVC, "mine", is_in("Lost"))
    await cluster.until_events(
        "mine", "ClaimLost", lambda told: any("has lost its PersistentVolume" in t for t in told)
    )


# ── in use ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_claim_stays_while_a_pod_uses_it_and_a_volume_while_it_is_bound(cluster: Cluster) -> None:
    await make(cluster, volume("v"), static("mine"))
    await cluster.until(PVC, "mine", is_in("Bound"))
    await cluster.create("pods", pod("user", "mine"))
    await cluster.until("pods", "user", lambda p: objects.condition_is(p, "Ready"))
    await cluster.client.delete(PV, "v")
    await cluster.client.delete(PVC, "mine", "default")
    assert objects.is_deleting(await cluster.client.get(PVC, "mine", "default"))
    await cluster.client.delete("pods", "user", "default", grace_period_seconds=0)
    await cluster.until_gone(PVC, "mine")
    await cluster.until_gone(PV, "v", namespace="")


# ── making volumes ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_claim_without_a_class_gets_a_volume_where_its_first_pod_runs(cluster: Cluster) -> None:
    await make(cluster, claim("mine", "2Gi"), static("other"))
    waiting = await cluster.client.get(PVC, "mine", "default")
    assert waiting["spec"]["storageClassName"] == "standard"
    text = "waiting for first consumer to be created before binding"
    await cluster.until_events("mine", "WaitForFirstConsumer", lambda told: text in told)
    await cluster.create("pods", pod("user", "mine", nodeSelector={"kubernetes.io/hostname": "node-2"}))
    bound = await cluster.until(PVC, "mine", is_in("Bound"))
    made = await until_volume(cluster, f"pvc-{objects.uid(bound)}", is_in("Bound"))
    assert objects.annotations(made)[volumes.PROVISIONED_BY] == volumes.LOCAL_PROVISIONER
    assert made["spec"]["persistentVolumeReclaimPolicy"] == "Delete"
    assert made["spec"]["capacity"] == {"storage": "2Gi"}
    assert made["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"][0]["matchExpressions"][0]["values"] == [
        "node-2"
    ]
    running = await cluster.until("pods", "user", lambda p: objects.condition_is(p, "Ready"))
    assert running["spec"]["nodeName"] == "node-2"
    await cluster.until_events("mine", "ProvisioningSucceeded", bool)
    assert volumes.phase(await cluster.client.get(PVC, "other", "default")) == "Pending"

    await cluster.client.delete("pods", "user", "default", grace_period_seconds=0)
    await cluster.client.delete(PVC, "mine", "default")
    await cluster.until_gone(PV, objects.name(made), namespace="")


async def test_a_class_that_does_not_wait_gives_a_volume_at_once(cluster: Cluster) -> None:
    fast = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "fast"}}
    await make(cluster, claim("mine", storageClassName="fast"))
    text = 'storageclass.storage.k8s.io "fast" not found'
    await cluster.until_events("mine", "ProvisioningFailed", lambda told: text in told)
    await cluster.create(volumes.CLASSES, {**fast, "provisioner": volumes.LOCAL_PROVISIONER})
    await cluster.until(PVC, "mine", is_in("Bound"))


async def test_pods_of_one_claim_share_its_node(cluster: Cluster) -> None:
    await make(cluster, claim("mine"))
    for number in range(4):
        await cluster.create("pods", pod(f"p{number}", "mine"))
    found = await cluster.until_all("pods", lambda pods: all(objects.condition_is(p, "Ready") for p in pods))
    assert len(found) == 4
    assert len({p["spec"]["nodeName"] for p in found}) == 1


async def test_a_claim_of_a_class_that_allows_it_grows_and_never_shrinks(cluster: Cluster) -> None:
    await make(cluster, claim("mine"), static("fixed"), volume("v"))
    await cluster.create("pods", pod("user", "mine"))
    await cluster.until(PVC, "mine", is_in("Bound"))
    await cluster.until(PVC, "fixed", is_in("Bound"))
    more = {"spec": {"resources": {"requests": {"storage": "3G"}}}}
    await cluster.patch(PVC, "mine", more)
    await cluster.until(PVC, "mine", lambda c: c["status"]["capacity"]["storage"] == "3G")
    with pytest.raises(errors.Forbidden, match="only dynamically provisioned pvc can be resized"):
        await cluster.patch(PVC, "fixed", more)
    with pytest.raises(errors.Invalid, match=r"less than status\.capacity"):
        await cluster.patch(PVC, "mine", {"spec": {"resources": {"requests": {"storage": "1G"}}}})


async def test_an_ephemeral_volume_comes_and_goes_with_its_pod(cluster: Cluster) -> None:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": claim("x")["spec"]}
    wants = pod("user")
    wants["spec"]["volumes"] = [{"name": "scratch", "ephemeral": {"volumeClaimTemplate": template}}]
    await cluster.create("pods", wants)
    running = await cluster.until("pods", "user", lambda p: objects.condition_is(p, "Ready"))
    made = await cluster.until(PVC, "user-scratch", is_in("Bound"))
    assert objects.labels(made) == {"a": "b"}
    assert volumes.is_made_for(made, running)
    await cluster.client.delete("pods", "user", "default", grace_period_seconds=0)
    await cluster.until_gone(PVC, "user-scratch")
    await cluster.until_gone(PV, made["spec"]["volumeName"], namespace="")
