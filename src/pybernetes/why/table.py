"""Which kinds can be asked about: by which names, of which resource, who explains, and what has to be read for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.why import ingresses, lingering, nodes, pods, references, services, workloads
from pybernetes.why.answer import Answer
from pybernetes.why.facts import Facts

Explain: TypeAlias = Callable[[Facts, Obj, str], Answer]
"""(facts, the object, ``kind/name``) → why it is as it is."""


@dataclass(frozen=True, slots=True)
class Question:
    names: Sequence[str]
    """What may be typed; the first is shown."""
    resource: str
    explain: Explain
    reads: Sequence[str]


_OF_PODS: Final = (*nodes.RESOURCES, *references.RESOURCES, "events")
_OF_SERVICES: Final = (*_OF_PODS, services.SLICES, services.POLICIES)
_OF_WORKLOADS: Final = (*_OF_PODS, workloads.REPLICA_SETS)

QUESTIONS: Final = (
    Question(("pod", "pods", "po"), "pods", lambda facts, obj, name: pods.answer(facts, obj), _OF_PODS),
    Question(
        ("service", "services", "svc"), "services", lambda facts, obj, name: services.answer(facts, obj), _OF_SERVICES
    ),
    Question(
        ("ingress", "ingresses", "ing"), "ingresses.networking.k8s.io",
        lambda facts, obj, name: ingresses.answer(facts, obj),
        (*_OF_SERVICES, "services", ingresses.CLASSES),
    ),
    *(
        Question((kind, f"{kind}s", short), resource, workloads.answer, _OF_WORKLOADS)
        for kind, short, resource in (
            ("deployment", "deploy", "deployments.apps"), ("replicaset", "rs", "replicasets.apps"),
            ("statefulset", "sts", "statefulsets.apps"), ("daemonset", "ds", "daemonsets.apps"),
            ("job", "jobs", "jobs.batch"),
        )
    ),
)  # fmt: skip


def find(kind: str) -> Question | None:
    """The row for what somebody typed before the slash."""
    return next((row for row in QUESTIONS if kind.lower() in row.names), None)


def other(kind: str, resource: str) -> Question:
    """For every other kind: why it does not go, and what its conditions say."""
    return Question((kind,), resource, _told, ("events", "pods", "nodes"))


def explain(row: Question, facts: Facts, obj: Obj) -> Answer:
    name = f"{row.names[0]}/{objects.name(obj)}"
    if objects.is_deleting(obj):
        return lingering.answer(facts, obj, name)
    return row.explain(facts, obj, name)


def _told(facts: Facts, obj: Obj, name: str) -> Answer:
    conditions = objects.get(obj, "status", "conditions", default=[])
    told = [f"{c['type']} is {c['status']}: {c.get('message') or c.get('reason', '')}" for c in conditions]
    return Answer(f"{name} is there", [*told, *facts.warnings(obj)[:3]])
