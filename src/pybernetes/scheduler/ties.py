"""What a pod asks about other pods: affinity, anti-affinity, and how evenly it wants to be spread. Pure.

Rule 1: a term looks at the namespaces that it lists or selects, and at the pod's own where it says neither.
Rule 2: terms are values, so that all pods of one template share theirs (``snapshot.py`` counts by them).
Neighbours: ``podinfo.py`` keeps a pod's; ``plugins/podaffinity.py`` and ``plugins/spread.py`` decide by them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from pybernetes.meta import objects, selectors
from pybernetes.meta.objects import Obj
from pybernetes.meta.selectors import LabelSelector, Requirement

REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"
_DEFAULTS: Final = (("kubernetes.io/hostname", 3), ("topology.kubernetes.io/zone", 5))
_SPREAD_KINDS: Final = ("ReplicaSet", "ReplicationController", "StatefulSet")
_IDENTITY: Final = ("statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index")
NamespaceLabels: TypeAlias = Mapping[str, Mapping[str, str]]


class Term(NamedTuple):
    topology_key: str
    namespaces: frozenset[str]
    namespace_selector: LabelSelector
    selector: LabelSelector

    def matches(self, namespace: str, labels: Mapping[str, str], known: NamespaceLabels) -> bool:
        """Is a pod with these labels in this namespace meant?"""
        seen = namespace in self.namespaces or self.namespace_selector.matches(known.get(namespace, {}))
        return seen and self.selector.matches(labels)


class Weighted(NamedTuple):
    weight: int
    """Below zero for anti-affinity."""
    term: Term


class Spread(NamedTuple):
    topology_key: str
    max_skew: int
    is_hard: bool
    selector: LabelSelector
    min_domains: int
    honors_affinity: bool
    honors_taints: bool
    is_default: bool = False
    """Not the pod's own: nodes that lack the label are not left out."""


@dataclass(frozen=True, slots=True)
class Ties:
    affinity: tuple[Term, ...] = ()
    anti_affinity: tuple[Term, ...] = ()
    preferred: tuple[Weighted, ...] = ()
    spread: tuple[Spread, ...] = ()


NONE: Final = Ties()


def of(pod: Obj) -> Ties:
    """A pod's ties to others."""
    spec = objects.get(pod, "spec", default={})
    affinity = spec.get("affinity") or {}
    to, away = affinity.get("podAffinity") or {}, affinity.get("podAntiAffinity") or {}
    constraints = spec.get("topologySpreadConstraints") or ()
    spread = tuple(_spread(constraint, objects.labels(pod)) for constraint in constraints) or _defaults(pod)
    if not to and not away and not spread:
        return NONE
    namespace = objects.namespace(pod)
    return Ties(
        affinity=tuple(_term(term, namespace) for term in to.get(REQUIRED) or ()),
        anti_affinity=tuple(_term(term, namespace) for term in away.get(REQUIRED) or ()),
        preferred=(*_weighted(to, namespace, 1), *_weighted(away, namespace, -1)),
        spread=spread,
    )


def _weighted(affinity: Obj, namespace: str, sign: int) -> Iterator[Weighted]:
    for preferred in affinity.get(PREFERRED) or ():
        yield Weighted(sign * int(preferred.get("weight") or 0), _term(preferred["podAffinityTerm"], namespace))


def _term(term: Obj, namespace: str) -> Term:
    named, selected = term.get("namespaces") or (), term.get("namespaceSelector")
    own = () if named or selected is not None else (namespace,)
    return Term(
        topology_key=term.get("topologyKey") or "",
        namespaces=frozenset((*named, *own)),
        namespace_selector=selectors.from_label_selector(selected),
        selector=selectors.from_label_selector(term.get("labelSelector")),
    )


def _spread(constraint: Obj, labels: Mapping[str, str]) -> Spread:
    selector = selectors.from_label_selector(constraint.get("labelSelector"))
    return Spread(
        topology_key=constraint.get("topologyKey") or "",
        max_skew=constraint.get("maxSkew") or 1,
        is_hard=constraint.get("whenUnsatisfiable") != "ScheduleAnyway",
        selector=_narrowed(selector, constraint.get("matchLabelKeys") or (), labels),
        min_domains=constraint.get("minDomains") or 1,
        honors_affinity=constraint.get("nodeAffinityPolicy") != "Ignore",
        honors_taints=constraint.get("nodeTaintsPolicy") == "Honor",
    )


def _defaults(pod: Obj) -> tuple[Spread, ...]:
    """The constraints of a pod that states none but is one of several alike: those of its owner are the pods with its
    own labels, but for the labels by which a set tells its pods apart (upstream's System defaults, KEP-1258)."""
    owner = objects.controller_of(pod)
    if owner is None or owner.get("kind") not in _SPREAD_KINDS:
        return ()
    shared = {key: value for key, value in objects.labels(pod).items() if key not in _IDENTITY}
    selector = selectors.from_label_selector({"matchLabels": shared})
    return tuple(Spread(key, skew, False, selector, 1, True, False, True) for key, skew in _DEFAULTS)


def _narrowed(selector: LabelSelector, keys: Iterable[str], labels: Mapping[str, str]) -> LabelSelector:
    """Only pods that have the pod's own values of these labels (KEP-3243)."""
    own = tuple(Requirement(key, "=", (labels[key],)) for key in keys if key in labels)
    return LabelSelector((*selector.requirements, *own), selector.nothing)
