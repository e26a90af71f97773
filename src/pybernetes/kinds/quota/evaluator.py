"""How one resource counts against quotas: what an object uses, which names of a quota that concerns, and its scopes.

Sources: apiserver/pkg/quota/v1 (Evaluator), pkg/quota/v1/evaluator/core.
Neighbours: ``pods.py``, ``services.py``, ``claims.py`` and ``devices.py`` have the resources that count in a way of
their own, ``table.py`` finds the evaluator of any resource.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pybernetes.kinds.quota import amounts
from pybernetes.kinds.quota.amounts import Amounts
from pybernetes.meta.objects import Obj


def _no_scope(term: Obj, obj: Obj) -> bool:
    return False


def _nothing_required(names: Iterable[str], obj: Obj) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluator:
    group: str
    plural: str
    usage: Callable[[Obj, float], Amounts]
    """(object, now in Unix seconds) → what it uses."""
    covers: Callable[[str], bool]
    """Is this name of a quota's ``hard`` one that objects of this resource use?"""
    in_scope: Callable[[Obj, Obj], bool] = _no_scope
    """(term of a quota's scopes, object) → does the term select it? Most resources know no scope."""
    lacking: Callable[[Iterable[str], Obj], str] = _nothing_required
    """(names that a quota counts, object) → why the object must say more; empty where it says enough."""
    doors: tuple[tuple[str, str], ...] = (("create", ""),)
    """(verb, subresource) of the writes that may change what is used."""

    def matches(self, quota: Obj, obj: Obj) -> bool:
        """Does the quota count this object?"""
        return self.concerns(quota) and all(self.in_scope(term, obj) for term in terms(quota))

    def concerns(self, quota: Obj) -> bool:
        """Does the quota count anything of this resource?"""
        return any(map(self.covers, hard(quota)))


def hard(quota: Obj) -> Obj:
    found: Obj = (quota.get("spec") or {}).get("hard") or {}
    return found


def terms(quota: Obj) -> Sequence[Obj]:
    """A quota's scopes in one form: ``scopeName``, ``operator``, ``values``."""
    spec = quota.get("spec") or {}
    plain = [{"scopeName": scope, "operator": "Exists"} for scope in spec.get("scopes") or ()]
    return [*plain, *((spec.get("scopeSelector") or {}).get("matchExpressions") or ())]


def selects(term: Obj, values: Iterable[str]) -> bool:
    """Does a term select an object that has these values of the scope (ScopedResourceSelectorRequirement)?"""
    found, wanted = set(values), set(term.get("values") or ())
    operator = term.get("operator")
    if operator == "Exists":
        return bool(found)
    if operator == "DoesNotExist":
        return not found
    return bool(found & wanted) if operator == "In" else not found & wanted


def used(quota: Obj, evaluator: Evaluator, found: Iterable[Obj], now: float) -> Amounts:
    """What of a quota the objects of one resource use; zero is told for each name that the resource covers."""
    names = {name for name in hard(quota) if evaluator.covers(name)}
    total: Amounts = dict.fromkeys(names, amounts.ZERO)
    for obj in found:
        if evaluator.matches(quota, obj):
            total = amounts.add(total, amounts.mask(evaluator.usage(obj, now), names))
    return total
