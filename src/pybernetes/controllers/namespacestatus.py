"""What a namespace that is being deleted says of it in its conditions (pkg/controller/namespace/deletion).

Rule: a condition's transition time changes with its status only.
Neighbours: ``namespace.py``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from pybernetes.control.actions import Answer, Plan
from pybernetes.kinds.kind import Kind
from pybernetes.meta import objects, times
from pybernetes.meta.errors import ApiError
from pybernetes.meta.objects import Obj

Then: TypeAlias = Callable[[Sequence[Answer]], Plan]

_WELL: Final[Mapping[str, tuple[str, str]]] = {
    "NamespaceDeletionDiscoveryFailure": ("ResourcesDiscovered", "All resources successfully discovered"),
    "NamespaceDeletionGroupVersionParsingFailure": (
        "ParsedGroupVersions", "All legacy kube types successfully parsed",
    ),
    "NamespaceDeletionContentFailure": (
        "ContentDeleted", "All content successfully deleted, may be waiting on finalization",
    ),
    "NamespaceContentRemaining": ("ContentRemoved", "All content successfully removed"),
    "NamespaceFinalizersRemaining": ("ContentHasNoFinalizers", "All content-preserving finalizers finished"),
}  # fmt: skip
"""type → reason and message while its status is False"""


@dataclass(frozen=True, slots=True)
class Stays:
    """What is left: objects per ``plural.group``, objects per finalizer that keeps them, and refusals."""

    objects: Counter[str] = field(default_factory=Counter)
    finalizers: Counter[str] = field(default_factory=Counter)
    refusals: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not self.objects and not self.refusals


def stays(answers: Iterable[tuple[Kind, Answer]]) -> Stays:
    """Count what the answers to ``DeleteCollection`` hold."""
    found = Stays()
    for kind, answer in answers:
        if isinstance(answer, ApiError):
            found.refusals.append(answer.message)
            continue
        items = (answer or {}).get("items") or ()
        if items:
            found.objects[f"{kind.plural}.{kind.group}"] += len(items)
        found.finalizers.update(finalizer for item in items for finalizer in objects.finalizers(item))
    return found


def conditions(namespace: Obj, stays: Stays, now: float) -> list[Obj]:
    """The namespace's conditions, brought up to date."""
    troubles = dict(_troubles(stays))
    others = [c for c in objects.get(namespace, "status", "conditions", default=[]) if c.get("type") not in _WELL]
    return others + [_condition(namespace, type_, troubles.get(type_), now) for type_ in _WELL]


def _troubles(stays: Stays) -> Iterable[tuple[str, tuple[str, str]]]:
    if stays.refusals:
        told = ", ".join(sorted(set(stays.refusals)))
        text = f"Failed to delete all resource types, {len(stays.refusals)} remaining: {told}"
        yield "NamespaceDeletionContentFailure", ("ContentDeletionFailed", text)
    if stays.objects:
        told = ", ".join(sorted(f"{kind} has {count} resource instances" for kind, count in stays.objects.items()))
        yield "NamespaceContentRemaining", ("SomeResourcesRemain", f"Some resources are remaining: {told}")
    if stays.finalizers:
        told = ", ".join(sorted(f"{name} in {count} resource instances" for name, count in stays.finalizers.items()))
        text = f"Some content in the namespace has finalizers remaining: {told}"
        yield "NamespaceFinalizersRemaining", ("SomeFinalizersRemain", text)


def _condition(namespace: Obj, type_: str, trouble: tuple[str, str] | None, now: float) -> Obj:
    reason, message = trouble or _WELL[type_]
    status = "True" if trouble else "False"
    before = objects.condition(namespace, type_) or {}
    moment = before.get("lastTransitionTime") if before.get("status") == status else times.render(now)
    return {"type": type_, "status": status, "lastTransitionTime": moment, "reason": reason, "message": message}
