"""Containers of all three sorts (validation.validateContainers and neighbours)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pybernetes.kinds.strategy import check
from pybernetes.kinds.strategy.check import Errors
from pybernetes.kinds.strategy.podspec import env, handlers, resources, security, volumes
from pybernetes.meta import errors, names
from pybernetes.meta.objects import Obj

PROTOCOLS: Final = ("SCTP", "TCP", "UDP")
PULL_POLICIES: Final = ("Always", "IfNotPresent", "Never")
_MESSAGE_POLICIES: Final = ("FallbackToLogsOnError", "File")
_RESTART: Final = ("Always", "Never", "OnFailure")
_ONLY_SIDECARS: Final = ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")
_NOT_EPHEMERAL: Final = (
    "ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resizePolicy", "restartPolicy",
)  # fmt: skip


def validate(spec: Obj, path: str) -> Errors:
    """Every container of a pod spec."""
    known = {volume.get("name", ""): volume for volume in spec.get("volumes") or ()}
    grace = spec.get("terminationGracePeriodSeconds")
    ordinary, initial = spec.get("containers") or [], spec.get("initContainers") or []
    if not ordinary:
        yield errors.required(f"{path}.containers")
    for container, at in check.each(ordinary, f"{path}.containers"):
        yield from _container(container, known, grace, at)
    for container, at in check.each(initial, f"{path}.initContainers"):
        yield from _container(container, known, grace, at)
        yield from _init(container, at)
    for container, at in check.each(spec.get("ephemeralContainers"), f"{path}.ephemeralContainers"):
        yield from _ephemeral(container, {*_names(ordinary), *_names(initial)}, known, at)
    yield from check.unique(_named(spec, path))
    yield from _host_ports(ordinary, f"{path}.containers")
    if spec.get("hostNetwork"):
        yield from _host_network(ordinary, f"{path}.containers")


def _names(items: Sequence[Obj]) -> Iterator[str]:
    return (container.get("name", "") for container in items)


def _named(spec: Obj, path: str) -> Iterator[tuple[str, str]]:
    for key in ("containers", "initContainers", "ephemeralContainers"):
        for container, at in check.each(spec.get(key), f"{path}.{key}"):
            if name := container.get("name"):
                yield name, f"{at}.name"


def _container(container: Obj, known: Mapping[str, Obj], grace: int | None, path: str) -> Errors:
    yield from check.required_name(container.get("name") or "", f"{path}.name", names.dns1123_label)
    if not container.get("image"):
        yield errors.required(f"{path}.image")
    policy = container.get("terminationMessagePolicy")
    yield from check.one_of(policy, f"{path}.terminationMessagePolicy", _MESSAGE_POLICIES)
    yield from check.one_of(container.get("imagePullPolicy"), f"{path}.imagePullPolicy", PULL_POLICIES)
    yield from check.one_of(container.get("restartPolicy"), f"{path}.restartPolicy", _RESTART, required=False)
    yield from _ports(container.get("ports"), f"{path}.ports")
    yield from env.variables(container.get("env"), f"{path}.env")
    yield from env.imports(container.get("envFrom"), f"{path}.envFrom")
    yield from volumes.mounts(container, known, path)
    yield from handlers.lifecycle(container.get("lifecycle"), grace, f"{path}.lifecycle")
    yield from handlers.probes(container, path)
    yield from resources.requirements(container.get("resources"), f"{path}.resources")
    yield from security.container(container.get("securityContext"), f"{path}.securityContext")


def _init(container: Obj, path: str) -> Errors:
    """Only an init container that keeps running (a sidecar) can be probed and hooked."""
    if container.get("restartPolicy") == "Always":
        return
    for key in _ONLY_SIDECARS:
        if container.get(key) is not None:
            yield errors.field_forbidden(
                f"{path}.{key}", "may not be set for init containers without restartPolicy=Always"
            )


def _ephemeral(container: Obj, others: set[str], known: Mapping[str, Obj], path: str) -> Errors:
    yield from _container(container, known, None, path)
    target = container.get("targetContainerName")
    if target and target not in others:
        yield errors.field_not_found(f"{path}.targetContainerName", target)
    for key in _NOT_EPHEMERAL:
        if container.get(key):
            yield errors.field_forbidden(f"{path}.{key}", "cannot be set for an Ephemeral Container")
    if (container.get("resources") or {}) != {}:
        yield errors.field_forbidden(f"{path}.resources", "cannot be set for an Ephemeral Container")


# ── ports ────────────────────────────────────────────────────────────────────────────────────────────────


def _ports(ports: Sequence[Obj] | None, path: str) -> Errors:
    named = []
    for port, at in check.each(ports, path):
        if name := port.get("name"):
            bad = names.port_name(name)
            yield from check.complaints(f"{at}.name", name, bad)
            if not bad:
                named.append((name, f"{at}.name"))
        yield from _port(port, at)
    yield from check.unique(named)


def _port(port: Obj, path: str) -> Errors:
    if not port.get("containerPort"):
        yield errors.required(f"{path}.containerPort")
    else:
        yield from check.port_number(port["containerPort"], f"{path}.containerPort")
    if port.get("hostPort"):
        yield from check.port_number(port["hostPort"], f"{path}.hostPort")
    if address := port.get("hostIP"):
        yield from check.ip_address(address, f"{path}.hostIP")
    yield from check.one_of(port.get("protocol"), f"{path}.protocol", PROTOCOLS)


def _host_ports(containers: Sequence[Obj], path: str) -> Errors:
    """No two containers may want the same port of the node."""
    yield from check.unique(
        (f"{port.get('protocol', '')}/{port.get('hostIP', '')}/{port['hostPort']}", f"{where}.hostPort")
        for container, at in check.each(containers, path)
        for port, where in check.each(container.get("ports"), f"{at}.ports")
        if port.get("hostPort")
    )


def _host_network(containers: Sequence[Obj], path: str) -> Errors:
    for container, at in check.each(containers, path):
        for port, where in check.each(container.get("ports"), f"{at}.ports"):
            if port.get("hostPort") != port.get("containerPort"):
                text = "must match `containerPort` when `hostNetwork` is true"
                yield errors.invalid(f"{where}.hostPort", port.get("hostPort") or 0, text)
