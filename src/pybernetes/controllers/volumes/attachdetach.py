"""Volumes of CSI drivers are attached to the nodes of their pods, and detached when no pod there uses them. Pure.

Rule 1: a volume whose driver attaches (``attachRequired`` of its CSIDriver; it does unless that says no) has one
        VolumeAttachment for each node with a pod that uses it and has not ended.
Rule 2: a volume for one node at a time is not attached to a second while the first has it: the pod there waits.
Source: pkg/controller/volume/attachdetach. Neighbours: ``node/csi/attaching.py`` (or a driver's own attacher) does it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pybernetes.control.actions import Action, Create, Delete, Plan
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot
from pybernetes.controllers import keys, pods
from pybernetes.controllers.volumes.actions import tell
from pybernetes.meta import objects, volumes
from pybernetes.meta.objects import Obj


def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
    """``key`` names a volume."""
    there = [a for a in snapshot.list(volumes.ATTACHMENTS) if _volume_name(a) == key.name]
    volume = snapshot.get(volumes.VOLUMES, "", key.name)
    users = _users(snapshot, volume) if volume is not None and _is_attached(snapshot, volume) else {}
    return [*_detach(there, users), *(_attach(volume, there, users) if volume is not None else ())]


def _is_attached(snapshot: Snapshot, volume: Obj) -> bool:
    """Rule 1."""
    driver = objects.get(volume, "spec", "csi", "driver")
    if driver is None:
        return False
    config = snapshot.get(volumes.CSI_DRIVERS, "", driver)
    return bool(objects.get(config, "spec", "attachRequired", default=True))


def _users(snapshot: Snapshot, volume: Obj) -> dict[str, list[Obj]]:
    """Node → the pods there that use the volume."""
    ref = volumes.claim_ref(volume)
    found: dict[str, list[Obj]] = {}
    for pod in snapshot.list("pods", ref.get("namespace", "")):
        uses = pods.node(pod) and pods.phase(pod) not in pods.FINISHED
        if uses and ref.get("name") in volumes.claims_of(pod).values():
            found.setdefault(pods.node(pod), []).append(pod)
    return found


def _detach(there: Iterable[Obj], users: dict[str, list[Obj]]) -> Iterable[Action]:
    for attachment in there:
        if attachment["spec"]["nodeName"] not in users and not objects.is_deleting(attachment):
            yield Delete(volumes.ATTACHMENTS, "", objects.name(attachment), uid=objects.uid(attachment))


def _attach(volume: Obj, there: list[Obj], users: dict[str, list[Obj]]) -> Iterable[Action]:
    name, single = objects.name(volume), not volumes.access_modes(volume) & {"ReadWriteMany", "ReadOnlyMany"}
    by_node = {a["spec"]["nodeName"]: a for a in there}
    for node in sorted(users):
        attachment = by_node.get(node)
        if attachment is not None:
            yield from _told(name, attachment, users[node])
        elif single and by_node:
            text = f'Multi-Attach error for volume "{name}" Volume is already exclusively attached to one node'
            for pod in users[node]:
                yield tell(pod, "FailedAttachVolume", f"{text} and can't be attached to another", warning=True)
        else:
            made = _attachment(volume, node)
            by_node[node] = made
            yield Create(volumes.ATTACHMENTS, made, ok_if_exists=True)


def _told(name: str, attachment: Obj, users: list[Obj]) -> Iterable[Action]:
    """What came of it, for those pods that have not begun."""
    failure = objects.get(attachment, "status", "attachError", "message")
    for pod in users:
        if objects.condition_is(pod, "Ready") or pods.phase(pod) != "Pending":
            continue
        if failure:
            text = f'AttachVolume.Attach failed for volume "{name}" : {failure}'
            yield tell(pod, "FailedAttachVolume", text, warning=True)
        elif objects.get(attachment, "status", "attached"):
            yield tell(pod, "SuccessfulAttachVolume", f'AttachVolume.Attach succeeded for volume "{name}" ')


def _attachment(volume: Obj, node: str) -> Obj:
    source = volume["spec"]["csi"]
    name = volumes.attachment_name(source["volumeHandle"], source["driver"], node)
    spec = {"attacher": source["driver"], "nodeName": node, "source": {"persistentVolumeName": objects.name(volume)}}
    return {
        "apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttachment", "metadata": {"name": name}, "spec": spec,
        "status": {"attached": False},
    }  # fmt: skip


def _volume_name(attachment: Obj) -> str:
    return str(objects.get(attachment, "spec", "source", "persistentVolumeName", default=""))


def _of_pod(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    """A pod that comes to a node, ends or goes wakes the volumes of its claims."""
    if old is not None and new is not None and (pods.node(old), pods.phase(old)) == (pods.node(new), pods.phase(new)):
        return ()
    pod = new or old or {}
    named = volumes.claims_of(pod) if pods.node(pod) else {}
    claims = (snapshot.get(volumes.CLAIMS, objects.namespace(pod), name) for name in named.values())
    return [Key("", found["spec"]["volumeName"]) for found in claims if found and found["spec"].get("volumeName")]


def _of_volume(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    volume = new or old or {}
    changed = new is None or old is None or volumes.claim_ref(old) != volumes.claim_ref(new)
    return (keys.of(volume),) if changed and objects.get(volume, "spec", "csi") else ()


def _of_attachment(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    return (Key("", _volume_name(new or old or {})),)


def _of_claim(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    return ()


CONTROLLER: Final = Controller(
    name="attachdetach-controller",
    service_account="attachdetach-controller",
    inputs=(
        Input("pods", _of_pod),
        Input(volumes.CLAIMS, _of_claim),
        Input(volumes.VOLUMES, _of_volume),
        Input(volumes.CSI_DRIVERS, _of_claim),
        Input(volumes.ATTACHMENTS, _of_attachment),
    ),
    outputs=(Output(volumes.ATTACHMENTS, ("create", "delete")),),
    plan=plan,
    workers=1,
)
