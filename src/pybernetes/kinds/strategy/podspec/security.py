"""Security contexts of pods and containers (validation.ValidateSecurityContext, ValidatePodSecurityContext)."""

from __future__ import annotations

import re
from typing import Final

from pybernetes.kinds.strategy import check
from pybernetes.kinds.strategy.check import Errors
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj

_SYSCTL_SEGMENT: Final = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_SYSCTL: Final = f"({_SYSCTL_SEGMENT}[\\./])*{_SYSCTL_SEGMENT}"
_SYSCTL_RE: Final = re.compile(f"^{_SYSCTL}$")
_SYSCTL_MAX: Final = 253
_PROFILES: Final = ("Localhost", "RuntimeDefault", "Unconfined")


def _ids(context: Obj, path: str, *keys: str) -> Errors:
    for key in keys:
        yield from check.between(context.get(key), f"{path}.{key}", 0, check.INT32_MAX)


def _profile(profile: Obj | None, path: str) -> Errors:
    """seccompProfile and appArmorProfile."""
    if profile is None:
        return
    kind, localhost = profile.get("type"), profile.get("localhostProfile")
    if not kind:
        yield errors.required(
            f"{path}.type", "type is required when seccompProfile is set" if "seccomp" in path else ""
        )
    elif kind not in _PROFILES:
        yield errors.not_supported(f"{path}.type", kind, _PROFILES)
    elif kind == "Localhost" and not localhost:
        yield errors.required(f"{path}.localhostProfile", "must be set when seccomp type is Localhost")
    elif kind != "Localhost" and localhost is not None:
        yield errors.invalid(f"{path}.localhostProfile", localhost, "can only be set when seccomp type is Localhost")


def container(context: Obj | None, path: str) -> Errors:
    """``securityContext`` of a container."""
    if not context:
        return
    yield from _ids(context, path, "runAsUser", "runAsGroup")
    yield from check.one_of(context.get("procMount"), f"{path}.procMount", ("Default", "Unmasked"), required=False)
    yield from _profile(context.get("seccompProfile"), f"{path}.seccompProfile")
    yield from _profile(context.get("appArmorProfile"), f"{path}.appArmorProfile")
    if context.get("allowPrivilegeEscalation") is False:
        yield from _no_escalation(context, path)


def _no_escalation(context: Obj, path: str) -> Errors:
    if context.get("privileged"):
        yield errors.invalid(path, context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true")
    if "CAP_SYS_ADMIN" in ((context.get("capabilities") or {}).get("add") or ()):
        text = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
        yield errors.invalid(path, context, text)


def pod(spec: Obj, path: str) -> Errors:
    """``securityContext`` of a pod."""
    at = f"{path}.securityContext"
    context = spec.get("securityContext") or {}
    yield from _ids(context, at, "fsGroup", "runAsUser", "runAsGroup")
    for group, where in check.each(context.get("supplementalGroups"), f"{at}.supplementalGroups"):
        yield from check.between(group, where, 0, check.INT32_MAX)
    for sysctl, where in check.each(context.get("sysctls"), f"{at}.sysctls"):
        yield from _sysctl(sysctl.get("name") or "", f"{where}.name")
    policy = context.get("fsGroupChangePolicy")
    yield from check.one_of(policy, f"{at}.fsGroupChangePolicy", ("Always", "OnRootMismatch"), required=False)
    yield from _profile(context.get("seccompProfile"), f"{at}.seccompProfile")
    yield from _profile(context.get("appArmorProfile"), f"{at}.appArmorProfile")
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        text = "ShareProcessNamespace and HostPID cannot both be enabled"
        yield errors.invalid(f"{path}.shareProcessNamespace", True, text)


def _sysctl(name: str, path: str) -> Errors:
    if not name:
        yield errors.required(path)
    elif len(name) > _SYSCTL_MAX or not _SYSCTL_RE.match(name):
        yield errors.invalid(path, name, f"must have at most {_SYSCTL_MAX} characters and match regex {_SYSCTL}")
