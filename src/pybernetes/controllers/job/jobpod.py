"""A Job's pod: the template, a finalizer, and, with an index, all by which the program learns it."""

from __future__ import annotations

from typing import Final

from pybernetes.controllers import podtemplate
from pybernetes.controllers.job import indexes
from pybernetes.controllers.job.view import FINALIZER
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

_ENV: Final = "JOB_COMPLETION_INDEX"
_BASE_MAX: Final = 58
"""So much of a name the server keeps before it adds five letters of its own."""


def made(job: Obj) -> Obj:
    pod = podtemplate.pod(job, job["spec"]["template"])
    pod["metadata"]["finalizers"] = [*objects.finalizers(pod), FINALIZER]
    return pod


def indexed(job: Obj, index: int, notes: dict[str, str]) -> Obj:
    """The pod of an index; ``notes`` are further annotations."""
    pod, name = made(job), objects.name(job)
    metadata, spec = pod["metadata"], pod["spec"]
    suffix = f"-{index}-"
    metadata["generateName"] = name[: _BASE_MAX - len(suffix)] + suffix
    metadata["annotations"] = {**objects.annotations(pod), indexes.INDEX: str(index), **notes}
    metadata["labels"] = {**objects.labels(pod), indexes.INDEX: str(index)}
    spec["hostname"] = f"{name}-{index}"
    for field in ("initContainers", "containers"):
        for container in spec.get(field) or ():
            _tell_index(container)
    return pod


def _tell_index(container: Obj) -> None:
    known = container.get("env") or []
    if all(variable.get("name") != _ENV for variable in known):
        source = {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.labels['{indexes.INDEX}']"}}
        container["env"] = [*known, {"name": _ENV, "valueFrom": source}]
