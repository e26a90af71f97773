"""Claims, volumes and classes as the scheduler sees them, and what decisions under way have taken of them. Pure.

Rule: what a decision takes counts from that moment: a volume for its claim and for no other, a claim that is to be
given a volume only on the node that was chosen. It counts until the pod is bound or its binding has failed; by then the
objects themselves tell it, or nobody needs it.
Neighbours: ``plugins/volumes.py`` decides by this, ``storagewrites.py`` makes it true.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from pybernetes.control.cache import Cache
from pybernetes.meta import objects, volumes
from pybernetes.meta.objects import Obj


def _classes(volume: Obj) -> Iterable[Hashable]:
    return (volumes.class_of(volume),)


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to be written before a pod can be bound to a node."""

    node: str
    static: Sequence[tuple[Obj, Obj]] = ()
    """(claim, volume) of volumes that are there."""
    provision: Sequence[Obj] = ()
    """Claims whose volumes are to be made."""

    def claims(self) -> Iterator[Obj]:
        yield from (claim for claim, _ in self.static)
        yield from self.provision


@dataclass(slots=True)
class Storage:
    """The caches of three informers; empty ones where nobody has storage."""

    claims: Cache = field(default_factory=Cache)
    volumes: Cache = field(default_factory=Cache)
    classes: Cache = field(default_factory=Cache)
    limits: dict[str, dict[str, int]] = field(default_factory=dict)
    """By node: how many volumes each driver there can hold at most, where it says so."""
    _choices: dict[str, Choice] = field(default_factory=dict)
    """By the pod's uid."""

    def claim(self, namespace: str, name: str) -> Obj | None:
        return self.claims.get(namespace, name)

    def volume(self, name: str) -> Obj | None:
        return self.volumes.get("", name)

    def class_of(self, claim: Obj) -> Obj | None:
        return self.classes.get("", volumes.class_of(claim))

    def candidates(self, claim: Obj) -> list[Obj]:
        """Volumes that a claim without one could take, the smallest first; one that is the claim's already stands
        alone."""
        taken = self._taken()
        ours = taken.get(objects.uid(claim))
        found = self.volumes.indexed(_classes, volumes.class_of(claim))
        own = [v for v in found if objects.name(v) == ours or (volumes.claim_ref(v) and volumes.is_for(v, claim))]
        if own:
            return own[:1]
        others = set(taken.values())
        free = (v for v in found if objects.name(v) not in others and volumes.fits(claim, v))
        return sorted(free, key=lambda v: (volumes.capacity(v), objects.name(v)))

    def selected_node(self, claim: Obj) -> str:
        """The node on which the claim's volume is to be made, where that is settled."""
        uid = objects.uid(claim)
        for choice in self._choices.values():
            if any(objects.uid(each) == uid for each in choice.provision):
                return choice.node
        return objects.annotations(claim).get(volumes.SELECTED_NODE, "")

    def limit(self, csi_node: Obj) -> None:
        """A CSINode is new or has changed."""
        drivers = objects.get(csi_node, "spec", "drivers", default=())
        found = {d["name"]: d["allocatable"]["count"] for d in drivers if objects.get(d, "allocatable", "count")}
        self.limits.pop(objects.name(csi_node), None)
        if found:
            self.limits[objects.name(csi_node)] = found

    def assume(self, uid: str, choice: Choice) -> None:
        """A decision about the pod has taken this."""
        self._choices[uid] = choice

    def forget(self, uid: str) -> None:
        self._choices.pop(uid, None)

    def _taken(self) -> dict[str, str]:
        """Claim uid → name of the volume that a decision under way has taken for it."""
        return {objects.uid(c): objects.name(v) for choice in self._choices.values() for c, v in choice.static}
