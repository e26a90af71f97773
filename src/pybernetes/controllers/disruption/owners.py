"""How many pods the owners of a budget's pods want.

Rule: a pod's owner is what controls it, or the Deployment above its ReplicaSet. What no cache holds (custom resources)
is asked for its ``scale``; an owner that has none makes the budget fail, in upstream's words.
Neighbours: ``row.py`` asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from pybernetes.control.controller import Snapshot
from pybernetes.kinds.table import KindTable
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

CACHED: Final[Mapping[str, str]] = {
    "ReplicaSet": "replicasets.apps",
    "ReplicationController": "replicationcontrollers",
    "Deployment": "deployments.apps",
    "StatefulSet": "statefulsets.apps",
}
"""Kind → resource of the owners that are watched."""
Reference: TypeAlias = tuple[str, str, str]
"""(apiVersion, kind, name)"""


class NoScale(Exception):
    """It is not known how many pods there should be; the text says why."""


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


def scale_path(kinds: KindTable, namespace: str, reference: Reference) -> str:
    """Where the owner tells its scale. Raises NoScale where its kind has none."""
    api_version, kind, name = reference
    group, _, version = api_version.rpartition("/")
    row = kinds.by_kind(group, version, kind)
    if row is None:
        raise NoScale(f'no matches for kind "{kind}" in version "{api_version}"')
    if "scale" not in row.subresources:
        raise NoScale(f"{row.resource} does not implement the scale subresource")
    root = f"/apis/{row.api_version}" if row.group else f"/api/{row.version}"
    return f"{root}/namespaces/{namespace}/{row.plural}/{name}/scale"
