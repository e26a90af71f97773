"""Security contexts of pod and container as the runtime wants them. Pure.

A container's own settings win over its pod's. Neighbours: ``runconfig.py`` puts the answers into the CRI's messages.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Any, Final

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.node import podspec
from pybernetes.node.environment import ConfigError

# The CRI's NamespaceMode and SecurityProfile.ProfileType.
_POD, _CONTAINER, _NODE, _TARGET = 0, 1, 2, 3
_PROFILES: Final = {"RuntimeDefault": 0, "Unconfined": 1, "Localhost": 2}

MASKED_PATHS: Final = (
    "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
    "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
    "/sys/devices/virtual/powercap",
)  # fmt: skip
READONLY_PATHS: Final = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")


def of_sandbox(pod: Obj) -> Obj:
    """The sandbox's ``LinuxSandboxSecurityContext``."""
    context = objects.get(pod, "spec", "securityContext", default={})
    privileged = any(
        objects.get(c, "securityContext", "privileged", default=False) for c in podspec.all_containers(pod)
    )
    out: Obj = {
        "namespace_options": _namespaces(pod),
        "privileged": privileged,
        "seccomp": _seccomp({}, context),
        "supplemental_groups": _groups(context),
    }
    if context.get("runAsUser") is not None:
        out["run_as_user"] = {"value": context["runAsUser"]}
        if context.get("runAsGroup") is not None:
            out["run_as_group"] = {"value": context["runAsGroup"]}
    return out


def of_container(pod: Obj, container: Obj, image_user: str, available: Set[str], target_id: str = "") -> Obj:
    """A container's ``LinuxContainerSecurityContext``. ``available`` are the capabilities this node can give
    (without ``CAP_``), ``target_id`` the container whose processes it shares. Raises ConfigError where a container that
    must not run as root would, or where its target does not run."""
    outer = objects.get(pod, "spec", "securityContext", default={})
    own = container.get("securityContext") or {}
    user, group = (own.get(k, outer.get(k)) for k in ("runAsUser", "runAsGroup"))
    if own.get("runAsNonRoot", outer.get("runAsNonRoot")):
        _check_not_root(pod, container, user, image_user)
    privileged = bool(own.get("privileged"))
    out: Obj = {
        "namespace_options": {**_namespaces(pod), **_target(container, target_id)},
        "privileged": privileged,
        "readonly_rootfs": bool(own.get("readOnlyRootFilesystem")),
        "no_new_privs": own.get("allowPrivilegeEscalation") is False and not privileged,
        "seccomp": _seccomp(own, outer),
        "supplemental_groups": _groups(outer),
        "capabilities": _capabilities(own.get("capabilities") or {}, available),
    }
    if user is not None:
        out["run_as_user"] = {"value": user}
    if group is not None:
        out["run_as_group"] = {"value": group}
        if user is None and not image_user:
            out["run_as_user"] = {"value": 0}  # the runtime refuses a group without a user
    if not privileged and own.get("procMount") != "Unmasked":
        out |= {"masked_paths": MASKED_PATHS, "readonly_paths": READONLY_PATHS}
    return out


def _namespaces(pod: Obj) -> Obj:
    spec = pod["spec"]
    shared = _POD if spec.get("shareProcessNamespace") else _CONTAINER
    return {
        "network": _NODE if podspec.host_network(pod) else _POD,
        "pid": _NODE if spec.get("hostPID") else shared,
        "ipc": _NODE if spec.get("hostIPC") else _POD,
    }


def _target(container: Obj, id: str) -> Obj:
    name = container.get("targetContainerName")
    if name and not id:
        raise ConfigError(f"unable to find target container {name}")
    return {"pid": _TARGET, "target_id": id} if name else {}


def _seccomp(own: Obj, outer: Obj) -> Obj:
    profile = own.get("seccompProfile") or outer.get("seccompProfile") or {}
    return {
        "profile_type": _PROFILES.get(profile.get("type", ""), _PROFILES["Unconfined"]),
        "localhost_ref": profile.get("localhostProfile", ""),
    }


def _groups(context: Obj) -> list[int]:
    fs_group = context.get("fsGroup")
    return [*(context.get("supplementalGroups") or ()), *([] if fs_group is None else [fs_group])]


def _capabilities(wanted: Obj, available: Set[str]) -> Obj:
    """Additions that this node cannot give are left out: the runtime would refuse the whole container."""
    added = {c.upper().removeprefix("CAP_") for c in wanted.get("add") or ()}
    if "ALL" in added:
        added = set(available)
    return {"add_capabilities": sorted(added & available), "drop_capabilities": list(wanted.get("drop") or ())}


def _check_not_root(pod: Obj, container: Obj, user: Any, image_user: str) -> None:
    where = f'(pod: "{podspec.reference(pod)}", container: {container["name"]})'
    if user is not None:
        if user == 0:
            raise ConfigError(f"container's runAsUser breaks non-root policy {where}")
        return
    name = image_user.partition(":")[0]
    if name and not name.isdigit():
        raise ConfigError(
            f"container has runAsNonRoot and image has non-numeric user ({name}), "
            f"cannot verify user is non-root {where}"
        )
    if not name or int(name) == 0:
        raise ConfigError(f"container has runAsNonRoot and image will run as root {where}")
