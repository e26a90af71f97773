"""Why an object that is being deleted is still there: finalizers, what it owns, a node that does not answer. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.why.answer import Answer, some
from pybernetes.why.facts import Facts

_KNOWN: Final[Mapping[str, str]] = {
    "foregroundDeletion": "the garbage collector takes it away when all that it owns, and that blocks it, is gone",
    "orphan": "the garbage collector takes it away when what it owned has been set free",
    "kubernetes.io/pvc-protection": "it goes when no pod uses the claim any more",
    "kubernetes.io/pv-protection": "it goes when no claim is bound to the volume any more",
    "batch.kubernetes.io/job-tracking": "the Job's controller takes it away when it has counted the pod",
    "service.kubernetes.io/load-balancer-cleanup": "it goes when the load balancer is taken down",
}


def answer(facts: Facts, obj: Obj, name: str) -> Answer:
    """Of an object with a deletionTimestamp; ``name`` is ``kind/name``."""
    found = [*_finalizers(obj), *_conditions(obj), *_users(facts, obj)]
    if obj.get("kind", "Pod") == "Pod" or name.startswith("pod/"):
        found += _node(facts, obj)
    since = objects.meta(obj)["deletionTimestamp"]
    helps = []
    if unknown := [each for each in objects.finalizers(obj) if each not in _KNOWN]:
        helps = [f"run what serves the finalizer {some(unknown)}, or take it off if that is gone for good"]
    return Answer(
        f"{name} is Terminating (it is to be gone since {since})", found or ["its time to end in is not over"], helps
    )


def _finalizers(obj: Obj) -> Iterator[str]:
    for finalizer in objects.finalizers(obj):
        yield f"finalizer {finalizer}: {_KNOWN.get(finalizer, 'whoever set it has not taken it away')}"


def _conditions(obj: Obj) -> Iterator[str]:
    """A namespace tells itself what is left in it."""
    for condition in objects.get(obj, "status", "conditions", default=[]):
        if condition["type"].startswith("Namespace") and condition["status"] == "True":
            yield f"{condition['type']}: {condition.get('message', '')}"


def _users(facts: Facts, obj: Obj) -> Iterator[str]:
    owned = [each for each in facts.all("pods") if any(o.get("uid") == objects.uid(obj) for o in objects.owners(each))]
    if owned:
        yield f"it still owns pods: {some(map(objects.name, owned))}"


def _node(facts: Facts, pod: Obj) -> Iterator[str]:
    name = objects.get(pod, "spec", "nodeName", default="")
    node = facts.get("nodes", name)
    if name and node is not None and not objects.condition_is(node, "Ready"):
        yield f"its node {name} is not Ready, so nobody there says that the containers have ended"
