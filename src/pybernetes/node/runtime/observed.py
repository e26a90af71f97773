"""From the CRI's answers (plain dicts, zeros left out) to the rows of the port. Pure."""

from __future__ import annotations

from typing import Final

from pybernetes.meta.objects import Obj
from pybernetes.node.runtime.port import CONTAINER_NAME, Condition, Container, ContainerStats, Image, Sandbox, State

_NANOSECONDS: Final = 1e9
_STATES: Final[tuple[State, ...]] = ("created", "running", "exited", "unknown")


def condition(answer: Obj) -> Condition:
    return Condition(
        answer.get("type", ""), answer.get("status", False), answer.get("reason", ""), answer.get("message", "")
    )


def sandbox(answer: Obj) -> Sandbox:
    """Of ``PodSandbox`` or ``PodSandboxStatus``; only the latter carries addresses."""
    metadata, network = answer.get("metadata", {}), answer.get("network", {})
    first = (network["ip"],) if network.get("ip") else ()
    return Sandbox(
        id=answer["id"],
        name=metadata.get("name", ""),
        namespace=metadata.get("namespace", ""),
        uid=metadata.get("uid", ""),
        attempt=metadata.get("attempt", 0),
        ready=answer.get("state", 0) == 0,
        created_at=_seconds(answer, "created_at"),
        ips=first + tuple(a["ip"] for a in network.get("additional_ips", ())),
    )


def container(answer: Obj) -> Container:
    """Of ``Container`` or ``ContainerStatus``; only the latter carries times and the exit."""
    labels = answer.get("labels", {})
    return Container(
        id=answer["id"],
        sandbox_id=answer.get("pod_sandbox_id", ""),
        name=labels.get(CONTAINER_NAME, answer.get("metadata", {}).get("name", "")),
        attempt=answer.get("metadata", {}).get("attempt", 0),
        state=_STATES[answer.get("state", 0)],
        created_at=_seconds(answer, "created_at"),
        started_at=_seconds(answer, "started_at"),
        finished_at=_seconds(answer, "finished_at"),
        exit_code=answer.get("exit_code", 0),
        reason=answer.get("reason", ""),
        message=answer.get("message", ""),
        image=answer.get("image", {}).get("image", ""),
        image_id=answer.get("image_ref", ""),
        labels=labels,
        annotations=answer.get("annotations", {}),
        log_path=answer.get("log_path", ""),
    )


def image(answer: Obj) -> Image:
    uid = answer.get("uid")
    return Image(
        id=answer["id"],
        tags=tuple(answer.get("repo_tags", ())),
        digests=tuple(answer.get("repo_digests", ())),
        size_bytes=answer.get("size", 0),
        user=answer.get("username", "") if uid is None else str(uid.get("value", 0)),
    )


def stats(answer: Obj) -> ContainerStats:
    attributes, cpu, memory = (answer.get(k, {}) for k in ("attributes", "cpu", "memory"))
    return ContainerStats(
        id=attributes.get("id", ""),
        labels=attributes.get("labels", {}),
        at=_seconds(cpu, "timestamp"),
        cpu_core_nanoseconds=_wrapped(cpu, "usage_core_nano_seconds"),
        memory_working_set_bytes=_wrapped(memory, "working_set_bytes"),
        memory_usage_bytes=_wrapped(memory, "usage_bytes"),
        memory_rss_bytes=_wrapped(memory, "rss_bytes"),
        writable_layer_bytes=_wrapped(answer.get("writable_layer", {}), "used_bytes"),
    )


def _seconds(answer: Obj, name: str) -> float:
    return float(answer.get(name, 0)) / _NANOSECONDS


def _wrapped(answer: Obj, name: str) -> int:
    return int(answer.get(name, {}).get("value", 0))
