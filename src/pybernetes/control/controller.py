"""What a controller is: a row of names and two kinds of pure functions. ``control/runner.py`` runs any row.

Theory of operation. Informers keep a cache per input resource. A change is turned into keys by ``Input.keys``;
keys wait in a de-duplicating queue; for each, ``plan(snapshot, key, now)`` looks at the caches and says what to
do; ``control/perform.py`` does it in order and stops at the first failure; a failure or a conflict puts the key back
with back-off. A key is planned again only when the caches have seen what its last performance wrote
(``control/expectations.py``), so a plan never acts twice on the same shortage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from pybernetes.control.actions import Plan
from pybernetes.meta.objects import Obj


@dataclass(frozen=True, slots=True, order=True)
class Key:
    namespace: str
    name: str


class Snapshot(Protocol):
    """Read-only view of the caches. Objects are shared: never change one."""

    def get(self, resource: str, namespace: str, name: str) -> Obj | None: ...

    def list(self, resource: str, namespace: str | None = None) -> Sequence[Obj]:
        """All objects of a resource (in one namespace)."""
        ...

    def owned(self, resource: str, uid: str) -> Sequence[Obj]:
        """Objects with an ownerReference to ``uid``."""
        ...

    def select(self, resource: str, namespace: str, selector: Obj | None) -> Sequence[Obj]:
        """Objects matching a metav1.LabelSelector; None matches nothing, an empty one everything."""
        ...


KeysOf: TypeAlias = Callable[[Snapshot, Obj | None, Obj | None], Iterable[Key]]
"""(snapshot, old, new) → keys to plan. ``old`` is None for an addition, ``new`` is None for a deletion."""


@dataclass(frozen=True, slots=True)
class Input:
    """What a controller watches. The caches of its snapshot are those of its inputs and no others."""

    resource: str
    keys: KeysOf
    fields: str = ""
    """A field selector that narrows it: ``metadata.name=kube-root-ca.crt``."""
    metadata_only: bool = False
    """Names, owners and finalizers are enough: the cache need not hold more."""


@dataclass(frozen=True, slots=True)
class Output:
    """What the controller may do to a resource: becomes its RBAC rule and an edge of the graph in the docs."""

    resource: str
    verbs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    name: str
    """As upstream reports it in events: ``replicaset-controller``."""
    service_account: str = ""
    """kube-system ServiceAccount name whose ClusterRole ``system:controller:<it>`` is derived; default: name."""
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    more: Callable[[], Sequence[Input]] | None = None
    """Inputs that come and go with the table of kinds, beside ``inputs``; asked again whenever it has changed."""
    plan: Callable[[Snapshot, Key, float], Plan]
    """``now`` is Unix seconds."""
    workers: int = 4
    resync_seconds: float = 0
    options: Mapping[str, str] = field(default_factory=dict)


def own_key(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    """The changed object's own key."""
    metadata = (new or old or {}).get("metadata", {})
    return (Key(metadata.get("namespace", ""), metadata.get("name", "")),)
