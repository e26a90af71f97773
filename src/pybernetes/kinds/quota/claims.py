"""PersistentVolumeClaims: how many, and how much storage they ask for, in all and of each class (core.pvcEvaluator)."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.quota import amounts, evaluator
from pybernetes.kinds.quota.amounts import Amount, Amounts
from pybernetes.kinds.quota.evaluator import Evaluator
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

_COUNT: Final = "persistentvolumeclaims"
_STORAGE: Final = "requests.storage"
_NAMES: Final = frozenset((_COUNT, f"count/{_COUNT}", _STORAGE))
_OF_CLASS: Final = ".storageclass.storage.k8s.io/"
_CLASS_ANNOTATION: Final = "volume.beta.kubernetes.io/storage-class"


def usage(claim: Obj, now: float) -> Amounts:
    """What a claim counts for; while it grows, the most that it may hold."""
    found: dict[str, Amount] = {f"count/{_COUNT}": amounts.ONE, _COUNT: amounts.ONE}
    spec = claim.get("spec") or {}
    held = objects.get(claim, "status", "allocatedResources", default={})
    asked = amounts.greatest(amounts.parse(objects.get(spec, "resources", "requests", default={})), amounts.parse(held))
    storage = asked.get("storage")
    if storage is not None:
        found[_STORAGE] = storage
    name = objects.annotations(claim).get(_CLASS_ANNOTATION, spec.get("storageClassName"))
    if name:
        found[f"{name}{_OF_CLASS}{_COUNT}"] = amounts.ONE
        if storage is not None:
            found[f"{name}{_OF_CLASS}{_STORAGE}"] = storage
    return found


def covers(name: str) -> bool:
    return name in _NAMES or name.endswith((_OF_CLASS + _COUNT, _OF_CLASS + _STORAGE))


def in_scope(term: Obj, claim: Obj) -> bool:
    """VolumeAttributesClass: the class that is wanted, the one that is there and the one that is being set."""
    if term.get("scopeName") != "VolumeAttributesClass":
        return False
    status = claim.get("status") or {}
    names = (
        (claim.get("spec") or {}).get("volumeAttributesClassName"),
        status.get("currentVolumeAttributesClassName"),
        objects.get(status, "modifyVolumeStatus", "targetVolumeAttributesClassName"),
    )
    return evaluator.selects(term, [name for name in names if name])


EVALUATOR: Final = Evaluator(
    group="", plural=_COUNT, usage=usage, covers=covers, in_scope=in_scope,
    doors=(("create", ""), ("update", "")),
)  # fmt: skip
