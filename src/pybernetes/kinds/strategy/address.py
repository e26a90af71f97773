"""IPAddresses and ServiceCIDRs: the ranges from which Services get addresses, and who holds which address."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Final

from pybernetes.kinds.kind import Strategy
from pybernetes.kinds.strategy import check
from pybernetes.kinds.strategy.check import Errors
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj


def validate_address_name(name: str, is_prefix: bool) -> Sequence[str]:
    """The name is the address in its canonical form."""
    if not check.is_ip(name):
        return ("must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",)
    canonical = str(ipaddress.ip_address(name))
    return () if canonical == name else (f'must be in canonical form ("{canonical}")',)


@check.listed
def validate_address(obj: Obj) -> Errors:
    ref = (obj.get("spec") or {}).get("parentRef")
    if ref is None:
        yield errors.required("spec.parentRef")
        return
    for key in ("resource", "name"):
        if not ref.get(key):
            yield errors.required(f"spec.parentRef.{key}")


@check.listed
def validate_address_update(new: Obj, old: Obj) -> Errors:
    before, after = ((obj.get("spec") or {}).get("parentRef") for obj in (old, new))
    yield from check.immutable(after, before, "spec.parentRef")


ADDRESS: Final = Strategy(
    validate_name=validate_address_name,
    validate=validate_address,
    validate_update=validate_address_update,
    generation=lambda new, old: False,
)


@check.listed
def validate_cidr(obj: Obj) -> Errors:
    """One range per family at most."""
    cidrs = (obj.get("spec") or {}).get("cidrs") or []
    if not cidrs:
        yield errors.required("spec.cidrs", "at least one CIDR required")
    elif len(cidrs) > 2:
        yield errors.invalid("spec.cidrs", cidrs, "may only hold up to 2 values")
    for value, at in check.each(cidrs, "spec.cidrs"):
        yield from check.cidr(value, at)
    families = {ipaddress.ip_network(value, strict=False).version for value in cidrs if check.is_cidr(value)}
    if len(cidrs) == 2 and len(families) == 1:
        text = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64"
        yield errors.invalid("spec.cidrs", cidrs, text)


@check.listed
def validate_cidr_update(new: Obj, old: Obj) -> Errors:
    before, after = ((obj.get("spec") or {}).get("cidrs") for obj in (old, new))
    yield from check.immutable(after, before, "spec.cidrs")


CIDR: Final = Strategy(validate=validate_cidr, validate_update=validate_cidr_update, generation=lambda new, old: False)
