"""``/stats/summary``: what the containers of a node use, in the kubelet's shape (stats/v1alpha1.Summary). Pure.

Neighbours: ``server.py`` serves it; the rows are the runtime's (``runtime/port.ContainerStats``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj
from pybernetes.node.runtime.port import CONTAINER_NAME, POD_UID, ContainerStats


def summary(node: str, pods: Sequence[Obj], stats: Iterable[ContainerStats], now: float) -> Obj:
    """Sums of the containers that run; a node's own processes are not counted."""
    of_pod: dict[str, list[ContainerStats]] = {}
    for row in stats:
        of_pod.setdefault(row.labels.get(POD_UID, ""), []).append(row)
    every = [row for rows in of_pod.values() for row in rows]
    return {
        "node": {"nodeName": node, **_sums(every, now)},
        "pods": [_pod(pod, rows, now) for pod in pods if (rows := of_pod.get(objects.uid(pod)))],
    }


def _pod(pod: Obj, rows: Sequence[ContainerStats], now: float) -> Obj:
    reference = {"name": objects.name(pod), "namespace": objects.namespace(pod), "uid": objects.uid(pod)}
    containers = [{"name": row.labels.get(CONTAINER_NAME, ""), **_sums([row], now)} for row in rows]
    started = objects.get(pod, "status", "startTime")
    return {"podRef": reference, "startTime": started, "containers": containers, **_sums(rows, now)}


def _sums(rows: Sequence[ContainerStats], now: float) -> Obj:
    at = times.render_micro(max((row.at for row in rows), default=now))
    return {
        "cpu": {"time": at, "usageCoreNanoSeconds": sum(row.cpu_core_nanoseconds for row in rows)},
        "memory": {
            "time": at,
            "usageBytes": sum(row.memory_usage_bytes for row in rows),
            "workingSetBytes": sum(row.memory_working_set_bytes for row in rows),
            "rssBytes": sum(row.memory_rss_bytes for row in rows),
        },
    }
