"""What containers use: reckoned from two looks at a node, or made up for simulated pods. Pure.

Rule 1: CPU is told by nodes as a sum that grows, so a rate needs two looks; a container that was seen once, or was
        started anew between them, uses nothing that could be told yet.
Rule 2: a simulated pod uses what its annotations say, and what it requests where they say nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple, TypeAlias

from pybernetes.meta import objects, quantity, times
from pybernetes.meta.objects import Obj

USAGE_CPU: Final = "pybernetes.io/usage-cpu"
USAGE_MEMORY: Final = "pybernetes.io/usage-memory"
"""Annotations of simulated pods, shared evenly by their containers, and of simulated nodes: quantities."""


class Usage(NamedTuple):
    """``cpu`` in cores, ``memory`` in bytes."""

    cpu: float
    memory: float


class Sample(NamedTuple):
    """One look at a container: CPU used since it was started in core-seconds, memory in bytes, when (Unix seconds)."""

    cpu: float
    memory: float
    at: float


Look: TypeAlias = Mapping[tuple[str, str], Sample]
"""(pod's uid, container) → what was seen."""


def look(summary: Obj) -> Look:
    """What a node tells at ``/stats/summary``."""
    return dict(_samples(summary))


def _samples(summary: Obj) -> Iterator[tuple[tuple[str, str], Sample]]:
    for pod in summary.get("pods") or ():
        for container in pod.get("containers") or ():
            cpu, memory = container.get("cpu") or {}, container.get("memory") or {}
            if "usageCoreNanoSeconds" in cpu and cpu.get("time"):
                sample = Sample(
                    cpu["usageCoreNanoSeconds"] / 1e9, memory.get("workingSetBytes", 0), times.parse(cpu["time"])
                )
                yield (objects.get(pod, "podRef", "uid", default=""), container.get("name", "")), sample


def between(before: Look, after: Look) -> dict[str, dict[str, Usage]]:
    """Pod's uid → container → what it used between two looks; pods of which something is not known are left out."""
    found: dict[str, dict[str, Usage]] = {}
    unknown: set[str] = set()
    for (uid, name), now in after.items():
        then = before.get((uid, name))
        if then is None or now.at <= then.at or now.cpu < then.cpu:
            unknown.add(uid)
        else:
            found.setdefault(uid, {})[name] = Usage((now.cpu - then.cpu) / (now.at - then.at), now.memory)
    return {uid: containers for uid, containers in found.items() if uid not in unknown}


def simulated_pod(pod: Obj) -> dict[str, Usage]:
    """Container → what it is said to use."""
    containers = objects.get(pod, "spec", "containers", default=[])
    said = [_said(pod, key) for key in (USAGE_CPU, USAGE_MEMORY)]
    shares = [None if amount is None else amount / len(containers) for amount in said]
    return {c["name"]: Usage(_or_request(shares[0], c, "cpu"), _or_request(shares[1], c, "memory")) for c in containers}


def simulated_node(node: Obj, pods: Iterable[Mapping[str, Usage]]) -> Usage:
    """What a simulated node is said to use, or what its pods use together."""
    summed, said = (
        total(usage for pod in pods for usage in pod.values()),
        [_said(node, USAGE_CPU), _said(node, USAGE_MEMORY)],
    )
    return Usage(*(mine if mine is not None else theirs for mine, theirs in zip(said, summed, strict=True)))


def total(usages: Iterable[Usage]) -> Usage:
    found = list(usages)
    return Usage(sum(usage.cpu for usage in found), sum(usage.memory for usage in found))


def rendered(usage: Usage) -> Obj:
    """As the API tells it: nanocores and Ki."""
    return {"cpu": f"{round(usage.cpu * 1e9)}n", "memory": f"{round(usage.memory) >> 10}Ki"}


def _said(obj: Obj, key: str) -> float | None:
    text = objects.annotations(obj).get(key, "")
    return float(quantity.parse(text)) if text and quantity.is_valid(text) else None


def _or_request(share: float | None, container: Obj, resource: str) -> float:
    if share is not None:
        return share
    return float(quantity.parse(objects.get(container, "resources", "requests", resource, default="0")))
