"""What all owners of pods share: a selector that fits a template, replicas, and how pods are replaced.

Neighbours: ``deployment``, ``replicaset``, ``replicationcontroller``, ``daemonset``, ``statefulset`` and ``job``.
Rules follow pkg/apis/apps/validation and pkg/apis/core/validation (ValidatePodTemplateSpecForRS and its likes).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from pybernetes.kinds.strategy import check, podwarnings
from pybernetes.kinds.strategy.check import Errors
from pybernetes.kinds.strategy.podspec import spec as podspec
from pybernetes.meta import errors, selectors
from pybernetes.meta.errors import FieldError
from pybernetes.meta.objects import Obj

_TEMPLATE: Final = "spec.template"
_COUNTS: Final = ("replicas", "minReadySeconds", "revisionHistoryLimit")
MISMATCH: Final = "`selector` does not match template `labels`"


def counts(spec: Obj) -> Errors:
    """``replicas``, ``minReadySeconds`` and ``revisionHistoryLimit`` are not negative."""
    for key in _COUNTS:
        yield from check.non_negative(spec.get(key), f"spec.{key}")


def selector(spec: Obj, noun: str) -> Errors:
    """A label selector that is there and selects something. ``noun`` is the kind as upstream's sentence names it."""
    value = spec.get("selector")
    if value is None:
        yield errors.required("spec.selector")
        return
    yield from check.label_selector(value, "spec.selector")
    if check.is_empty_selector(value):
        yield errors.invalid("spec.selector", value, f"empty selector is invalid for {noun}")


def template(spec: Obj, kind: str) -> Errors:
    """A pod template that its owner's selector finds and whose pods run forever. ``kind`` names the owner."""
    value = spec.get("template")
    if value is None:
        yield errors.required(_TEMPLATE)
        return
    yield from _found_by(spec.get("selector"), value)
    yield from podspec.template(value, _TEMPLATE)
    pod = value.get("spec") or {}
    if pod.get("restartPolicy") != "Always":
        yield errors.not_supported(f"{_TEMPLATE}.spec.restartPolicy", pod.get("restartPolicy"), ("Always",))
    if pod.get("activeDeadlineSeconds") is not None:
        text = f"activeDeadlineSeconds in {kind} is not Supported"
        yield errors.field_forbidden(f"{_TEMPLATE}.spec.activeDeadlineSeconds", text)


def _found_by(selector: Obj | None, value: Obj) -> Errors:
    if check.is_empty_selector(selector) or list(check.label_selector(selector, "")):
        return
    labels = (value.get("metadata") or {}).get("labels") or {}
    if not selectors.from_label_selector(selector).matches(labels):
        yield errors.invalid(f"{_TEMPLATE}.metadata.labels", labels, MISMATCH)


@check.listed
def selector_stays(new: Obj, old: Obj) -> Errors:
    """A selector is for life: changed, it would leave pods behind."""
    yield from check.immutable(new["spec"].get("selector"), old["spec"].get("selector"), "spec.selector")


@check.listed
def status_counts(new: Obj, old: Obj) -> Errors:
    """Numbers of a status are not negative."""
    for key, value in (new.get("status") or {}).items():
        if isinstance(value, int) and not isinstance(value, bool):
            yield from check.non_negative(value, f"status.{key}")


def template_warnings(obj: Obj, old: Obj | None) -> Sequence[str]:
    """Warnings of the template at ``spec.template``."""
    before = old["spec"].get("template") if old else None
    return podwarnings.template((obj.get("spec") or {}).get("template"), before, _TEMPLATE)


def changed(*paths: Sequence[str]) -> Callable[[Obj, Obj], bool]:
    """A ``Strategy.generation`` that looks at the named paths."""

    def grows(new: Obj, old: Obj) -> bool:
        return any(_at(new, path) != _at(old, path) for path in paths)

    return grows


def _at(obj: Any, path: Sequence[str]) -> Any:
    for step in path:
        obj = (obj or {}).get(step)
    return obj or None


# ── rolling updates ──────────────────────────────────────────────────────────────────────────────────────


def amount(value: int | str | None, path: str) -> Errors:
    """A number of pods, or a share of them up to 100%."""
    yield from check.positive_int_or_percent(value, path)
    yield from check.not_over_100_percent(value, path)


def is_zero(value: Any) -> bool:
    return value in (None, 0) or check.percent(value) == 0


def forbidden_rolling_update(strategy: Obj, path: str) -> list[FieldError]:
    """Complaints about a ``rollingUpdate`` beside a strategy that is none."""
    if strategy.get("rollingUpdate") is None:
        return []
    text = f"may not be specified when strategy `type` is '{strategy.get('type')}'"
    return [errors.field_forbidden(f"{path}.rollingUpdate", text)]
