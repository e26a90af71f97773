"""Revisions: which ReplicaSet is the new one, what number it bears, and the history in its annotations.

Rule: the new ReplicaSet is the one whose template equals the Deployment's, the hash label aside; it always bears the
highest number. One that becomes new again, after an undo, gets a new number and remembers the former.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from pybernetes.controllers import hashing
from pybernetes.controllers.deployment import amounts
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

HASH: Final = "pod-template-hash"
_PREFIX: Final = "deployment.kubernetes.io"
REVISION: Final = f"{_PREFIX}/revision"
HISTORY: Final = f"{_PREFIX}/revision-history"
DESIRED: Final = f"{_PREFIX}/desired-replicas"
MAX: Final = f"{_PREFIX}/max-replicas"
_NOT_COPIED: Final = {
    "kubectl.kubernetes.io/last-applied-configuration",
    "deprecated.deployment.rollback.revision",
    REVISION, HISTORY, DESIRED, MAX,
}  # fmt: skip
_HISTORY_MAX: Final = 2000
"""Most characters of the history annotation; the eldest revisions fall out of it."""


def find_new(deployment: Obj, sets: Iterable[Obj]) -> Obj | None:
    """The eldest ReplicaSet whose template is the Deployment's."""
    wanted = _comparable(deployment["spec"]["template"])
    same = (each for each in sets if _comparable(each["spec"]["template"]) == wanted)
    return min(same, key=by_age, default=None)


def by_age(obj: Obj) -> tuple[str, str]:
    """Sorts the eldest first."""
    return objects.meta(obj).get("creationTimestamp") or "~", objects.name(obj)


def number(obj: Obj) -> int:
    """The revision that an annotation names; 0 without one."""
    return integer(objects.annotations(obj).get(REVISION)) or 0


def next_number(old: Iterable[Obj]) -> int:
    return max(map(number, old), default=0) + 1


def template_hash(template: Obj, collisions: int | None) -> str:
    """What tells the ReplicaSets of a Deployment apart."""
    return hashing.of(template, collisions)


def replica_set(deployment: Obj, hash_: str) -> Obj:
    """The Deployment's new ReplicaSet, still without pods."""
    spec = deployment["spec"]
    labelled = objects.evolve(spec["template"], ("metadata", "labels", HASH), hash_)
    made: Obj = {"replicas": 0, "template": labelled}
    made["selector"] = objects.evolve(spec.get("selector") or {}, ("matchLabels", HASH), hash_)
    if spec.get("minReadySeconds"):
        made["minReadySeconds"] = spec["minReadySeconds"]
    metadata = {
        "name": f"{objects.name(deployment)}-{hash_}",
        "namespace": objects.namespace(deployment),
        "labels": dict(labelled["metadata"]["labels"]),
        "ownerReferences": [objects.owner_reference(deployment)],
    }
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": made}


def annotated(deployment: Obj, new: Obj, revision: int) -> Obj:
    """``new`` with the Deployment's annotations, its revision and the history of its earlier ones."""
    before = objects.annotations(new)
    after = before | {k: v for k, v in objects.annotations(deployment).items() if k not in _NOT_COPIED}
    if number(new) < revision:
        after[REVISION] = str(revision)
        if REVISION in before:
            after[HISTORY] = _history(before.get(HISTORY, ""), before[REVISION])
    return new if after == before else objects.evolve(new, ("metadata", "annotations"), after)


def sized(deployment: Obj, each: Obj, size: int) -> Obj:
    """``each`` with a size, and with notes of the Deployment's size by which a later change of it is seen."""
    notes = {DESIRED: str(amounts.replicas(deployment)), MAX: str(amounts.max_replicas(deployment))}
    each = objects.evolve(each, ("metadata", "annotations"), objects.annotations(each) | notes)
    return objects.evolve(each, ("spec", "replicas"), size)


def integer(text: str | None) -> int | None:
    """An annotation's number; None where there is none."""
    return int(text) if text and text.lstrip("-").isdigit() else None


def _history(earlier: str, last: str) -> str:
    revisions: Sequence[str] = [*filter(None, earlier.split(",")), last]
    while len(",".join(revisions)) > _HISTORY_MAX:
        revisions = revisions[1:]
    return ",".join(revisions)


def _comparable(template: Obj) -> Any:
    return hashing.bare(objects.without(template, ("metadata", "labels", HASH)))
