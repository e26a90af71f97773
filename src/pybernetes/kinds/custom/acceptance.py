"""Which names a definition gets, and its conditions: pure, from the definition and all the others.

Rule 1: a name that another resource of the group has already is refused, and what was accepted before stays.
Rule 2: a definition whose names were accepted once is established for good, whatever happens to its names later.
Sources: apiextensions-apiserver/pkg/controller/{status,establish,finalizer}; the sentences are theirs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pybernetes.meta.objects import Obj, evolve, name

ESTABLISHED: Final = "Established"
ACCEPTED: Final = "NamesAccepted"
TERMINATING: Final = "Terminating"
FINALIZER: Final = "customresourcecleanup.apiextensions.k8s.io"
PENDING: Final = (
    "InstanceDeletionPending", "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
)  # fmt: skip
IN_PROGRESS: Final = ("InstanceDeletionInProgress", "CustomResource deletion is in progress")
COMPLETED: Final = ("InstanceDeletionCompleted", "removed all instances")
_REASONS: Final = {
    "plural": "PluralConflict", "singular": "SingularConflict", "shortNames": "ShortNamesConflict",
    "kind": "KindConflict", "listKind": "ListKindConflict",
}  # fmt: skip


def condition(crd: Obj, type_: str) -> Obj | None:
    """A condition of a definition."""
    found = (crd.get("status") or {}).get("conditions") or ()
    return next((one for one in found if one.get("type") == type_), None)


def is_true(crd: Obj, type_: str) -> bool:
    found = condition(crd, type_)
    return found is not None and found.get("status") == "True"


def with_condition(crd: Obj, type_: str, status: bool, told: tuple[str, str], now: str) -> Obj:
    """The definition with a condition; its transition time is kept where the status is."""
    old = condition(crd, type_) or {}
    word = "True" if status else "False"
    since = old.get("lastTransitionTime") if old.get("status") == word else now
    new = {"type": type_, "status": word, "lastTransitionTime": since or now, "reason": told[0], "message": told[1]}
    if old == new:
        return crd
    conditions = (crd.get("status") or {}).get("conditions") or []
    others = [new if one.get("type") == type_ else one for one in conditions]
    return evolve(crd, ("status", "conditions"), others if old else [*others, new])


def judged(crd: Obj, others: Iterable[Obj], now: str) -> Obj:
    """The definition with the names that it gets and the conditions that follow.

    ``others``: all other definitions.
    """
    accepted, conflicts = _names(crd, [one for one in others if one["spec"]["group"] == crd["spec"]["group"]])
    if (crd.get("status") or {}).get("acceptedNames") != accepted:
        crd = evolve(crd, ("status", "acceptedNames"), accepted)
    if conflicts:
        reason = _REASONS[conflicts[0][0]] if len(conflicts) == 1 else "MultipleConflicts"
        message = "; ".join(f'"{used}" is already in use' for _, used in conflicts)
        crd = with_condition(crd, ACCEPTED, False, (reason, message), now)
    else:
        crd = with_condition(crd, ACCEPTED, True, ("NoConflicts", "no conflicts found"), now)
    if is_true(crd, ESTABLISHED):
        return crd
    if is_true(crd, ACCEPTED):
        told = ("InitialNamesAccepted", "the initial names have been accepted")
        return with_condition(crd, ESTABLISHED, True, told, now)
    return with_condition(crd, ESTABLISHED, False, ("NotAccepted", "not all names are accepted"), now)


def _names(crd: Obj, others: list[Obj]) -> tuple[Obj, list[tuple[str, str]]]:
    """(accepted names, conflicts as (which name, what is taken))."""
    wanted, had = crd["spec"]["names"], (crd.get("status") or {}).get("acceptedNames") or {}
    resources, kinds = _taken(others)
    conflicts: list[tuple[str, str]] = []
    accepted: Obj = {"plural": had.get("plural", ""), "kind": had.get("kind", "")}
    for key, taken in (("plural", resources), ("singular", resources), ("kind", kinds), ("listKind", kinds)):
        value = wanted.get(key) or ""
        if value and value in taken:
            conflicts.append((key, value))
            value = had.get(key) or ""
        if value or key in ("plural", "kind"):
            accepted[key] = value
    short = list(wanted.get("shortNames") or ())
    if used := [one for one in short if one in resources]:
        conflicts += [("shortNames", one) for one in used[:1]]
        short = list(had.get("shortNames") or ())
    if short:
        accepted["shortNames"] = short
    if wanted.get("categories"):
        accepted["categories"] = wanted["categories"]
    return accepted, conflicts


def _taken(others: list[Obj]) -> tuple[set[str], set[str]]:
    """(resource names, kind names) that others have been given."""
    resources: set[str] = set()
    kinds: set[str] = set()
    for other in sorted(others, key=name):
        names = (other.get("status") or {}).get("acceptedNames") or {}
        resources |= {names.get("plural", ""), names.get("singular", ""), *(names.get("shortNames") or ())}
        kinds |= {names.get("kind", ""), names.get("listKind", "")}
    return resources - {""}, kinds - {""}


def marked(crd: Obj, now: str) -> Obj:
    """A definition at the moment in which its deletion is asked for: kept until its objects are gone."""
    if FINALIZER in (crd["metadata"].get("finalizers") or ()):
        return crd
    finalizers = [*(crd["metadata"].get("finalizers") or ()), FINALIZER]
    return with_condition(evolve(crd, ("metadata", "finalizers"), finalizers), TERMINATING, True, PENDING, now)


def is_emptied(crd: Obj) -> bool:
    """Is it being deleted, and are its objects gone?"""
    return bool(crd["metadata"].get("deletionTimestamp")) and (
        (condition(crd, TERMINATING) or {}).get("reason") == COMPLETED[0]
    )
