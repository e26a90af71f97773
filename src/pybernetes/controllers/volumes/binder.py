"""Claims and volumes find each other and part again (pkg/controller/volume/persistentvolume). Pure.

Theory of operation. A key with a namespace is a claim, one without a volume; both are planned from the caches alone and
each plan goes as far as it can. A claim looks for a volume, names it and is named by it; a volume follows its claim,
and is given back to its policy when that is gone. Two claims that want the same volume both try to write its
``claimRef``; the API takes one, and the other looks again.
Neighbours: ``actions.py`` has the writes, ``wake.py`` who is woken, ``reclaim.py`` what comes after a claim,
``provisioner.py`` makes volumes of our own class, ``scheduler/plugins/volumes.py`` binds what waits for a pod.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pybernetes.control.actions import Action, Plan, Update
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot
from pybernetes.controllers.volumes import actions, reclaim, wake
from pybernetes.controllers.volumes.actions import tell
from pybernetes.meta import objects, times, volumes
from pybernetes.meta.objects import Obj

_LOST: Final = "Data on the volume is lost!"
_EXTERNAL: Final = (
    "Waiting for a volume to be created either by the external provisioner '{}' or manually by the system"
    " administrator. If volume creation is delayed, please verify that the provisioner is running and correctly"
    " registered."
)


def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
    """``key`` names a claim, or a volume where it has no namespace."""
    if key.namespace:
        claim = snapshot.get(volumes.CLAIMS, key.namespace, key.name)
        return [] if claim is None else list(_claim(snapshot, claim))
    volume = snapshot.get(volumes.VOLUMES, "", key.name)
    return [] if volume is None else list(_volume(snapshot, volume, times.render(now)))


# ── claims ───────────────────────────────────────────────────────────────────────────────────────────────


def _claim(snapshot: Snapshot, claim: Obj) -> Iterable[Action]:
    if volumes.BIND_COMPLETED in objects.annotations(claim):
        return _bound_claim(snapshot, claim)
    if name := objects.get(claim, "spec", "volumeName"):
        return _naming_claim(snapshot, claim, name)
    return _free_claim(snapshot, claim)


def _bound_claim(snapshot: Snapshot, claim: Obj) -> Iterable[Action]:
    """Bound before: its volume must still be its own."""
    name = objects.get(claim, "spec", "volumeName")
    if not name:
        return _lost(claim, "ClaimLost", f"Bound claim has lost reference to PersistentVolume. {_LOST}")
    volume = snapshot.get(volumes.VOLUMES, "", name)
    if volume is None:
        return _lost(claim, "ClaimLost", f"Bound claim has lost its PersistentVolume. {_LOST}")
    ref = volumes.claim_ref(volume)
    if ref and ref.get("uid") != objects.uid(claim) and not volumes.is_for(volume, claim):
        text = "Two claims are bound to the same volume, this one is bound incorrectly"
        return _lost(claim, "ClaimMisbound", text)
    return actions.bind(volume, claim)


def _lost(claim: Obj, reason: str, message: str) -> Iterable[Action]:
    if volumes.phase(claim) != "Lost":
        yield from actions.claim_status(claim, {"phase": "Lost", "accessModes": None, "capacity": None})
        yield tell(claim, reason, message, warning=True)


def _naming_claim(snapshot: Snapshot, claim: Obj, name: str) -> Iterable[Action]:
    """Its author asks for one volume and no other."""
    volume = snapshot.get(volumes.VOLUMES, "", name)
    if volume is None:
        return _pending(claim)
    if not volumes.claim_ref(volume):
        if why := volumes.mismatch(claim, volume):
            text = f'Cannot bind to requested volume "{name}": {why}'
            return (tell(claim, "VolumeMismatch", text, warning=True), *_pending(claim))
        return actions.bind(volume, claim)
    return actions.bind(volume, claim) if volumes.is_for(volume, claim) else _pending(claim)


def _pending(claim: Obj) -> Iterable[Action]:
    return actions.claim_status(claim, {"phase": "Pending", "accessModes": None, "capacity": None})


def _free_claim(snapshot: Snapshot, claim: Obj) -> Iterable[Action]:
    storage_class = snapshot.get(volumes.CLASSES, "", volumes.class_of(claim))
    waits = volumes.waits_for_consumer(storage_class)
    volume = volumes.find(claim, snapshot.list(volumes.VOLUMES), only_named=waits)
    if volume is not None:
        yield from actions.bind(volume, claim)
        return
    yield from _pending(claim)
    if _without_class(claim) and (default := volumes.default_class(snapshot.list(volumes.CLASSES))):
        yield Update(volumes.CLAIMS, objects.evolve(claim, ("spec", "storageClassName"), objects.name(default)))
    elif waits and volumes.SELECTED_NODE not in objects.annotations(claim):
        yield _waiting(snapshot, claim)
    elif volumes.class_of(claim):
        yield from _provision(claim, storage_class)
    else:
        text = "no persistent volumes available for this claim and no storage class is set"
        yield tell(claim, "FailedBinding", text)


def _without_class(claim: Obj) -> bool:
    """Did its author leave the class open? A class of "" is a choice."""
    return claim["spec"].get("storageClassName") is None and volumes.CLASS_BETA not in objects.annotations(claim)


def _waiting(snapshot: Snapshot, claim: Obj) -> Action:
    names = [
        objects.name(pod)
        for pod in snapshot.list("pods", objects.namespace(claim))
        if objects.name(claim) in volumes.claims_of(pod).values() and not objects.get(pod, "spec", "nodeName")
    ]
    if not names:
        text = "waiting for first consumer to be created before binding"
        return tell(claim, "WaitForFirstConsumer", text)
    several = "pods" if len(names) > 1 else "pod"
    return tell(claim, "WaitForPodScheduled", f"waiting for {several} {','.join(sorted(names))} to be scheduled")


def _provision(claim: Obj, storage_class: Obj | None) -> Iterable[Action]:
    if storage_class is None:
        text = f'storageclass.storage.k8s.io "{volumes.class_of(claim)}" not found'
        yield tell(claim, "ProvisioningFailed", text, warning=True)
        return
    provisioner = storage_class["provisioner"]
    if provisioner.startswith("kubernetes.io/"):
        text = f"no volume plugin matched name: {provisioner}"
        yield tell(claim, "ProvisioningFailed", text, warning=True)
        return
    if objects.annotations(claim).get(volumes.STORAGE_PROVISIONER) != provisioner:
        marks = dict.fromkeys((volumes.STORAGE_PROVISIONER, volumes.STORAGE_PROVISIONER_BETA), provisioner)
        marked = objects.evolve(claim, ("metadata", "annotations"), {**objects.annotations(claim), **marks})
        yield Update(volumes.CLAIMS, marked)
        yield tell(claim, "ExternalProvisioning", _EXTERNAL.format(provisioner))


# ── volumes ──────────────────────────────────────────────────────────────────────────────────────────────


def _volume(snapshot: Snapshot, volume: Obj, now: str) -> Iterable[Action]:
    ref = volumes.claim_ref(volume)
    if not ref.get("uid"):
        return actions.volume_phase(volume, "Available", now)
    claim = snapshot.get(volumes.CLAIMS, ref.get("namespace", ""), ref.get("name", ""))
    if claim is None or objects.uid(claim) != ref["uid"]:
        return reclaim.ask(volume, now)
    bound_to = objects.get(claim, "spec", "volumeName")
    if bound_to == objects.name(volume):
        return actions.volume_phase(volume, "Bound", now)
    if not bound_to:
        return _binding(volume, claim)
    if volumes.PROVISIONED_BY in objects.annotations(volume) and reclaim.policy(volume) == "Delete":
        return reclaim.ask(volume, now)
    return actions.unbind(volume)


def _binding(volume: Obj, claim: Obj) -> Iterable[Action]:
    """The claim's own plan goes on from here, unless the two do not go together."""
    if volumes.mode(volume) != volumes.mode(claim):
        name, other = objects.name(volume), f"{objects.namespace(claim)}/{objects.name(claim)}"
        text = "due to incompatible volumeMode."
        first = f'Cannot bind PersistentVolume to requested PersistentVolumeClaim "{other}" {text}'
        yield tell(volume, "VolumeMismatch", first, warning=True)
        second = f'Cannot bind PersistentVolume "{name}" to requested PersistentVolumeClaim "{other}" {text}'
        yield tell(claim, "VolumeMismatch", second, warning=True)


CONTROLLER: Final = Controller(
    name="persistentvolume-controller",
    service_account="persistent-volume-binder",
    inputs=(
        Input(volumes.CLAIMS, wake.by_claim),
        Input(volumes.VOLUMES, wake.by_volume),
        Input(volumes.CLASSES, wake.by_class),
        Input("pods", wake.nobody),
    ),
    outputs=(
        Output(volumes.CLAIMS, ("update",)),
        Output(f"{volumes.CLAIMS}/status", ("patch",)),
        Output(volumes.VOLUMES, ("update", "delete")),
        Output(f"{volumes.VOLUMES}/status", ("patch",)),
    ),
    plan=plan,
)
