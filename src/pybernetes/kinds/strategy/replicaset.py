"""ReplicaSets and ReplicationControllers: they differ in what they default and in the form of the selector."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.kind import Strategy
from pybernetes.kinds.strategy import check, fill, workload
from pybernetes.kinds.strategy.check import Errors
from pybernetes.kinds.strategy.podspec import defaults
from pybernetes.kinds.strategy.podspec import spec as podspec
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj


def default(obj: Obj) -> None:
    spec = fill.child(obj, "spec")
    fill.absent(spec, "replicas", 1)
    defaults.template(fill.child(spec, "template"))


@check.listed
def validate(obj: Obj) -> Errors:
    yield from workload.counts(obj["spec"])
    yield from workload.selector(obj["spec"], "deployment")
    yield from workload.template(obj["spec"], "ReplicaSet")


def default_controller(obj: Obj) -> None:
    """A ReplicationController takes its labels and its selector from the template where it has none."""
    default(obj)
    spec = obj["spec"]
    labels = spec["template"]["metadata"].get("labels")
    if labels:
        fill.zero(spec, "selector", dict(labels))
        fill.zero(fill.child(obj, "metadata"), "labels", dict(labels))


@check.listed
def validate_controller(obj: Obj) -> Errors:
    spec = obj["spec"]
    yield from workload.counts(spec)
    selector, template = spec.get("selector"), spec["template"]
    labels = template["metadata"].get("labels") or {}
    if not selector:
        yield errors.required("spec.selector")
    elif any(labels.get(key) != value for key, value in selector.items()):
        yield errors.invalid("spec.template.metadata.labels", labels, workload.MISMATCH)
    yield from podspec.template(template, "spec.template")
    yield from _runs_forever(template["spec"], "spec.template.spec")


def _runs_forever(pod: Obj, path: str) -> Errors:
    if pod.get("restartPolicy") != "Always":
        yield errors.not_supported(f"{path}.restartPolicy", pod.get("restartPolicy"), ("Always",))
    if pod.get("activeDeadlineSeconds") is not None:
        text = "activeDeadlineSeconds in ReplicationController is not Supported"
        yield errors.field_forbidden(f"{path}.activeDeadlineSeconds", text)


STRATEGY: Final = Strategy(
    default=default,
    validate=validate,
    validate_update=workload.selector_stays,
    validate_status_update=workload.status_counts,
    warnings=workload.template_warnings,
)
CONTROLLER: Final = Strategy(
    default=default_controller,
    validate=validate_controller,
    validate_status_update=workload.status_counts,
    warnings=workload.template_warnings,
    default_propagation="Orphan",
)
"""Deleted through the API without a word about propagation, a ReplicationController leaves its pods alone."""
