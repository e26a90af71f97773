"""How endpoints are packed into slices so that few slices are written when few endpoints change.

Rule, in this order (k8s.io/endpointslice, reconcileByPortMapping): what is no longer wanted leaves its slice and what
changed is changed there; a slice left empty goes; new endpoints fill the slices that are written anyway, the fullest
first; the rest goes whole into the one other slice that it fills best, or into new ones.
Neighbours: ``endpointslice.py`` and ``endpointslicemirroring.py`` make objects of what is decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

ENDPOINTS_MAX: Final = 100
"""Most endpoints of one slice."""
PortsKey: TypeAlias = frozenset[tuple[Any, ...]]
_Identity: TypeAlias = tuple[Any, ...]


@dataclass(slots=True)
class Packed:
    """What to write: slices to create (their endpoints), to change (name → endpoints) and to delete (names)."""

    created: list[list[Obj]] = field(default_factory=list)
    changed: dict[str, list[Obj]] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    kept: dict[str, list[Obj]] = field(default_factory=dict)
    """Slices that stay as they are."""


def pack(existing: Sequence[Obj], wanted: Iterable[Obj], most: int = ENDPOINTS_MAX) -> Packed:
    """Put ``wanted`` endpoints, all of the same ports, into slices of at most ``most``."""
    missing = {_identity(endpoint): endpoint for endpoint in wanted}
    packed = Packed()
    for each in existing:
        _keep(packed, each, missing)
    waiting = list(missing.values())
    for endpoints in sorted(packed.changed.values(), key=len, reverse=True):
        _fill(endpoints, waiting, most)
    while waiting:
        _fill(_best(packed, len(waiting), most), waiting, most)
    return packed


def ports_key(ports: Iterable[Obj] | None) -> PortsKey:
    """The same for ports in any order; absent and empty fields are the same."""
    return frozenset(
        (port.get("name") or "", port.get("protocol") or "TCP", port.get("port"), port.get("appProtocol"))
        for port in ports or ()
    )


def _keep(packed: Packed, each: Obj, missing: dict[_Identity, Obj]) -> None:
    """Judge one slice that exists; what it holds is no longer missing."""
    before: Sequence[Obj] = each.get("endpoints") or []
    found = (missing.pop(_identity(endpoint), None) for endpoint in before)
    after = [endpoint for endpoint in found if endpoint is not None]
    name = objects.name(each)
    if not after:
        packed.deleted.append(name)
    elif after == before:
        packed.kept[name] = after
    else:
        packed.changed[name] = after


def _fill(endpoints: list[Obj], waiting: list[Obj], most: int) -> None:
    room = max(0, most - len(endpoints))
    endpoints += waiting[:room]
    del waiting[:room]


def _best(packed: Packed, count: int, most: int) -> list[Obj]:
    """The untouched slice that ``count`` more fill best, henceforth a changed one; else a new slice."""
    fitting = {name: endpoints for name, endpoints in packed.kept.items() if len(endpoints) + count <= most}
    if fitting:
        name = max(fitting, key=lambda each: len(fitting[each]))
        packed.changed[name] = packed.kept.pop(name)
        return packed.changed[name]
    packed.created.append([])
    return packed.created[-1]


def _identity(endpoint: Mapping[str, Any]) -> _Identity:
    reference = endpoint.get("targetRef") or {}
    return (*(endpoint.get("addresses") or ()), reference.get("uid") or reference.get("name"))
