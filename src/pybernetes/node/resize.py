"""Changing the resources of a running container in place: what differs, whether it fits, and what is told. Pure.

Rule: what a container has is what this agent gave it or, after a restart of the agent, what the API was told of it;
what it is to have stands in the spec. As long as these differ a resize is under way, or pending where there is no room.
Neighbours: ``containerplan.py`` plans it, ``podperform.py`` does it, ``podstatus.py`` and ``containerstatus.py`` tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.node import podspec, qos
from pybernetes.node.podactions import Observed
from pybernetes.node.podnotes import Notes, Room
from pybernetes.node.runtime.port import Container

PENDING: Final = "PodResizePending"
IN_PROGRESS: Final = "PodResizeInProgress"
LOOK_AGAIN_SECONDS: Final = 30.0
"""After which a resize that had to wait may have room."""
_KINDS: Final = ("cpu", "memory")


def applied(pod: Obj, spec: Obj, container: Container, notes: Notes) -> Obj:
    """The resources that a running container has."""
    noted = notes.resources.get(container.id)
    if noted is not None:
        return noted
    reported = podspec.reported_status(pod, spec["name"]) or {}
    if str(reported.get("containerID", "")).endswith(container.id) and reported.get("resources") is not None:
        return reported["resources"]  # type: ignore[no-any-return]
    return spec.get("resources") or {}


def differing(spec: Obj, has: Obj) -> set[str]:
    """Which of ``cpu`` and ``memory`` a container is to have more or less of."""
    wanted = spec.get("resources") or {}
    return {
        kind
        for side in ("requests", "limits")
        for kind in _KINDS
        if _amount(wanted, side, kind) != _amount(has, side, kind)
    }


def needs_restart(spec: Obj, kinds: Iterable[str]) -> bool:
    """Whether a container wants to be restarted for a change of these."""
    policies = {p["resourceName"]: p.get("restartPolicy") for p in spec.get("resizePolicy") or ()}
    return any(policies.get(kind) == "RestartContainer" for kind in kinds)


def changing(pod: Obj, observed: Observed, notes: Notes) -> list[Obj]:
    """The containers that run with other resources than they are to have."""
    return [spec for spec in podspec.all_containers(pod) if _is_changing(pod, spec, observed, notes)]


def _is_changing(pod: Obj, spec: Obj, observed: Observed, notes: Notes) -> bool:
    container = observed.latest(spec["name"])
    running = container is not None and container.state == "running"
    return running and bool(differing(spec, applied(pod, spec, container, notes)))  # type: ignore[arg-type]


def refusal(pod: Obj, room: Room | None) -> tuple[str, str] | None:
    """Why the node cannot give a pod what it is to have now: (reason, message) in the kubelet's words."""
    if room is None:
        return None
    for kind in _KINDS:
        wanted, capacity, used = requested(pod, kind), room.capacity[kind], room.used[kind]
        if wanted > capacity:
            why = f"Node didn't have enough capacity: {kind}, requested: {wanted}, capacity: {capacity}"
            return "Infeasible", why
        if wanted + used > capacity:
            why = f"{kind}, requested: {wanted}, used: {used}, capacity: {capacity}"
            return "Deferred", f"Node didn't have enough resource: {why}"
    return None


def requested(pod: Obj, kind: str) -> int:
    """Milli CPU, or bytes of anything else, that all containers of a pod that run together ask for."""
    read = qos.milli if kind == "cpu" else qos.size
    together = [*podspec.main_containers(pod), *filter(podspec.is_sidecar, podspec.init_containers(pod))]
    return sum(read(qos.requested(c, kind)) for c in together)


def room_for(pod: Obj, others: Iterable[Obj], allocatable: Mapping[str, str]) -> Room:
    """What the node has and what other pods take of it."""
    rest = [o for o in others if objects.uid(o) != objects.uid(pod) and counts(o)]
    return Room(
        {"cpu": qos.milli(allocatable["cpu"]), "memory": qos.size(allocatable["memory"])},
        {kind: sum(requested(o, kind) for o in rest) for kind in _KINDS},
    )


def conditions(pod: Obj, observed: Observed, notes: Notes) -> Iterator[tuple[str, str, str]]:
    """(type, reason, message) of the condition that a resize has at present, if there is one."""
    if changing(pod, observed, notes):
        refused = refusal(pod, notes.room)
        yield (PENDING, *refused) if refused else (IN_PROGRESS, "", notes.resize_error)


def counts(pod: Obj) -> bool:
    """Whether a pod takes room of its node."""
    return objects.get(pod, "status", "phase") not in ("Succeeded", "Failed")


def _amount(resources: Obj, side: str, kind: str) -> int:
    stated = (resources.get(side) or {}).get(kind)
    if stated is None and side == "requests":
        stated = (resources.get("limits") or {}).get(kind)
    return qos.milli(stated) if kind == "cpu" else qos.size(stated)
