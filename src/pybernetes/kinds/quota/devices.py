"""ResourceClaims: how many, and how many devices of each class they ask for at most
(core.resourceClaimEvaluator).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pybernetes.kinds.quota import amounts
from pybernetes.kinds.quota.amounts import Amount, Amounts
from pybernetes.kinds.quota.evaluator import Evaluator
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

_COUNT: Final = "count/resourceclaims.resource.k8s.io"
_OF_CLASS: Final = ".deviceclass.resource.k8s.io/devices"
_ALL_DEVICES: Final = 32
"""A claim holds no more devices, so ``All`` may be so many (resourceapi.AllocationResultsMaxSize)."""


def usage(claim: Obj, now: float) -> Amounts:
    """What a claim counts for; of alternatives the greatest of each class."""
    found: dict[str, Amount] = {_COUNT: amounts.ONE}
    for request in objects.get(claim, "spec", "devices", "requests", default=()):
        most: Amounts = {}
        for exact in _alternatives(request):
            if name := exact.get("deviceClassName"):
                most = amounts.greatest(most, {name + _OF_CLASS: Amount(_number(exact))})
        found = amounts.add(found, most)
    return found


def _alternatives(request: Obj) -> Iterator[Obj]:
    if request.get("exactly"):
        yield request["exactly"]
    yield from request.get("firstAvailable") or ()


def _number(exact: Obj) -> int:
    return _ALL_DEVICES if exact.get("allocationMode") == "All" else int(exact.get("count") or 1)


def covers(name: str) -> bool:
    return name == _COUNT or name.endswith(_OF_CLASS)


EVALUATOR: Final = Evaluator(group="resource.k8s.io", plural="resourceclaims", usage=usage, covers=covers)
