"""May a pod be on a node, as its selector, its required affinity and its tolerations say?

Neighbours: ``daemonset`` asks for one node at a time; the scheduler has the same rules over all nodes at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

NO_SCHEDULE: Final = "NoSchedule"
NO_EXECUTE: Final = "NoExecute"


def selects(spec: Obj, node: Obj) -> bool:
    """Do ``nodeSelector`` and one of the required terms, where there are any, fit the node?"""
    labels = objects.labels(node)
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    required = objects.get(spec, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    return required is None or any(_term(term, node) for term in required.get("nodeSelectorTerms") or ())


def _term(term: Obj, node: Obj) -> bool:
    """All of a term must fit; one without any demand fits nothing."""
    expressions, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    if not expressions and not fields:
        return False
    labels, name = objects.labels(node), {"metadata.name": objects.name(node)}
    return all(_fits(each, labels.get(each["key"])) for each in expressions) and all(
        _fits(each, name.get(each["key"])) for each in fields
    )


def _fits(requirement: Obj, found: str | None) -> bool:
    return _OPERATORS[requirement["operator"]](found, requirement.get("values") or ())


def _number(text: str | None) -> int | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


def _is_above(found: str | None, values: Sequence[str]) -> bool:
    left, right = _number(found), _number(values[0])
    return left is not None and right is not None and left > right


def _is_below(found: str | None, values: Sequence[str]) -> bool:
    left, right = _number(found), _number(values[0])
    return left is not None and right is not None and left < right


_OPERATORS: Final[dict[str, Callable[[str | None, Sequence[str]], bool]]] = {
    "In": lambda found, values: found in values,
    "NotIn": lambda found, values: found not in values,
    "Exists": lambda found, values: found is not None,
    "DoesNotExist": lambda found, values: found is None,
    "Gt": _is_above,
    "Lt": _is_below,
}


def tolerates(tolerations: Sequence[Obj], node: Obj, effects: Iterable[str]) -> bool:
    """Are all the node's taints of these effects tolerated?"""
    taints = objects.get(node, "spec", "taints", default=[])
    return all(
        any(_tolerates(each, taint) for each in tolerations) for taint in taints if taint.get("effect") in effects
    )


def _tolerates(toleration: Obj, taint: Obj) -> bool:
    effect, key = toleration.get("effect"), toleration.get("key")
    if (effect and effect != taint.get("effect")) or (key and key != taint.get("key")):
        return False
    if (toleration.get("operator") or "Equal") == "Exists":
        return True
    return bool(key) and (toleration.get("value") or "") == (taint.get("value") or "")
