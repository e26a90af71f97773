"""What the API is told of a node: capacity, conditions, addresses, versions and images. Pure.

Reasons and messages of the conditions are the kubelet's; ``kubectl describe node`` shows them.
Neighbours: ``sysinfo.py`` reads the machine, ``heartbeat.py`` sends.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj
from pybernetes.node import eviction, extended, qos
from pybernetes.node.config import Config
from pybernetes.node.eviction import DISK_PRESSURE, MEMORY_PRESSURE
from pybernetes.node.runtime.port import Condition, Image, Version
from pybernetes.node.sysinfo import Machine

KUBELET_VERSION: Final = "v1.36.0"
"""Of the Kubernetes release whose node this one behaves like; the API server tells the same."""
_IMAGES_MAX: Final = 50
_Verdict: TypeAlias = tuple[str, str, str, str]
"""Type, status, reason and message of a condition."""
PRESSURES: Final[Mapping[str, tuple[tuple[str, str], tuple[str, str]]]] = {
    MEMORY_PRESSURE: (
        ("KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        ("KubeletHasInsufficientMemory", "kubelet has insufficient memory available"),
    ),
    DISK_PRESSURE: (
        ("KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        ("KubeletHasDiskPressure", "kubelet has disk pressure"),
    ),
    "PIDPressure": (
        ("KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        ("KubeletHasInsufficientPID", "kubelet has insufficient PID available"),
    ),
}
"""Condition → reason and message while the node is not under that pressure, and while it is."""


@dataclass(frozen=True, slots=True)
class RuntimeState:
    """What the runtime last said of itself; ``problem`` is why it said nothing."""

    version: Version | None = None
    conditions: Sequence[Condition] = ()
    images: Sequence[Image] = ()
    problem: str = ""


def node(config: Config, machine: Machine) -> Obj:
    """The Node as this node registers itself, without a status."""
    own = {
        "kubernetes.io/hostname": config.node,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": machine.architecture,
        "beta.kubernetes.io/os": "linux",
        "beta.kubernetes.io/arch": machine.architecture,
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": config.node, "labels": {**own, **config.labels}},
        "spec": {"podCIDR": config.pod_cidr, "podCIDRs": [config.pod_cidr]},
    }


def capacity(config: Config, machine: Machine) -> dict[str, str]:
    """Resource → quantity: what the node has."""
    return {
        "cpu": str(machine.cpus),
        "memory": f"{machine.memory_bytes // 1024}Ki",
        "ephemeral-storage": f"{machine.disk_bytes // 1024}Ki",
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
        "pods": str(config.pods_max),
    } | dict(config.capacity)


def allocatable(config: Config, machine: Machine) -> dict[str, str]:
    """Resource → quantity: what pods may have, which is less by what is reserved and by what makes pods go."""
    has = capacity(config, machine)
    cpu = qos.milli(has["cpu"]) - qos.milli(config.reserved.get("cpu"))
    bytes_of = {
        resource: qos.size(has[resource])
        - qos.size(config.reserved.get(resource))
        - _least(config, signal, has[resource])
        for resource, signal in (("memory", "memory.available"), ("ephemeral-storage", "nodefs.available"))
    }
    return has | {
        "cpu": str(cpu // 1000) if cpu % 1000 == 0 else f"{cpu}m",
        "memory": f"{max(0, bytes_of['memory']) // 1024}Ki",
        "ephemeral-storage": str(max(0, bytes_of["ephemeral-storage"])),
    }


def memory_for_pods(config: Config, machine: Machine) -> int:
    """Bytes that the pods may have together before the kernel steps in: all but what is reserved."""
    return qos.size(capacity(config, machine)["memory"]) - qos.size(config.reserved.get("memory"))


def _least(config: Config, signal: str, has: str) -> int:
    threshold = config.eviction.get(signal)
    return 0 if threshold is None else eviction.amount(threshold, qos.size(has))


def status(  # noqa: PLR0917 (all that it tells of)
    config: Config, machine: Machine, runtime: RuntimeState, known: Obj | None, now: float,
    pressures: Collection[str] = (),
) -> Obj:  # fmt: skip
    """The node's status at ``now``; ``known`` is the Node as the API has it, whose transition times are kept."""
    return {
        "capacity": capacity(config, machine),
        "allocatable": allocatable(config, machine) | extended.allocatable(known),
        "conditions": [_condition(known or {}, row, now) for row in _verdicts(runtime, pressures)],
        "addresses": [
            {"type": "InternalIP", "address": config.ip},
            {"type": "Hostname", "address": config.node},
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": config.port}},
        "nodeInfo": _info(machine, runtime.version),
        "images": [_image(i) for i in sorted(runtime.images, key=lambda i: -i.size_bytes)[:_IMAGES_MAX]],
    }


def without_times(status: Obj) -> Obj:
    """What of a status is worth telling at once when it differs: everything but when it was looked at."""
    conditions = [{k: v for k, v in c.items() if not k.startswith("last")} for c in status["conditions"]]
    return {**status, "conditions": conditions}


def holds(node: Obj, status: Obj) -> bool:
    """Does the Node, as the API has it, say of its conditions what this status of it says?"""
    told = {c["type"]: c["status"] for c in objects.get(node, "status", "conditions") or []}
    return all(told.get(c["type"]) == c["status"] for c in status["conditions"])


def _verdicts(runtime: RuntimeState, pressures: Collection[str]) -> Iterable[_Verdict]:
    for kind, told in PRESSURES.items():
        yield (kind, "True" if kind in pressures else "False", *told[kind in pressures])
    problem = _problem(runtime)
    if problem:
        yield "Ready", "False", "KubeletNotReady", problem
    else:
        yield "Ready", "True", "KubeletReady", "kubelet is posting ready status"


def _problem(runtime: RuntimeState) -> str:
    """Why the node cannot take pods, in the kubelet's words."""
    if runtime.problem:
        return f"container runtime is down: {runtime.problem}"
    told = {c.type: c for c in runtime.conditions}
    texts = []
    for kind, name in (("RuntimeReady", "container runtime"), ("NetworkReady", "container runtime network")):
        condition = told.get(kind)
        if condition is None:
            texts.append(f"{name} status unknown")
        elif not condition.status:
            told_by = f"{kind}=false reason:{condition.reason} message:{condition.message}"
            texts.append(f"{name} not ready: {told_by}")
    return f"[{', '.join(texts)}]" if len(texts) > 1 else "".join(texts)


def _condition(known: Obj, verdict: _Verdict, now: float) -> Obj:
    kind, value, reason, message = verdict
    before = objects.condition(known, kind)
    same = before is not None and before.get("status") == value
    since = before.get("lastTransitionTime") if before is not None and same else None
    return {
        "type": kind,
        "status": value,
        "lastHeartbeatTime": times.render(now),
        "lastTransitionTime": since or times.render(now),
        "reason": reason,
        "message": message,
    }


def _info(machine: Machine, version: Version | None) -> Obj:
    return {
        "machineID": machine.machine_id,
        "systemUUID": machine.system_uuid,
        "bootID": machine.boot_id,
        "kernelVersion": machine.kernel,
        "osImage": machine.os_image,
        "containerRuntimeVersion": str(version) if version else "",
        "kubeletVersion": KUBELET_VERSION,
        "kubeProxyVersion": "",
        "operatingSystem": "linux",
        "architecture": machine.architecture,
    }


def _image(image: Image) -> Obj:
    return {"names": [*image.digests, *image.tags], "sizeBytes": image.size_bytes}
