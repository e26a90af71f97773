"""How many pods the owners of a budget's pods want.

Rule: a pod's owner is what controls it, or the Deployment above its ReplicaSet. What no cache holds (custom resources)
is asked for its ``scale``; an owner that has none makes the budget fail, in upstream's words.
Neighbours: ``row.py`` asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from pybernetes.control.controller import Snapshot
from pybernetes.controllers.scales import NoScale, Reference
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

CACHED: Final[Mapping[str, str]] = {
    "ReplicaSet": "replicasets.apps",
    "ReplicationController": "replicationcontrollers",
    "Deployment": "deployments.apps",
    "StatefulSet": "statefulsets.apps",
}
"""Kind → resource of the owners that are watched."""


def references(snapshot: Snapshot, found: Iterable[Obj]) -> dict[str, Reference]:
    """The owners of pods by their uids."""
    out: dict[str, Reference] = {}
    for pod in found:
        owner = objects.controller_of(pod)
        if owner is not None:
            above = _above(snapshot, objects.namespace(pod), owner)
            out[above["uid"]] = (above.get("apiVersion", ""), above.get("kind", ""), above["name"])
    return out


def unmanaged(found: Iterable[Obj]) -> Sequence[Obj]:
    """Pods that nobody controls."""
    return [pod for pod in found if objects.controller_of(pod) is None]


def _above(snapshot: Snapshot, namespace: str, owner: Obj) -> Obj:
    """The Deployment of a ReplicaSet, or the owner itself."""
    if owner.get("kind") != "ReplicaSet":
        return owner
    found = snapshot.get(CACHED["ReplicaSet"], namespace, owner["name"])
    above = objects.controller_of(found) if found is not None else None
    return above if above is not None and above.get("kind") == "Deployment" else owner


def cached(snapshot: Snapshot, namespace: str, uid: str, reference: Reference) -> int | None:
    """How many pods a watched owner wants; None for one that has to be asked. Raises NoScale for one that is gone."""
    _, kind, name = reference
    if kind not in CACHED:
        return None
    found = snapshot.get(CACHED[kind], namespace, name)
    if found is None or objects.uid(found) != uid:
        raise NoScale(f"found no controller ref for pods of {kind} {name!r}")
    return int(objects.get(found, "spec", "replicas", default=1))
