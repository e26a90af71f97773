"""The checks that ``restricted`` adds: what hardened pods do without."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.podsecurity import baseline
from pybernetes.kinds.podsecurity.check import (
    Check,
    Violation,
    containers,
    has_user_namespace,
    is_windows,
    named,
    plural,
    quoted,
    security,
    setters,
)
from pybernetes.meta.objects import Obj

_VOLUMES: Final = frozenset(
    (
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    )
)
_KNOWS_WINDOWS: Final = 25
"""Since this minor version a pod may say that it is for Windows, where these fields mean nothing."""


def privilege_escalation(meta: Obj, spec: Obj, minor: int) -> Violation | None:
    if minor >= _KNOWS_WINDOWS and is_windows(spec):
        return None
    bad = [c["name"] for c in containers(spec) if security(c, "allowPrivilegeEscalation") is not False]
    detail = f"{named(bad)} must set securityContext.allowPrivilegeEscalation=false"
    return Violation("allowPrivilegeEscalation != false", detail) if bad else None


def capabilities(meta: Obj, spec: Obj, minor: int) -> Violation | None:
    if minor >= _KNOWS_WINDOWS and is_windows(spec):
        return None
    keeping, adding, added, told = [], [], set[str](), []
    for container in containers(spec):
        found = security(container, "capabilities") or {}
        if "ALL" not in (found.get("drop") or ()):
            keeping.append(container["name"])
        beyond = set(found.get("add") or ()) - {"NET_BIND_SERVICE"}
        if beyond:
            adding.append(container["name"])
            added |= beyond
    if keeping:
        told.append(f'{named(keeping)} must set securityContext.capabilities.drop=["ALL"]')
    if adding:
        told.append(f"{named(adding)} must not include {quoted(sorted(added))} in securityContext.capabilities.add")
    return Violation("unrestricted capabilities", "; ".join(told)) if told else None


def volumes(meta: Obj, spec: Obj, minor: int) -> Violation | None:
    bad, types = [], set[str]()
    for volume in spec.get("volumes") or ():
        kinds = {key for key, value in volume.items() if key != "name" and value is not None}
        if not kinds & _VOLUMES:
            bad.append(volume["name"])
            types |= kinds or {"unknown"}
    if not bad:
        return None
    uses, word = "uses" if len(bad) == 1 else "use", plural("restricted volume type", types)
    detail = f"{plural('volume', bad)} {quoted(bad)} {uses} {word} {quoted(sorted(types))}"
    return Violation("restricted volume types", detail)


def run_as_non_root(meta: Obj, spec: Obj, minor: int) -> Violation | None:
    if minor >= 34 and has_user_namespace(spec):
        return None
    reason = "runAsNonRoot != true"
    if who := setters(spec, lambda holder: security(holder, "runAsNonRoot") is False):
        return Violation(reason, f"{who} must not set securityContext.runAsNonRoot=false")
    if security(spec, "runAsNonRoot"):
        return None
    silent = [c["name"] for c in containers(spec) if security(c, "runAsNonRoot") is None]
    return Violation(reason, f"pod or {named(silent)} must set securityContext.runAsNonRoot=true") if silent else None


def run_as_user(meta: Obj, spec: Obj, minor: int) -> Violation | None:
    if minor >= 34 and has_user_namespace(spec):
        return None
    who = setters(spec, lambda holder: security(holder, "runAsUser") == 0)
    return Violation("runAsUser=0", f"{who} must not set runAsUser=0") if who else None


def seccomp(meta: Obj, spec: Obj, minor: int) -> Violation | None:
    if minor >= _KNOWS_WINDOWS and is_windows(spec):
        return None
    if (found := baseline.bad_seccomp(spec)) is not None:
        return found
    if security(spec, "seccompProfile") is not None:
        return None
    silent = [c["name"] for c in containers(spec) if security(c, "seccompProfile") is None]
    detail = f'pod or {named(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return Violation("seccompProfile", detail) if silent else None


CHECKS: Final = (
    Check("allowPrivilegeEscalation", privilege_escalation, since=8),
    Check("capabilities_restricted", capabilities, since=22, overrides=("capabilities_baseline",)),
    Check("restrictedVolumes", volumes, overrides=("hostPathVolumes",)),
    Check("runAsNonRoot", run_as_non_root),
    Check("runAsUser", run_as_user, since=23),
    Check("seccompProfile_restricted", seccomp, since=19, overrides=("seccompProfile_baseline",)),
)
