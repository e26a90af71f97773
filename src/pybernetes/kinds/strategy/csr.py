"""CertificateSigningRequests (pkg/apis/certificates/validation).

Who asks (``spec.username``, ``uid``, ``groups``, ``extra``) is written by the server, which knows the caller.
"""

from __future__ import annotations

import base64
from typing import Final

from pybernetes.kinds.kind import Strategy
from pybernetes.kinds.strategy import check
from pybernetes.kinds.strategy.check import Errors
from pybernetes.kinds.strategy.ingress import domain_prefixed
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj

_USAGES: Final = (
    "signing", "digital signature", "content commitment", "key encipherment", "key agreement", "data encipherment",
    "cert sign", "crl sign", "encipher only", "decipher only", "any", "server auth", "client auth", "code signing",
    "email protection", "s/mime", "ipsec end system", "ipsec tunnel", "ipsec user", "timestamping", "ocsp signing",
    "microsoft sgc", "netscape sgc",
)  # fmt: skip
_SECONDS_MIN: Final = 600
_PEM: Final = b"-----BEGIN CERTIFICATE REQUEST-----"


def prepare_update(new: Obj, old: Obj) -> None:
    """A request stays as it was asked."""
    new["spec"] = old.get("spec") or {}


@check.listed
def validate(obj: Obj) -> Errors:
    spec = obj.get("spec") or {}
    yield from _request(spec.get("request") or "", "spec.request")
    usages = spec.get("usages") or []
    if not usages:
        yield errors.required("spec.usages")
    for usage, at in check.each(usages, "spec.usages"):
        yield from check.one_of(usage, at, _USAGES)
    yield from check.unique(check.each(usages, "spec.usages"))
    yield from domain_prefixed(spec.get("signerName") or "", "spec.signerName")
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < _SECONDS_MIN:
        text = "may not specify a duration less than 600 seconds (10 minutes)"
        yield errors.invalid("spec.expirationSeconds", seconds, text)


def _request(text: str, path: str) -> Errors:
    if not text:
        yield errors.required(path)
    elif not base64.b64decode(text).lstrip().startswith(_PEM):
        yield errors.invalid(path, text, "PEM block type must be CERTIFICATE REQUEST")


@check.listed
def validate_status_update(new: Obj, old: Obj) -> Errors:
    """Decisions are final: conditions of a decision may not be taken back, nor contradict each other."""
    after, before = ({c.get("type") for c in (obj.get("status") or {}).get("conditions") or ()} for obj in (new, old))
    path = "status.conditions"
    if {"Approved", "Denied"} <= after:
        yield errors.invalid(path, sorted(after), "Approved and Denied conditions are mutually exclusive")
    for kind in ("Approved", "Denied", "Failed"):
        if kind in before and kind not in after:
            yield errors.field_forbidden(path, f"updates may not remove a condition of type {_quoted(kind)}")
    certificates = [(obj.get("status") or {}).get("certificate") for obj in (new, old)]
    if certificates[1] and certificates[0] != certificates[1]:
        text = "updates may not change a previously set certificate"
        yield errors.field_forbidden("status.certificate", text)


def _quoted(word: str) -> str:
    return f'"{word}"'


STRATEGY: Final = Strategy(
    prepare_update=prepare_update,
    validate=validate,
    validate_status_update=validate_status_update,
    has_generation=False,
)
