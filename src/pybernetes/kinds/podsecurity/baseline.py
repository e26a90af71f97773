"""The checks of ``baseline``: what escapes from a container by known ways."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.podsecurity.check import (
    Check,
    Violation,
    containers,
    has_user_namespace,
    named,
    plural,
    quoted,
    security,
    setters,
)
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

_APP_ARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"
_APP_ARMOR_TYPES: Final = (None, "", "RuntimeDefault", "Localhost")
_CAPABILITIES: Final = frozenset(
    (
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
        "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
    )
)  # fmt: skip
_SECCOMP: Final = ("RuntimeDefault", "Localhost")
_SECCOMP_POD: Final = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_CONTAINER: Final = "container.seccomp.security.alpha.kubernetes.io/"
_SE_LINUX: Final = ((0, ("", "container_t", "container_init_t", "container_kvm_t")), (31, ("container_engine_t",)))
_SYSCTLS: Final = (
    (0, (
        "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start",
    )),
    (27, ("net.ipv4.ip_local_reserved_ports",)),
    (29, (
        "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
    )),
    (32, ("net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem")),
)  # fmt: skip
"""(since which minor version, what is allowed)."""
_PROBES: Final = (
    ("livenessProbe",), ("readinessProbe",), ("startupProbe",), ("lifecycle", "postStart"), ("lifecycle", "preStop"),
)  # fmt: skip


def allowed(table: tuple[tuple[int, tuple[str, ...]], ...], minor: int) -> frozenset[str]:
    """What a table allows at a minor version."""
    return frozenset(name for since, names in table if since <= minor for name in names)


def app_armor(meta: Obj, spec: Obj, minor: int) -> Violation | None:
    annotations = meta.get("annotations") or {}
    bad = [f'{key}="{value}"' for key, value in sorted(annotations.items()) if _is_bad_app_armor(key, value)]
    types = set[str]()

    def is_bad(holder: Obj) -> bool:
        found = security(holder, "appArmorProfile", "type")
        if found in _APP_ARMOR_TYPES:
            return False
        types.add(found)
        return True

    who = setters(spec, is_bad)
    told = [f"{who} must not set AppArmor profile type to {quoted(sorted(types))}"] if who else []
    if bad:
        told.append(", ".join(bad))
    count = len(bad) + len(types)
    return Violation(f"forbidden AppArmor profile{'s' if count > 1 else ''}", "; ".join(told)) if told else None


def _is_bad_app_armor(key: str, value: str) -> bool:
    fine = not value or value == "runtime/default" or value.startswith("localhost/")
    return key.startswith(_APP_ARMOR) and not fine


def capabilities(meta: Obj, spec: Obj, minor: int) -> Violation | None:
    bad, added = [], set[str]()
    for container in containers(spec):
        beyond = set(security(container, "capabilities", "add") or ()) - _CAPABILITIES
        if beyond:
            bad.append(container["name"])
            added |= beyond
    if not bad:
        return None
    detail = f"{named(bad)} must not include {quoted(sorted(added))} in securityContext.capabilities.add"
    return Violation("non-default capabilities", detail)


def host_namespaces(meta: Obj, spec: Obj, minor: int) -> Violation | None:
    shared = [f"{key}=true" for key in ("hostNetwork", "hostPID", "hostIPC") if spec.get(key)]
    return Violation("host namespaces", ", ".join(shared)) if shared else None


def host_path_volumes(meta: Obj, spec: Obj, minor: int) -> Violation | None:
    names = [volume["name"] for volume in spec.get("volumes") or () if volume.get("hostPath") is not None]
    return Violation("hostPath volumes", f"{plural('volume', names)} {quoted(names)}") if names else None


def host_ports(meta: Obj, spec: Obj, minor: int) -> Violation | None:
    bad, taken = [], set[str]()
    for container in containers(spec):
        ports = {str(port["hostPort"]) for port in container.get("ports") or () if port.get("hostPort")}
        if ports:
            bad.append(container["name"])
            taken |= ports
    if not bad:
        return None
    uses = "uses" if len(bad) == 1 else "use"
    return Violation("hostPort", f"{named(bad)} {uses} {plural('hostPort', taken)} {', '.join(sorted(taken))}")


def probe_hosts(meta: Obj, spec: Obj, minor: int) -> Violation | None:
    """A probe that names a host lets the node's agent ask anybody (since 1.34)."""
    bad, hosts = set[str](), set[str]()
    for container in containers(spec):
        found = {
            objects.get(container, *path, way, "host") for path in _PROBES for way in ("httpGet", "tcpSocket")
        } - {None, ""}  # fmt: skip
        if found:
            bad.add(container["name"])
            hosts |= found
    if not bad:
        return None
    uses = "uses" if len(bad) == 1 else "use"
    word = plural("probe or lifecycle host", hosts)
    return Violation("probe or lifecycle host", f"{named(sorted(bad))} {uses} {word} {quoted(sorted(hosts))}")


