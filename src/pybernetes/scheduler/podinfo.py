"""What the scheduler reads of a pod, once per pod. Pure.

Neighbours: ``requests.py`` counts; ``plugins`` decide by these fields; ``snapshot.py`` keeps them for placed pods.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from pybernetes.meta import objects, volumes
from pybernetes.meta.objects import Obj
from pybernetes.scheduler import requests, tally, ties
from pybernetes.scheduler.tally import Group
from pybernetes.scheduler.ties import PREFERRED, REQUIRED, Ties

DEFAULT_SCHEDULER: Final = "default-scheduler"
_ENDED: Final = ("Succeeded", "Failed")


class HostPort(NamedTuple):
    protocol: str
    port: int
    address: str
    """``0.0.0.0`` for all of the node's."""


@dataclass(frozen=True, slots=True)
class PodInfo:
    uid: str
    namespace: str
    name: str
    priority: int
    may_preempt: bool
    node_name: str
    requests: Mapping[str, int]
    score_requests: Mapping[str, int]
    node_selector: Mapping[str, str]
    required_terms: Sequence[Obj] | None
    """Node selector terms of which one must match; None for no demand, empty ones match nothing."""
    preferred_terms: Sequence[Obj]
    tolerations: Sequence[Obj]
    host_ports: tuple[HostPort, ...]
    claims: tuple[str, ...]
    """Names of the claims behind its volumes."""
    own_claims: frozenset[str]
    """Of these, those that are made for it alone."""
    labels: Mapping[str, str]
    started: str
    """status.startTime; empty for a pod that has not begun."""
    is_deleting: bool
    group: Group
    ties: Ties

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


def of(pod: Obj) -> PodInfo:
    spec = objects.get(pod, "spec", default={})
    affinity = objects.get(spec, "affinity", "nodeAffinity", default={})
    required = affinity.get(REQUIRED)
    return PodInfo(
        uid=identity(pod),
        namespace=objects.namespace(pod),
        name=objects.name(pod),
        priority=spec.get("priority") or 0,
        may_preempt=spec.get("preemptionPolicy") != "Never",
        node_name=spec.get("nodeName") or "",
        requests=requests.of_pod(pod),
        score_requests=requests.for_score(pod),
        node_selector=spec.get("nodeSelector") or {},
        required_terms=None if required is None else required.get("nodeSelectorTerms") or (),
        preferred_terms=affinity.get(PREFERRED) or (),
        tolerations=spec.get("tolerations") or (),
        host_ports=tuple(_host_ports(spec)),
        claims=tuple(dict.fromkeys(volumes.claims_of(pod).values())),
        own_claims=volumes.ephemeral_claims(pod),
        labels=objects.labels(pod),
        started=objects.get(pod, "status", "startTime", default=""),
        is_deleting=objects.is_deleting(pod),
        group=tally.group(objects.namespace(pod), objects.labels(pod), objects.is_deleting(pod)),
        ties=ties.of(pod),
    )


def identity(pod: Obj) -> str:
    """The uid: a pod made anew under the same name is another one."""
    return objects.uid(pod) or f"{objects.namespace(pod)}/{objects.name(pod)}"


def is_placed(pod: Obj) -> bool:
    """Does it take room on a node?"""
    return bool(objects.get(pod, "spec", "nodeName")) and objects.get(pod, "status", "phase") not in _ENDED


def is_waiting(pod: Obj, scheduler_name: str = DEFAULT_SCHEDULER) -> bool:
    """Is it for this scheduler to find it a node now?"""
    spec = objects.get(pod, "spec", default={})
    return (
        not spec.get("nodeName")
        and not spec.get("schedulingGates")
        and (spec.get("schedulerName") or DEFAULT_SCHEDULER) == scheduler_name
        and not objects.is_deleting(pod)
        and objects.get(pod, "status", "phase") not in _ENDED
    )


def differs(old: Obj, new: Obj) -> bool:
    """May ``of`` tell something else of the two?"""
    return old.get("spec") != new.get("spec") or _besides_spec(old) != _besides_spec(new)


def is_as_assumed(old: Obj | None, new: Obj, assumed: PodInfo) -> bool:
    """Did a pod get just the node that it was assumed on, and nothing else?"""
    if old is None or _besides_spec(old) != _besides_spec(new):
        return False
    return bool(new["spec"] == {**old["spec"], "nodeName": assumed.node_name})


def _besides_spec(pod: Obj) -> tuple[object, ...]:
    """Labels, life span, and what containers hold while they are resized (see ``requests.py``)."""
    status = pod.get("status") or {}
    held = [(s.get("allocatedResources"), s.get("resources")) for s in status.get("containerStatuses") or ()]
    return objects.labels(pod), status.get("startTime"), objects.is_deleting(pod), held


def _host_ports(spec: Obj) -> Iterator[HostPort]:
    """Ports of the node itself, sidecars' included."""
    sidecars = (c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always")
    for container in (*(spec.get("containers") or ()), *sidecars):
        for port in container.get("ports") or ():
            if port.get("hostPort"):
                yield HostPort(port.get("protocol") or "TCP", port["hostPort"], port.get("hostIP") or "0.0.0.0")
