"""The CRI's ``PodSandboxConfig`` and ``ContainerConfig`` of a pod. Pure.

Neighbours: ``podworker.py`` gathers what goes in; ``environment.py``, ``security.py``, ``qos.py`` and ``poddns.py``
answer for their parts; labels and annotations are those by which ``runtime/port.py`` finds things again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.node import environment, podspec, qos, security
from pybernetes.node.poddns import Resolver
from pybernetes.node.runtime import port

_PROTOCOLS: Final = {"TCP": 0, "UDP": 1, "SCTP": 2}
_PROPAGATIONS: Final = {"None": 0, "HostToContainer": 1, "Bidirectional": 2}
DEFAULT_TERMINATION_MESSAGE_PATH: Final = "/dev/termination-log"


@dataclass(frozen=True, slots=True)
class Mount:
    """A path of the node that a container sees."""

    container_path: str
    host_path: str
    read_only: bool = False
    propagation: str = "None"


@dataclass(frozen=True, slots=True)
class Device:
    """A block device of the node that a container sees."""

    container_path: str
    host_path: str
    read_only: bool = False


def sandbox_config(
    pod: Obj, attempt: int, *, log_directory: str, resolver: Resolver, cgroup_parent: str, cluster_domain: str
) -> Obj:
    """The sandbox of a pod. A host name with the node's own network would be refused by the runtime."""
    context = objects.get(pod, "spec", "securityContext", default={})
    return {
        "metadata": {
            "name": objects.name(pod), "uid": objects.uid(pod), "namespace": objects.namespace(pod), "attempt": attempt,
        },
        "hostname": _hostname(pod, cluster_domain),
        "log_directory": log_directory,
        "dns_config": {"servers": resolver.servers, "searches": resolver.searches, "options": resolver.options},
        "port_mappings": [] if podspec.host_network(pod) else _port_mappings(pod),
        "labels": {**objects.labels(pod), **_pod_labels(pod)},
        "annotations": dict(objects.annotations(pod)),
        "linux": {
            "cgroup_parent": cgroup_parent,
            "security_context": security.of_sandbox(pod),
            "sysctls": {s["name"]: s["value"] for s in context.get("sysctls") or ()},
        },
    }  # fmt: skip


def _hostname(pod: Obj, cluster_domain: str) -> str:
    if podspec.host_network(pod):
        return ""
    full = podspec.fqdn(pod, cluster_domain) if pod["spec"].get("setHostnameAsFQDN") else ""
    return full or podspec.hostname(pod)


def _pod_labels(pod: Obj) -> dict[str, str]:
    return {
        port.POD_NAME: objects.name(pod),
        port.POD_NAMESPACE: objects.namespace(pod),
        port.POD_UID: objects.uid(pod),
    }


def _port_mappings(pod: Obj) -> list[Obj]:
    return [
        {
            "protocol": _PROTOCOLS[p.get("protocol", "TCP")],
            "container_port": p["containerPort"],
            "host_port": p["hostPort"],
            "host_ip": p.get("hostIP", ""),
        }
        for container in podspec.all_containers(pod)
        for p in container.get("ports") or ()
        if p.get("hostPort")
    ]


def container_config(
    pod: Obj, container: Obj, attempt: int, *, image_id: str, image_user: str, variables: Mapping[str, str],
    mounts: Sequence[Mount], memory_capacity: int, capabilities: Set[str], target_id: str = "",
    devices: Sequence[Device] = (),
) -> Obj:  # fmt: skip
    """One attempt at a container. Raises ``environment.ConfigError``."""
    name = container["name"]
    return {
        "metadata": {"name": name, "attempt": attempt},
        "image": {"image": image_id, "user_specified_image": container.get("image", "")},
        "command": [environment.expand(word, variables) for word in container.get("command") or ()],
        "args": [environment.expand(word, variables) for word in container.get("args") or ()],
        "working_dir": container.get("workingDir", ""),
        "envs": [{"key": key, "value": value.encode()} for key, value in variables.items()],
        "mounts": [_mount(m) for m in mounts],
        "devices": [_device(d) for d in devices],
        "labels": {**_pod_labels(pod), port.CONTAINER_NAME: name},
        "annotations": _annotations(pod, container, attempt),
        "log_path": log_path(name, attempt),
        "stdin": bool(container.get("stdin")),
        "stdin_once": bool(container.get("stdinOnce")),
        "tty": bool(container.get("tty")),
        "linux": {
            "resources": qos.container_resources(pod, container, memory_capacity),
            "security_context": security.of_container(pod, container, image_user, capabilities, target_id),
        },
    }


def _annotations(pod: Obj, container: Obj, attempt: int) -> dict[str, str]:
    return {
        port.CONTAINER_HASH: podspec.container_hash(container),
        port.RESTART_COUNT: str(attempt),
        port.TERMINATION_MESSAGE_PATH: termination_message_path(container),
        port.TERMINATION_MESSAGE_POLICY: container.get("terminationMessagePolicy") or "File",
        port.GRACE_PERIOD: str(podspec.grace_seconds(pod)),
    }


def termination_message_path(container: Obj) -> str:
    return container.get("terminationMessagePath") or DEFAULT_TERMINATION_MESSAGE_PATH


def log_path(container: str, attempt: int) -> str:
    """Relative to the pod's log directory."""
    return f"{container}/{attempt}.log"


def _mount(mount: Mount) -> Obj:
    return {
        "container_path": mount.container_path,
        "host_path": mount.host_path,
        "readonly": mount.read_only,
        "propagation": _PROPAGATIONS[mount.propagation],
    }


def _device(device: Device) -> Obj:
    permissions = "r" if device.read_only else "mrw"
    return {"container_path": device.container_path, "host_path": device.host_path, "permissions": permissions}
