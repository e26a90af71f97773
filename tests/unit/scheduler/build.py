"""Small builders of nodes and pods, and a scheduler whose API is one dict, for tests of scheduling."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import numpy as np

from pybernetes.client.client import Client
from pybernetes.client.transport import Query
from pybernetes.control.actions import Event
from pybernetes.control.informer import Informer
from pybernetes.kinds.table import builtin
from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj
from pybernetes.scheduler import explain, podinfo, preempt, snapshot
from pybernetes.scheduler.decide import Decision, decide
from pybernetes.scheduler.snapshot import Snapshot


def node(name: str, *, labels: dict[str, str] | None = None, taints: Sequence[str] = (), **amounts: str) -> Obj:
    """``taints`` as kubectl writes them, ``key=value:Effect``; ``amounts``: what is allocatable, ``_`` for ``-``."""
    allocatable = {"cpu": "4", "memory": "8Gi", "pods": "110"}
    allocatable |= {key.replace("_", "-"): value for key, value in amounts.items()}
    metadata = {"name": name, "labels": {"kubernetes.io/hostname": name, **(labels or {})}}
    spec = {"taints": [_taint(text) for text in taints]} if taints else {}
    return {"metadata": metadata, "spec": spec, "status": {"allocatable": allocatable}}


def _taint(text: str) -> Obj:
    named, _, effect = text.partition(":")
    key, _, value = named.partition("=")
    return {"key": key, "effect": effect} | ({"value": value} if value else {})


def labelled(pod: Obj, **labels: str) -> Obj:
    return objects.evolve(pod, ("metadata", "labels"), labels)


def cordoned(node: Obj) -> Obj:
    return objects.evolve(node, ("spec", "unschedulable"), True)


def pod(name: str, on: str = "", *, cpu: str = "", memory: str = "", **spec: Any) -> Obj:
    """A pod of one container, placed where ``on`` says."""
    asked = {key: value for key, value in (("cpu", cpu), ("memory", memory)) if value}
    container = {"name": "main", "image": "web:1", "resources": {"requests": asked}}
    spec = {"containers": [container], "schedulerName": "default-scheduler", **spec}
    if on:
        spec["nodeName"] = on
    return {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}"},
        "spec": spec, "status": {"phase": "Running" if on else "Pending"},
    }  # fmt: skip


def with_ports(pod: Obj, *ports: Obj) -> Obj:
    container = {**pod["spec"]["containers"][0], "ports": list(ports)}
    return objects.evolve(pod, ("spec", "containers"), [container])


def affinity(*terms: Obj) -> Obj:
    """spec.affinity that demands one of ``terms``."""
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}}


def expression(key: str, operator: str, *values: str) -> Obj:
    return {"matchExpressions": [{"key": key, "operator": operator, **({"values": list(values)} if values else {})}]}


def cluster(nodes: Iterable[Obj], pods: Iterable[Obj] = ()) -> Snapshot:
    made = Snapshot()
    for each in nodes:
        made.put_node(snapshot.node_info(each))
    for each in pods:
        made.put_pod(podinfo.of(each))
    return made


def rejected(asking: Obj, there: Sequence[Obj], placed: Iterable[Obj] = ()) -> dict[str, set[str]]:
    """The reasons of the first plugin that rejects each node."""
    decision = decided(asking, there, placed)
    found: dict[str, set[str]] = {}
    for verdict, first in explain.firsts(decision):
        for rejection in verdict.rejections:
            for slot in np.flatnonzero(rejection.nodes & first):
                found.setdefault(objects.name(there[slot]), set()).add(rejection.reason)
    assert (decision.node is None) == (len(found) == len(there))
    return found


def decided(pod: Obj, nodes: Iterable[Obj], pods: Iterable[Obj] = (), chance: float = 0.0) -> Decision:
    return decide(cluster(nodes, pods), podinfo.of(pod), chance)


def told(pod: Obj, nodes: Iterable[Obj], pods: Iterable[Obj] = ()) -> str:
    """Why ``pod`` fits nowhere, in one sentence."""
    made, info = cluster(nodes, pods), podinfo.of(pod)
    decision = decide(made, info, 0.0)
    return explain.message(decision, preempt.preempt(made, info, decision).why_not)


# ── an API ───────────────────────────────────────────────────────────────────────────────────────────────


class Api:
    """Nodes and pods by informers that hear of every change at once; ``refusals`` are raised by the next bindings."""

    def __init__(self) -> None:
        self.kinds = builtin()
        self.client = Client(self, self.kinds)
        self.refusals: list[errors.ApiError] = []
        self.bound: list[tuple[str, str]] = []
        self.patches: list[tuple[str, Any]] = []
        self.deleted: list[str] = []
        self.stuck = False
        """Does no request get an answer?"""
        self.told: list[Event] = []
        self._informers: dict[str, Informer] = {}

    def informer(self, resource: str) -> Informer:
        found = self._informers.get(resource)
        if found is None:
            kind = self.kinds.by_resource(resource)
            assert kind is not None
            found = self._informers[resource] = Informer(kind)
            found.replaced([], 1)
        return found

    def put(self, resource: str, *objs: Obj) -> None:
        self.informer(resource).changed([("MODIFIED", obj) for obj in objs], 1)

    def remove(self, resource: str, obj: Obj) -> None:
        self.informer(resource).changed([("DELETED", obj)], 1)

    def pod(self, name: str) -> Obj:
        found = self.informer("pods").cache.get("default", name)
        assert found is not None
        return found

    # control.events.Recorder

    def emit(self, event: Event) -> None:
        self.told.append(event)

    async def stop(self) -> None:
        return

    # client.transport.Transport

    async def request(
        self, method: str, path: str, *, query: Query | None = None, body: Any = None,
        content_type: str = "application/json",
    ) -> Any:  # fmt: skip
        if self.stuck:
            await asyncio.Event().wait()
        if method == "DELETE":
            name = path.rpartition("/")[2]
            self.deleted.append(name)
            self.put("pods", objects.evolve(self.pod(name), ("metadata", "deletionTimestamp"), "2026-01-01T00:00:00Z"))
            return {}
        *_, name, subresource = path.split("/")
        found = self.pod(name)
        if subresource == "binding":
            if self.refusals:
                raise self.refusals.pop(0)
            self.bound.append((name, body["target"]["name"]))
            self.put("pods", objects.evolve(found, ("spec", "nodeName"), body["target"]["name"]))
        else:
            self.patches.append((name, body["status"]))
            self.put("pods", {**found, "status": {**found["status"], **body["status"]}})
        return {}

    def watch(self, path: str, *, query: Query | None = None) -> AsyncIterator[Sequence[tuple[str, Obj]]]:
        raise errors.MethodNotAllowed(path)

    async def close(self) -> None:
        return
