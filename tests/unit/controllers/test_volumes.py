"""Plans of storage: who makes what where, who is attached, what grows, and what stays while it is in use."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.control.actions import Create, Delete, Event, Patch, Update
from pybernetes.control.controller import Key
from pybernetes.controllers.volumes import attachdetach, binder, ephemeral, expansion, protection, provisioner
from pybernetes.meta import objects, volumes
from pybernetes.meta.objects import Obj

from .build import NOW, Snapshot, key, metadata

LOCAL = volumes.LOCAL_PROVISIONER
CLASS = {"metadata": {"name": "standard"}, "provisioner": LOCAL, "volumeBindingMode": "WaitForFirstConsumer"}
EAGER = {**CLASS, "volumeBindingMode": "Immediate"}
ROOT = "/kubelet/local-volumes"


def node(name: str, *, simulated: bool = False, ready: str = "True") -> Obj:
    labels = {"kubernetes.io/hostname": f"host-{name}"} | ({"pybernetes.io/simulated": "true"} if simulated else {})
    status = {"conditions": [{"type": "Ready", "status": ready}]}
    return {"metadata": {"name": name, "labels": labels}, "spec": {}, "status": status}


def csi_node(name: str) -> Obj:
    return {"metadata": {"name": name, "annotations": {volumes.LOCAL_ROOT: ROOT}}, "spec": {"drivers": []}}


def claim(name: str = "web", *, phase: str = "Pending", held: str = "", size: str = "1Gi", **spec: Any) -> Obj:
    asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
    status: Obj = {"phase": phase} | ({"capacity": {"storage": held}} if held else {})
    return {"metadata": metadata(name), "spec": {"storageClassName": "standard", **asked, **spec}, "status": status}


def asked(*, node: str = "", **spec: Any) -> Obj:
    """A claim that the binder has marked as ours to serve."""
    marks = {volumes.STORAGE_PROVISIONER: LOCAL} | ({volumes.SELECTED_NODE: node} if node else {})
    return objects.evolve(claim(**spec), ("metadata", "annotations"), marks)


def volume(name: str = "v", *, phase: str = "Bound", of: Obj | None = None, **spec: Any) -> Obj:
    made: Obj = {
        "metadata": {"name": name, "uid": f"uid-{name}"}, "status": {"phase": phase},
        "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], **spec},
    }  # fmt: skip
    return made if of is None else volumes.with_claim(made, of)


def pod(name: str, *claims: str, on: str = "", phase: str = "Running") -> Obj:
    mounts = [{"name": c, "persistentVolumeClaim": {"claimName": c}} for c in claims]
    spec = {"volumes": mounts} | ({"nodeName": on} if on else {})
    return {"metadata": metadata(name), "spec": spec, "status": {"phase": phase}}


def made(plan: Any) -> Obj:
    """The one object that a plan creates."""
    (found,) = [action for action in plan if isinstance(action, Create)]
    return found.obj


# ── volumes of our own ───────────────────────────────────────────────────────────────────────────────────


def served(
    *claims: Obj, classes: list[Obj], nodes: list[Obj], csi: list[Obj], volumes_: list[Obj] | None = None
) -> Any:
    caches = {volumes.CLAIMS: claims, volumes.CLASSES: classes, volumes.CSI_NODES: csi, volumes.VOLUMES: volumes_ or []}
    return provisioner.plan(Snapshot(nodes=nodes, **caches), key("web"), NOW)


def test_a_volume_is_made_on_the_selected_node_and_held_until_its_data_are_gone() -> None:
    found = made(served(asked(node="b"), classes=[CLASS], nodes=[node("a"), node("b")], csi=[csi_node("b")]))
    assert objects.name(found) == "pvc-uid-web"
    assert found["spec"]["local"] == {"path": f"{ROOT}/pvc-uid-web"}
    terms = found["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    assert terms == [{"matchExpressions": [{"key": provisioner.HOSTNAME, "operator": "In", "values": ["host-b"]}]}]
    assert objects.finalizers(found) == [volumes.LOCAL_DATA]
    assert found["spec"]["claimRef"]["uid"] == "uid-web"


def test_a_simulated_node_keeps_no_data_and_a_real_one_tells_first_where_it_does() -> None:
    found = made(served(asked(node="a"), classes=[CLASS], nodes=[node("a", simulated=True)], csi=[]))
    assert objects.finalizers(found) == []
    assert served(asked(node="a"), classes=[CLASS], nodes=[node("a")], csi=[]) == []


def test_a_class_that_does_not_wait_takes_the_ready_node_with_the_fewest_volumes() -> None:
    nodes = [node("a"), node("b"), node("c", ready="False")]
    there = made(served(asked(), classes=[EAGER], nodes=nodes, csi=[csi_node(n) for n in "abc"]))
    spec = {"nodeAffinity": there["spec"]["nodeAffinity"]}
    first = {"metadata": {"name": "x", "annotations": {volumes.PROVISIONED_BY: LOCAL}}, "spec": spec}
    found = made(served(asked(), classes=[EAGER], nodes=nodes, csi=[csi_node(n) for n in "abc"], volumes_=[first]))
    assert found["spec"]["nodeAffinity"] != spec["nodeAffinity"]


def test_a_selected_node_that_is_gone_is_given_back_to_the_scheduler() -> None:
    (action,) = served(asked(node="gone"), classes=[CLASS], nodes=[], csi=[])
    assert isinstance(action, Update)
    assert volumes.SELECTED_NODE not in objects.annotations(action.obj)


def test_a_claim_for_a_copy_of_other_data_is_refused_and_not_given_an_empty_volume() -> None:
    source = {"kind": "PersistentVolumeClaim", "name": "old"}
    (action,) = served(asked(node="a", dataSource=source), classes=[CLASS], nodes=[node("a")], csi=[csi_node("a")])
    assert isinstance(action, Event)
    assert action.message.endswith("CSI driver does not support clone")


def test_a_released_volume_is_deleted_and_let_go_where_its_node_is_gone() -> None:
    ours = volume(phase="Released", persistentVolumeReclaimPolicy="Delete")
    ours["metadata"] |= {"annotations": {volumes.PROVISIONED_BY: LOCAL}, "finalizers": [volumes.LOCAL_DATA]}
    plan = provisioner.plan(Snapshot(**{volumes.VOLUMES: [ours]}), Key("", "v"), NOW)
    assert [type(action) for action in plan] == [Delete]
    ours["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    (action,) = provisioner.plan(Snapshot(**{volumes.VOLUMES: [ours]}), Key("", "v"), NOW)
    assert isinstance(action, Update)
    assert objects.finalizers(action.obj) == []


# ── binding, as far as scenes do not show it ─────────────────────────────────────────────────────────────


def test_a_provisioned_volume_whose_claim_took_another_is_released() -> None:
    mine = claim(volumeName="other")
    spare = volume(of=mine, persistentVolumeReclaimPolicy="Delete")
    spare["metadata"]["annotations"] = {volumes.PROVISIONED_BY: LOCAL}
    caches = {volumes.CLAIMS: [mine], volumes.VOLUMES: [spare]}
    (action,) = binder.plan(Snapshot(**caches), Key("", "v"), NOW)
    assert isinstance(action, Patch)
    assert action.patch["status"]["phase"] == "Released"


@pytest.mark.parametrize(("by_controller", "left"), [(True, None), (False, "")])
def test_a_volume_whose_claim_took_another_is_free_unless_a_user_reserved_it(by_controller: bool, left: Any) -> None:
    mine = claim(volumeName="other")
    spare = volume(of=mine)
    if not by_controller:
        spare["metadata"]["annotations"] = {}
    (action,) = binder.plan(Snapshot(**{volumes.CLAIMS: [mine], volumes.VOLUMES: [spare]}), Key("", "v"), NOW)
    assert isinstance(action, Update)
    assert objects.get(action.obj, "spec", "claimRef", "uid") == left


def test_a_claim_names_the_pods_that_wait_with_it() -> None:
    caches = {volumes.CLAIMS: [claim(phase="Pending")], volumes.CLASSES: [CLASS], volumes.VOLUMES: []}
    (action,) = binder.plan(Snapshot(pods=[pod("q", "web"), pod("p", "web")], **caches), key("web"), NOW)
    assert isinstance(action, Event)
    assert (action.reason, action.message) == ("WaitForPodScheduled", "waiting for pods p,q to be scheduled")


# ── growing ──────────────────────────────────────────────────────────────────────────────────────────────


def grown(size: str, **more: Any) -> Any:
    mine = claim(phase="Bound", held="1Gi", size=size, volumeName="v")
    ours = volume(of=mine)
    ours["metadata"] |= {"annotations": {volumes.PROVISIONED_BY: LOCAL}, **more}
    return expansion.plan(Snapshot(**{volumes.CLAIMS: [mine], volumes.VOLUMES: [ours]}), key("web"), NOW)


def test_a_claim_that_asks_for_no_more_is_left_alone() -> None:
    assert list(grown("1Gi")) == []


def test_the_claim_is_told_to_wait_for_its_node_before_the_volume_grows() -> None:
    first, _, _, second = grown("2Gi", finalizers=[volumes.LOCAL_DATA])
    assert first.patch["status"]["conditions"][0]["type"] == "FileSystemResizePending"
    assert second.obj["spec"]["capacity"] == {"storage": "2Gi"}


# ── in use ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("users", "stays"),
    [
        ([], False),
        ([pod("p", "web")], False),
        ([pod("p", "web", on="a")], True),
        ([pod("p", "web", on="a", phase="Succeeded")], True),
        ([pod("p", "other", on="a")], False),
    ],
)
def test_a_deleted_claim_stays_while_a_pod_with_a_node_names_it(users: list[Obj], stays: bool) -> None:
    going = claim()
    going["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": [volumes.CLAIM_PROTECTION]}
    plan = protection.CLAIMS.plan(Snapshot(pods=users, **{volumes.CLAIMS: [going]}), key("web"), NOW)
    assert bool(plan) is not stays


def test_an_ephemeral_claim_is_the_pods_and_is_made_once() -> None:
    owner = pod("web")
    owner["spec"]["volumes"] = [{"name": "v", "ephemeral": {"volumeClaimTemplate": {"spec": {"x": 1}}}}]
    found = made(ephemeral.plan(Snapshot(pods=[owner], **{volumes.CLAIMS: []}), key("web"), NOW))
    assert objects.name(found) == "web-v"
    assert volumes.is_made_for(found, owner)
    assert list(ephemeral.plan(Snapshot(pods=[owner], **{volumes.CLAIMS: [found]}), key("web"), NOW)) == []


# ── attaching ────────────────────────────────────────────────────────────────────────────────────────────

DISK = {"driver": "disk.example.com", "volumeHandle": "h"}


def attached(*users: Obj, there: list[Obj] | None = None, modes: str = "ReadWriteOnce", required: bool = True) -> Any:
    mine = claim(volumeName="v")
    disk = volume(of=mine, csi=DISK, accessModes=[modes])
    driver = {"metadata": {"name": DISK["driver"]}, "spec": {"attachRequired": required}}
    caches = {
        volumes.CLAIMS: [mine], volumes.VOLUMES: [disk], volumes.CSI_DRIVERS: [driver],
        volumes.ATTACHMENTS: there or [],
    }  # fmt: skip
    return attachdetach.plan(Snapshot(pods=users, **caches), Key("", "v"), NOW)


def test_a_volume_is_attached_to_the_node_of_its_pod_and_detached_after_it() -> None:
    attachment = made(attached(pod("p", "web", on="a")))
    assert attachment["spec"] == {
        "attacher": "disk.example.com", "nodeName": "a", "source": {"persistentVolumeName": "v"},
    }  # fmt: skip
    assert objects.name(attachment) == volumes.attachment_name("h", "disk.example.com", "a")
    (action,) = attached(pod("p", "web", on="a", phase="Succeeded"), there=[attachment])
    assert isinstance(action, Delete)
    assert attached(pod("p", "web", on="a"), required=False) == []


def test_a_volume_for_one_node_is_not_attached_to_a_second() -> None:
    attachment = made(attached(pod("p", "web", on="a")))
    (action,) = attached(pod("p", "web", on="a"), pod("q", "web", on="b"), there=[attachment])
    assert isinstance(action, Event)
    assert (objects.name(action.regarding), action.reason) == ("q", "FailedAttachVolume")
    assert action.message.startswith('Multi-Attach error for volume "v"')
    assert made(attached(pod("q", "web", on="b"), there=[attachment], modes="ReadWriteMany"))["spec"]["nodeName"] == "b"
