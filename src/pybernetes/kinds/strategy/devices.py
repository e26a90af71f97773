"""``resource.k8s.io``: claims for devices (pkg/apis/resource: defaults; claims do not change once made)."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.kind import Strategy
from pybernetes.kinds.strategy import check, fill
from pybernetes.kinds.strategy.check import Errors
from pybernetes.meta.objects import Obj


def _devices(devices: Obj | None) -> None:
    for request in (devices or {}).get("requests") or ():
        for exact in (request.get("exactly"), *(request.get("firstAvailable") or ())):
            if exact is not None:
                _request(exact)


def _request(request: Obj) -> None:
    fill.zero(request, "allocationMode", "ExactCount")
    if request["allocationMode"] == "ExactCount":
        fill.zero(request, "count", 1)
    for toleration in request.get("tolerations") or ():
        fill.zero(toleration, "operator", "Equal")


def default_claim(obj: Obj) -> None:
    _devices((obj.get("spec") or {}).get("devices"))


def default_template(obj: Obj) -> None:
    default_claim(obj.get("spec") or {})


@check.listed
def validate_spec_update(new: Obj, old: Obj) -> Errors:
    yield from check.immutable(new.get("spec"), old.get("spec"), "spec")


CLAIM: Final = Strategy(default=default_claim, validate_update=validate_spec_update, has_generation=False)
TEMPLATE: Final = Strategy(default=default_template, validate_update=validate_spec_update, has_generation=False)
SLICE: Final = Strategy()
CLASS: Final = Strategy()
