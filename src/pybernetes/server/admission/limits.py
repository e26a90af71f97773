"""What a LimitRange makes of a pod or claim: defaults it fills in, and what it finds wrong. Pure.

Rule: every bound that is broken is told, of all containers together. Sentences are those of
plugin/pkg/admission/limitranger. Neighbour: ``limitranger.py`` asks for the ranges of a write's namespace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from pybernetes.kinds.quota import amounts, podtotals
from pybernetes.kinds.quota.amounts import Amount, Amounts
from pybernetes.meta import quantity
from pybernetes.meta.objects import Obj

ANNOTATION: Final = "kubernetes.io/limit-ranger"
_LISTS: Final = (("containers", "container"), ("initContainers", "init container"))
_RATIO_EXACT_MAX: Final = 1000
"""Greater ratios are compared as whole numbers."""


# ── defaults ─────────────────────────────────────────────────────────────────────────────────────────────


def fill(limit_range: Obj, pod: Obj) -> None:
    """Give the pod's containers what the range has by default, and note that in the pod's annotations."""
    told: list[str] = []
    for item in limit_range["spec"].get("limits") or ():
        if item.get("type") == "Container":
            for key, word in _LISTS:
                for container in pod["spec"].get(key) or ():
                    told += _filled(container, item, word)
    if told:
        annotations = pod["metadata"].get("annotations") or {}
        pod["metadata"]["annotations"] = {**annotations, ANNOTATION: "LimitRanger plugin set: " + "; ".join(told)}


def _filled(container: Obj, item: Obj, word: str) -> Iterator[str]:
    resources: Obj = container.get("resources") or {}
    container["resources"] = resources
    for side, default, single in (("requests", "defaultRequest", "request"), ("limits", "default", "limit")):
        said: Obj = resources.get(side) or {}
        missing = {name: value for name, value in (item.get(default) or {}).items() if name not in said}
        if missing:
            resources[side] = {**said, **missing}
            yield f"{', '.join(sorted(missing))} {single} for {word} {container['name']}"


# ── bounds ───────────────────────────────────────────────────────────────────────────────────────────────

_Judge: TypeAlias = Callable[[str, Amount, Amount | None, Amount | None], Iterator[str]]
"""(``memory usage per Container``, the bound, the request, the limit) → what is wrong."""


def pod_complaints(limit_range: Obj, pod: Obj) -> Iterator[str]:
    """What in a pod breaks the range."""
    spec = pod["spec"]
    for item in limit_range["spec"].get("limits") or ():
        kind = item.get("type")
        if kind == "Container":
            for key, _ in _LISTS:
                for container in spec.get(key) or ():
                    asked = podtotals.stated(container, "requests")
                    yield from _judged(item, asked, podtotals.stated(container, "limits"), _POD_JUDGES)
        elif kind == "Pod":
            yield from _judged(item, podtotals.total(spec, "requests"), podtotals.total(spec, "limits"), _POD_JUDGES)


def claim_complaints(limit_range: Obj, claim: Obj) -> Iterator[str]:
    """What in a PersistentVolumeClaim breaks the range."""
    for item in limit_range["spec"].get("limits") or ():
        if item.get("type") == "PersistentVolumeClaim":
            yield from _judged(item, podtotals.stated(claim["spec"], "requests"), {}, _CLAIM_JUDGES)


def _judged(item: Obj, requests: Amounts, limits: Amounts, judges: dict[str, _Judge]) -> Iterator[str]:
    for bound, judge in judges.items():
        for name, value in amounts.parse(item.get(bound)).items():
            yield from judge(f"{name} {{}} per {item['type']}", value, requests.get(name), limits.get(name))


def _least(what: str, bound: Amount, request: Amount | None, limit: Amount | None) -> Iterator[str]:
    told = f"minimum {what.format('usage')} is {bound}"
    if request is None:
        yield f"{told}.  No request is specified"
    elif request.number < bound.number:
        yield f"{told}, but request is {request}"
    elif limit is not None and limit.number < bound.number:
        yield f"{told}, but limit is {limit}"


def _most(what: str, bound: Amount, request: Amount | None, limit: Amount | None) -> Iterator[str]:
    told = f"maximum {what.format('usage')} is {bound}"
    if limit is None:
        yield f"{told}.  No limit is specified"
    elif limit.number > bound.number:
        yield f"{told}, but limit is {limit}"
    elif request is not None and request.number > bound.number:
        yield f"{told}, but request is {request}"


def _most_asked(what: str, bound: Amount, request: Amount | None, limit: Amount | None) -> Iterator[str]:
    told = f"maximum {what.format('usage')} is {bound}"
    if request is None:
        yield f"{told}.  No request is specified"
    elif request.number > bound.number:
        yield f"{told}, but request is {request}"


def _ratio(what: str, bound: Amount, request: Amount | None, limit: Amount | None) -> Iterator[str]:
    told = f"{what.format('max limit to request ratio')} is {bound}"
    if request is None or not request.number:
        yield f"{told}, but no request is specified or request is 0"
        return
    if limit is None or not limit.number:
        yield f"{told}, but no limit is specified or limit is 0"
        return
    ratio, most = float(limit.number) / float(request.number), float(quantity.value(bound.number))
    if most <= _RATIO_EXACT_MAX:
        ratio, most = ratio * 1000, float(quantity.milli(bound.number))
    if ratio > most:
        yield f"{told}, but provided ratio is {float(limit.number) / float(request.number):f}"


_POD_JUDGES: Final[dict[str, _Judge]] = {"min": _least, "max": _most, "maxLimitRequestRatio": _ratio}
_CLAIM_JUDGES: Final[dict[str, _Judge]] = {"min": _least, "max": _most_asked}
