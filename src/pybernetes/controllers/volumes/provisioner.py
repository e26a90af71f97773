"""Volumes of the class that every cluster has: made for a claim on one node, and taken back. Pure.

Theory of operation. The binder marks a claim as ours to serve. Its node is the one that the scheduler has selected, or,
where the class does not wait for a pod, the one with the fewest of our volumes. The volume is only told here: the
node's agent makes the data when the first pod mounts it (``node/volumes/local.py``), and removes them, then the
finalizer, when the volume is deleted. A simulated node keeps no data, so its volumes have no such finalizer.
Neighbours: ``binder.py`` marks claims and binds what is made, ``reclaim.py`` says when a claim is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pybernetes.control.actions import Action, Create, Delete, Event, Plan, Update
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot, own_key
from pybernetes.controllers import keys
from pybernetes.controllers.volumes import reclaim
from pybernetes.controllers.volumes.actions import tell
from pybernetes.meta import objects, volumes
from pybernetes.meta.objects import Obj

HOSTNAME: Final = "kubernetes.io/hostname"
_NOWHERE: Final = "/var/lib/pybernetes/volumes"
"""Where a simulated node would keep them."""


def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
    """``key`` names a claim, or a volume where it has no namespace."""
    if key.namespace:
        claim = snapshot.get(volumes.CLAIMS, key.namespace, key.name)
        return list(_serve(snapshot, claim)) if claim is not None and is_asked(claim) else []
    volume = snapshot.get(volumes.VOLUMES, "", key.name)
    return list(_end(snapshot, volume)) if volume is not None and is_ours(volume) else []


def is_ours(volume: Obj) -> bool:
    return objects.annotations(volume).get(volumes.PROVISIONED_BY) == volumes.LOCAL_PROVISIONER


def is_asked(claim: Obj) -> bool:
    """Does a claim wait for a volume of ours?"""
    asked = objects.annotations(claim).get(volumes.STORAGE_PROVISIONER) == volumes.LOCAL_PROVISIONER
    return asked and not objects.get(claim, "spec", "volumeName") and not objects.is_deleting(claim)


def _serve(snapshot: Snapshot, claim: Obj) -> Iterable[Action]:
    name = f"pvc-{objects.uid(claim)}"
    storage_class = snapshot.get(volumes.CLASSES, "", volumes.class_of(claim))
    if storage_class is None or snapshot.get(volumes.VOLUMES, "", name) is not None:
        return
    if why := volumes.not_made(claim):
        text = f'failed to provision volume with StorageClass "{objects.name(storage_class)}": {why}'
        yield tell(claim, "ProvisioningFailed", text, warning=True)
        return
    node = _node(snapshot, claim, storage_class)
    if node is None:
        yield from _elsewhere(claim)
        return
    csi_node = snapshot.get(volumes.CSI_NODES, "", objects.name(node))
    if csi_node is None and not _is_simulated(node):
        return  # its agent has yet to say where it keeps volumes, which wakes us
    whose = f"{objects.namespace(claim)}/{objects.name(claim)}"
    yield tell(claim, "Provisioning", f'External provisioner is provisioning volume for claim "{whose}"')
    yield Create(
        volumes.VOLUMES, volume(name, claim, storage_class, node, csi_node), ok_if_exists=True,
        event=Event(claim, "Normal", "ProvisioningSucceeded", f"Successfully provisioned volume {name}"),
    )  # fmt: skip


def _node(snapshot: Snapshot, claim: Obj, storage_class: Obj) -> Obj | None:
    if volumes.waits_for_consumer(storage_class):
        return snapshot.get("nodes", "", objects.annotations(claim).get(volumes.SELECTED_NODE, ""))
    ready = [
        n for n in snapshot.list("nodes") if objects.condition_is(n, "Ready") and not n["spec"].get("unschedulable")
    ]
    held = [_node_name(v) for v in snapshot.list(volumes.VOLUMES) if is_ours(v)]
    return min(ready, key=lambda n: (held.count(_hostname(n)), objects.name(n)), default=None)


def _elsewhere(claim: Obj) -> Iterable[Action]:
    """The selected node is gone: the scheduler shall select another."""
    if volumes.SELECTED_NODE in objects.annotations(claim):
        yield Update(volumes.CLAIMS, objects.without(claim, ("metadata", "annotations", volumes.SELECTED_NODE)))


def volume(name: str, claim: Obj, storage_class: Obj, node: Obj, csi_node: Obj | None) -> Obj:
    """A volume of a claim on a node. ``csi_node`` tells where a real node keeps it."""
    root = objects.annotations(csi_node or {}).get(volumes.LOCAL_ROOT, "")
    metadata: Obj = {"name": name, "annotations": {volumes.PROVISIONED_BY: volumes.LOCAL_PROVISIONER}}
    if root:
        metadata["finalizers"] = [volumes.LOCAL_DATA]
    spec: Obj = {
        "capacity": {"storage": objects.get(claim, "spec", "resources", "requests", "storage")},
        "accessModes": objects.get(claim, "spec", "accessModes"),
        "volumeMode": volumes.mode(claim),
        "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
        "storageClassName": objects.name(storage_class),
        "local": {"path": f"{root or _NOWHERE}/{name}"},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [_at(node)]}]}},
        "claimRef": {
            "kind": "PersistentVolumeClaim", "apiVersion": "v1", "namespace": objects.namespace(claim),
            "name": objects.name(claim), "uid": objects.uid(claim),
        },
    }  # fmt: skip
    if storage_class.get("mountOptions"):
        spec["mountOptions"] = storage_class["mountOptions"]
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata, "spec": spec}


def _at(node: Obj) -> Obj:
    return {"key": HOSTNAME, "operator": "In", "values": [_hostname(node)]}


def _hostname(node: Obj) -> str:
    return objects.labels(node).get(HOSTNAME) or objects.name(node)


def _is_simulated(node: Obj) -> bool:
    return objects.labels(node).get("pybernetes.io/simulated") == "true"


def _node_name(volume: Obj) -> str:
    """The host name of the node that a volume of ours is on."""
    terms: Sequence[Obj] = objects.get(volume, "spec", "nodeAffinity", "required", "nodeSelectorTerms", default=())
    wanted = (e for term in terms for e in term.get("matchExpressions") or () if e.get("key") == HOSTNAME)
    return next((e["values"][0] for e in wanted if e.get("values")), "")


def _end(snapshot: Snapshot, volume: Obj) -> Iterable[Action]:
    """A volume whose claim is gone goes too; one whose node is gone has no data left that anybody could remove."""
    if volumes.phase(volume) == "Released" and reclaim.policy(volume) == "Delete" and not objects.is_deleting(volume):
        yield Delete(volumes.VOLUMES, "", objects.name(volume), uid=objects.uid(volume))
    held = objects.finalizers(volume)
    if objects.is_deleting(volume) and volumes.LOCAL_DATA in held and not _has_node(snapshot, volume):
        left = [each for each in held if each != volumes.LOCAL_DATA]
        yield Update(volumes.VOLUMES, objects.evolve(volume, ("metadata", "finalizers"), left))


def _has_node(snapshot: Snapshot, volume: Obj) -> bool:
    name = _node_name(volume)
    return any(_hostname(node) == name for node in snapshot.list("nodes"))


def _of_node(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    """A node that comes may be what an immediate claim waits for; one that goes takes its data along."""
    if new is None:
        return [keys.of(v) for v in snapshot.list(volumes.VOLUMES) if objects.is_deleting(v) and is_ours(v)]
    if old is not None and objects.condition_is(old, "Ready") == objects.condition_is(new, "Ready"):
        return ()
    return [keys.of(claim) for claim in snapshot.list(volumes.CLAIMS) if is_asked(claim)]


def _of_csi_node(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    """A node says where it keeps volumes: claims may have waited for that."""
    if new is None or old is not None:
        return ()
    return [keys.of(claim) for claim in snapshot.list(volumes.CLAIMS) if is_asked(claim)]


def _nobody(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    return ()


CONTROLLER: Final = Controller(
    name=volumes.LOCAL_PROVISIONER,
    service_account="local-volume-provisioner",
    inputs=(
        Input(volumes.CLAIMS, own_key),
        Input(volumes.VOLUMES, own_key),
        Input(volumes.CLASSES, _nobody),
        Input(volumes.CSI_NODES, _of_csi_node),
        Input("nodes", _of_node),
    ),
    outputs=(
        Output(volumes.VOLUMES, ("create", "delete", "update")),
        Output(volumes.CLAIMS, ("update",)),
    ),
    plan=plan,
)
