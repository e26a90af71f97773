"""The volume filters: where the volumes of a pod can be reached, found or made.

Rule 1: a claim that is bound keeps the pod to the nodes of its volume. One that is not, and whose class waits for a
        pod, needs a node where a free volume can be reached, or where one can be made; of several claims each needs its
        own.
Rule 2: a claim that is missing, lost, going, or yet to be bound by itself rejects all nodes at once, whatever else may
        be wrong with them.
Rule 3: what only one pod may use (ReadWriteOncePod) rejects all nodes while another pod uses it; on that pod's node
        taking it away would help.
Rule 4: a driver may say how many of its volumes a node can hold.
Source: pkg/scheduler/framework/plugins/{volumebinding,volumerestrictions,volumezone,nodevolumelimits}.
Neighbours: ``scheduler/storage.py`` is what is looked at; ``choose`` tells ``storagewrites.py`` what to write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from pybernetes.meta import objects, volumes
from pybernetes.meta.objects import Obj
from pybernetes.scheduler.columns import Mask
from pybernetes.scheduler.plugins import affinity
from pybernetes.scheduler.plugins.plugin import Rejection, nowhere
from pybernetes.scheduler.podinfo import PodInfo
from pybernetes.scheduler.snapshot import Snapshot
from pybernetes.scheduler.storage import Choice, Storage

IMMEDIATE: Final = "pod has unbound immediate PersistentVolumeClaims"
CONFLICT: Final = "node(s) had volume node affinity conflict"
NONE_TO_BIND: Final = "node(s) didn't find available persistent volumes to bind"
NOT_THERE: Final = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"
IN_USE: Final = "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"
TOO_MANY: Final = "node(s) exceed max volume count"
OTHER_ZONE: Final = "node(s) had no available volume zone"
_ZONES: Final = (
    "topology.kubernetes.io/zone", "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region",
)  # fmt: skip


# ── VolumeBinding ────────────────────────────────────────────────────────────────────────────────────────


def unreachable(snapshot: Snapshot, pod: PodInfo) -> Sequence[Rejection]:
    """Rules 1 and 2."""
    if not pod.claims:
        return ()
    everywhere = ~nowhere(snapshot)
    claims = [(name, snapshot.storage.claim(pod.namespace, name)) for name in pod.claims]
    for name, claim in claims:
        if why := _hopeless(snapshot.storage, pod, name, claim):
            return (Rejection(why, everywhere, whole=True),)
    found = [claim for _, claim in claims if claim is not None]
    bound = [snapshot.storage.volume(c["spec"]["volumeName"]) for c in found if volumes.is_bound(c)]
    rejections = [
        Rejection(CONFLICT, ~_reached(snapshot, [volume for volume in bound if volume is not None])),
        Rejection(NOT_THERE, everywhere if None in bound else nowhere(snapshot)),
        Rejection(NONE_TO_BIND, ~_served(snapshot, [c for c in found if not volumes.is_bound(c)])),
    ]
    return tuple(rejection for rejection in rejections if rejection.nodes.any())


def _hopeless(storage: Storage, pod: PodInfo, name: str, claim: Obj | None) -> str:
    """Why no node at all will do; empty where nodes have a say."""
    told = f'persistentvolumeclaim "{name}"'
    if claim is None:
        own = f"waiting for ephemeral volume controller to create the {told}"
        return own if name in pod.own_claims else f"{told} not found"
    owner = objects.controller_of(claim) or {}
    if name in pod.own_claims and owner.get("uid") != pod.uid:
        return f'PVC "{pod.namespace}/{name}" was not created for pod "{pod}" (pod is not owner)'
    if volumes.phase(claim) == "Lost":
        return f'{told} bound to non-existent persistentvolume "{objects.get(claim, "spec", "volumeName", default="")}"'
    if objects.is_deleting(claim):
        return f"{told} is being deleted"
    waits = volumes.waits_for_consumer(storage.class_of(claim)) and not objects.get(claim, "spec", "volumeName")
    return "" if volumes.is_bound(claim) or waits else IMMEDIATE


def _reached(snapshot: Snapshot, found: Sequence[Obj]) -> Mask:
    """Nodes from which all these volumes can be used."""
    reached = ~nowhere(snapshot)
    for volume in found:
        reached &= _from(snapshot, volume)
    return reached


def _from(snapshot: Snapshot, volume: Obj) -> Mask:
    terms = objects.get(volume, "spec", "nodeAffinity", "required", "nodeSelectorTerms")
    return ~nowhere(snapshot) if terms is None else affinity.any_term(snapshot, terms)


def _served(snapshot: Snapshot, claims: Sequence[Obj]) -> Mask:
    """Nodes where each of these claims can have a volume."""
    served = ~nowhere(snapshot)
    matched = {objects.uid(claim): mask for claim, mask, _ in _matches(snapshot, claims)}
    for claim in claims:
        served &= matched[objects.uid(claim)] | _makes(snapshot, claim)
    return served


def _matches(snapshot: Snapshot, claims: Sequence[Obj]) -> Iterator[tuple[Obj, Mask, Sequence[tuple[Obj, Mask]]]]:
    """For each claim, the smallest first: the nodes where there is a volume for it that no claim before has taken, and
    which volume that is where. All nodes are gone through at once."""
    used: dict[str, Mask] = {}
    for claim in sorted(claims, key=volumes.requested):
        selected = snapshot.storage.selected_node(claim)
        missing, chosen = ~nowhere(snapshot), []
        for volume in () if selected else snapshot.storage.candidates(claim):
            name = objects.name(volume)
            here = _from(snapshot, volume) & missing & ~used.get(name, nowhere(snapshot))
            if here.any():
                used[name] = used.get(name, nowhere(snapshot)) | here
                missing &= ~here
                chosen.append((volume, here))
        yield claim, ~missing, chosen


def _makes(snapshot: Snapshot, claim: Obj) -> Mask:
    """Nodes on which the claim's class can make a volume."""
    storage_class = snapshot.storage.class_of(claim)
    if storage_class is None or storage_class.get("provisioner") == volumes.NO_PROVISIONER:
        return nowhere(snapshot)
    selected = snapshot.storage.selected_node(claim)
    made = affinity.at(snapshot, (selected,)) if selected else ~nowhere(snapshot)
    if topologies := storage_class.get("allowedTopologies"):
        made &= affinity.any_term(snapshot, [_as_term(topology) for topology in topologies])
    return made