def privileged(meta: Obj, spec: Obj, minor: int) -> Violation | None:
    bad = [container["name"] for container in containers(spec) if security(container, "privileged")]
    return Violation("privileged", f"{named(bad)} must not set securityContext.privileged=true") if bad else None


def proc_mount(meta: Obj, spec: Obj, minor: int) -> Violation | None:
    if minor >= 34 and has_user_namespace(spec):
        return None
    found = {c["name"]: security(c, "procMount") for c in containers(spec)}
    bad = {name: mount for name, mount in found.items() if mount not in (None, "Default")}
    if not bad:
        return None
    mounts = quoted(sorted(set(bad.values())))
    return Violation("procMount", f"{named([*bad])} must not set securityContext.procMount to {mounts}")


def se_linux(meta: Obj, spec: Obj, minor: int) -> Violation | None:
    types, told = set[str](), dict[str, None]()
    fine = allowed(_SE_LINUX, minor)

    def is_bad(holder: Obj) -> bool:
        options = security(holder, "seLinuxOptions") or {}
        wrong = (options.get("type") or "") not in fine
        if wrong:
            types.add(options["type"])
        told.update({f"{key} may not be set": None for key in ("user", "role") if options.get(key)})
        return wrong or bool(options.get("user") or options.get("role"))

    who = setters(spec, is_bad)
    if not who:
        return None
    what = [f"{plural('type', types)} {quoted(sorted(types))}"] if types else []
    detail = "; ".join([*what, *sorted(told, reverse=True)])
    return Violation("seLinuxOptions", f"{who} set forbidden securityContext.seLinuxOptions: {detail}")


def seccomp(meta: Obj, spec: Obj, minor: int) -> Violation | None:
    return bad_seccomp(spec) if minor >= 19 else _seccomp_annotations(meta, spec)


def bad_seccomp(spec: Obj) -> Violation | None:
    """Profiles that are set and should not be."""
    types = set[str]()

    def is_bad(holder: Obj) -> bool:
        profile = security(holder, "seccompProfile")
        if profile is None or profile.get("type") in _SECCOMP:
            return False
        types.add(profile.get("type") or "")
        return True

    who = setters(spec, is_bad)
    detail = f"{who} must not set securityContext.seccompProfile.type to {quoted(sorted(types))}"
    return Violation("seccompProfile", detail) if who else None


def _seccomp_annotations(meta: Obj, spec: Obj) -> Violation | None:
    annotations = meta.get("annotations") or {}
    keys = (_SECCOMP_POD, *(_SECCOMP_CONTAINER + container["name"] for container in containers(spec)))
    fine = ("runtime/default", "docker/default")
    found = {key: annotations[key] for key in keys if key in annotations}
    bad = sorted(f'{k}="{v}"' for k, v in found.items() if v not in fine and not v.startswith("localhost/"))
    return Violation("seccompProfile", f"forbidden {plural('annotation', bad)} {', '.join(bad)}") if bad else None


def sysctls(meta: Obj, spec: Obj, minor: int) -> Violation | None:
    fine = allowed(_SYSCTLS, minor)
    bad = [found["name"] for found in security(spec, "sysctls") or () if found["name"] not in fine]
    return Violation("forbidden sysctls", ", ".join(bad)) if bad else None


def windows_host_process(meta: Obj, spec: Obj, minor: int) -> Violation | None:
    who = setters(spec, lambda holder: bool(security(holder, "windowsOptions", "hostProcess")))
    detail = f"{who} must not set securityContext.windowsOptions.hostProcess=true"
    return Violation("hostProcess", detail) if who else None


CHECKS: Final = (
    Check("appArmorProfile", app_armor),
    Check("capabilities_baseline", capabilities),
    Check("hostNamespaces", host_namespaces),
    Check("hostPathVolumes", host_path_volumes),
    Check("hostPorts", host_ports),
    Check("hostProbesAndHostLifecycle", probe_hosts, since=34),
    Check("privileged", privileged),
    Check("procMount", proc_mount),
    Check("seLinuxOptions", se_linux),
    Check("seccompProfile_baseline", seccomp),
    Check("sysctls", sysctls),
    Check("windowsHostProcess", windows_host_process),
)