def _as_term(topology: Obj) -> Obj:
    return {"matchExpressions": [{**e, "operator": "In"} for e in topology.get("matchLabelExpressions") or ()]}


def choose(snapshot: Snapshot, pod: PodInfo, node_name: str) -> Choice | None:
    """What has to be bound or made for a pod on the node that it got; None where everything is there."""
    found = (snapshot.storage.claim(pod.namespace, name) for name in pod.claims)
    claims = [claim for claim in found if claim is not None and not volumes.is_bound(claim)]
    if not claims:
        return None
    slot, static, provision = snapshot.slots[node_name], [], []
    for claim, _, chosen in _matches(snapshot, claims):
        volume = next((volume for volume, here in chosen if here[slot]), None)
        if volume is None:
            provision.append(claim)
        else:
            static.append((claim, volume))
    return Choice(node_name, tuple(static), tuple(provision))


# ── VolumeRestrictions, VolumeZone, NodeVolumeLimits ──────────────────────────────────────────────────────


def in_use(snapshot: Snapshot, pod: PodInfo) -> Sequence[Rejection]:
    """Rule 3."""
    holders: set[str] = set()
    for name in pod.claims:
        claim = snapshot.storage.claim(pod.namespace, name)
        if claim is not None and "ReadWriteOncePod" in volumes.access_modes(claim):
            holders.update(snapshot.claims.counts.get((pod.namespace, name), ()))
    if not holders:
        return ()
    return (Rejection(IN_USE, ~nowhere(snapshot), hopeless=~affinity.at(snapshot, holders)),)


def too_many(snapshot: Snapshot, pod: PodInfo) -> Sequence[Rejection]:
    """Rule 4."""
    wanted = _handles(snapshot, pod)
    full = nowhere(snapshot)
    for name, limits in snapshot.storage.limits.items() if wanted else ():
        slot = snapshot.slots.get(name)
        if slot is not None:
            used = set().union(*(_handles(snapshot, other) for other in snapshot.pods_on(name)))
            full[slot] = any(_count(used | wanted, driver) > most for driver, most in limits.items())
    return (Rejection(TOO_MANY, full, hopeless=nowhere(snapshot)),) if full.any() else ()


def _handles(snapshot: Snapshot, pod: PodInfo) -> set[tuple[str, str]]:
    """(driver, volume) of the CSI volumes that a pod uses, as far as its claims are bound."""
    found: set[tuple[str, str]] = set()
    for name in pod.claims:
        claim = snapshot.storage.claim(pod.namespace, name)
        volume = snapshot.storage.volume(objects.get(claim, "spec", "volumeName", default=""))
        source = objects.get(volume, "spec", "csi")
        if source:
            found.add((source["driver"], source["volumeHandle"]))
    return found


def _count(handles: set[tuple[str, str]], driver: str) -> int:
    return sum(each == driver for each, _ in handles)


def in_other_zones(snapshot: Snapshot, pod: PodInfo) -> Sequence[Rejection]:
    """Volumes labelled with a zone or region are used there; nodes that tell of neither may be anywhere."""
    wrong = nowhere(snapshot)
    for name in pod.claims:
        claim = snapshot.storage.claim(pod.namespace, name)
        volume = snapshot.storage.volume(objects.get(claim, "spec", "volumeName", default=""))
        if volume is not None:
            wrong |= _elsewhere(snapshot, objects.labels(volume))
    return (Rejection(OTHER_ZONE, wrong),) if wrong.any() else ()


def _elsewhere(snapshot: Snapshot, labels: Mapping[str, str]) -> Mask:
    told, wrong = nowhere(snapshot), nowhere(snapshot)
    for key in _ZONES:
        column = snapshot.labels.get(key)
        if column is not None:
            told |= column.ids(snapshot.count) != 0
        if key in labels:
            wanted = {"key": key, "operator": "In", "values": labels[key].split("__")}
            wrong |= ~affinity.any_term(snapshot, [{"matchExpressions": [wanted]}])
    return np.logical_and(wrong, told)
