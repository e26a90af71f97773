"""What a Job may say about indexes, failure and success (pkg/apis/batch/validation).

Neighbours: ``job.py`` judges the rest; ``controllers/job/policies.py`` does what is said here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pybernetes.kinds.strategy import check
from pybernetes.kinds.strategy.check import Errors
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj

_PARALLELISM_MAX: Final = 100_000
_RULES_MAX: Final = 20
_VALUES_MAX: Final = 255
_PATTERNS_MAX: Final = 20
_ACTIONS: Final = ("Count", "FailIndex", "FailJob", "Ignore")
_OPERATORS: Final = ("In", "NotIn")
_INDEXED: Final = "requires indexed completion mode"


def judge(spec: Obj, path: str) -> Errors:
    yield from _indexes(spec, path)
    yield from _replacement(spec, f"{path}.podReplacementPolicy")
    if spec.get("podFailurePolicy") is not None:
        yield from _failure(spec, f"{path}.podFailurePolicy.rules")
    if spec.get("successPolicy") is not None:
        yield from _success(spec, f"{path}.successPolicy")


def _is_indexed(spec: Obj) -> bool:
    return spec.get("completionMode") == "Indexed"


def _indexes(spec: Obj, path: str) -> Errors:
    limit, most = spec.get("backoffLimitPerIndex"), spec.get("maxFailedIndexes")
    if most is not None and limit is None:
        yield errors.required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified")
    if not _is_indexed(spec):
        for field in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if spec.get(field) is not None:
                yield errors.invalid(f"{path}.{field}", spec[field], _INDEXED)
        return
    if (width := spec.get("parallelism") or 0) > _PARALLELISM_MAX:
        text = f"must be less than or equal to {_PARALLELISM_MAX} when completion mode is Indexed"
        yield errors.invalid(f"{path}.parallelism", width, text)
    if most is not None and spec.get("completions") is not None and most > spec["completions"]:
        yield errors.invalid(f"{path}.maxFailedIndexes", most, "must be less than or equal to completions")


def _replacement(spec: Obj, path: str) -> Errors:
    allowed = ("Failed",) if spec.get("podFailurePolicy") else ("Failed", "TerminatingOrFailed")
    yield from check.one_of(spec.get("podReplacementPolicy"), path, allowed, required=False)


# ── failure ──────────────────────────────────────────────────────────────────────────────────────────────


def _failure(spec: Obj, path: str) -> Errors:
    rules = spec["podFailurePolicy"].get("rules") or []
    if len(rules) > _RULES_MAX:
        yield errors.too_many(path, len(rules), _RULES_MAX)
    pod = (spec.get("template") or {}).get("spec") or {}
    names = [c.get("name") for field in ("containers", "initContainers") for c in pod.get(field) or ()]
    for rule, at in check.each(rules, path):
        yield from _action(spec, rule.get("action"), f"{at}.action")
        yield from _occasion(rule, at, names)


def _action(spec: Obj, action: Any, path: str) -> Errors:
    yield from check.one_of(action, path, _ACTIONS)
    if action == "FailIndex" and spec.get("backoffLimitPerIndex") is None:
        yield errors.invalid(path, action, "requires the backoffLimitPerIndex to be set")


def _occasion(rule: Obj, path: str, names: Sequence[Any]) -> Errors:
    codes, patterns = rule.get("onExitCodes"), rule.get("onPodConditions") or []
    if codes is not None:
        yield from _codes(codes, f"{path}.onExitCodes", names)
    yield from _patterns(patterns, f"{path}.onPodConditions")
    if codes is not None and patterns:
        yield errors.invalid(path, rule, "specifying both OnExitCodes and OnPodConditions is not supported")
    if codes is None and not patterns:
        yield errors.invalid(path, rule, "specifying one of OnExitCodes and OnPodConditions is required")


def _codes(codes: Obj, path: str, names: Sequence[Any]) -> Errors:
    yield from check.one_of(codes.get("operator"), f"{path}.operator", _OPERATORS)
    name, values = codes.get("containerName"), codes.get("values") or []
    if name is not None and name not in names:
        text = "must be one of the container or initContainer names in the pod template"
        yield errors.invalid(f"{path}.containerName", name, text)
    if not values:
        yield errors.invalid(f"{path}.values", values, "at least one value is required")
    elif len(values) > _VALUES_MAX:
        yield errors.too_many(f"{path}.values", len(values), _VALUES_MAX)
    if list(values) != sorted(values):
        yield errors.invalid(f"{path}.values", values, "must be ordered")
    seen = set[int]()
    for value, at in check.each(values, f"{path}.values"):
        if value in seen:
            yield errors.duplicate(at, value)
        if value == 0 and codes.get("operator") == "In":
            yield errors.invalid(at, value, "must not be 0 for the In operator")
        seen.add(value)


def _patterns(patterns: Sequence[Obj], path: str) -> Errors:
    if len(patterns) > _PATTERNS_MAX:
        yield errors.too_many(path, len(patterns), _PATTERNS_MAX)
    for pattern, at in check.each(patterns, path):
        yield from check.label_name(pattern.get("type") or "", f"{at}.type")
        yield from check.one_of(pattern.get("status"), f"{at}.status", ("False", "True", "Unknown"), required=False)


# ── success ──────────────────────────────────────────────────────────────────────────────────────────────


def _success(spec: Obj, path: str) -> Errors:
    if not _is_indexed(spec):
        yield errors.invalid(path, spec["successPolicy"], _INDEXED)
        return
    rules = spec["successPolicy"].get("rules") or []
    if not rules:
        text = "at least one rules must be specified when the successPolicy is specified"
        yield errors.required(f"{path}.rules", text)
    elif len(rules) > _RULES_MAX:
        yield errors.too_many(f"{path}.rules", len(rules), _RULES_MAX)
    for rule, at in check.each(rules, f"{path}.rules"):
        yield from _enough(rule, at, spec.get("completions") or 0)


def _enough(rule: Obj, path: str, completions: int) -> Errors:
    count, text = rule.get("succeededCount"), rule.get("succeededIndexes")
    if count is None and text is None:
        yield errors.required(path, "at least one of succeededCount or succeededIndexes must be specified")
        return
    chosen = completions
    if text is not None:
        try:
            chosen = _total(text, completions)
        except ValueError as why:
            yield errors.invalid(f"{path}.succeededIndexes", text, f"error parsing succeededIndexes: {why}")
            return
    yield from check.non_negative(count, f"{path}.succeededCount")
    if count is not None and count > chosen:
        of = "the number of specified completions" if text is None else "the number of indexes in the specified set"
        size = f"must be less than or equal to {chosen}, {of}"
        yield errors.invalid(f"{path}.succeededCount", count, size)


def _total(text: str, completions: int) -> int:
    """How many indexes a text names. Raises ValueError where it is none, or out of order."""
    total, before = 0, -1
    for part in text.split(","):
        low, dash, high = part.partition("-")
        if not low.isdecimal() or (dash and not high.isdecimal()):
            raise ValueError(f'cannot convert string to integer for index: "{part}"')
        first, last = int(low), int(high or low)
        if last >= completions:
            raise ValueError(f'too large index: "{part}"')
        if first <= before or (dash and last <= first):
            raise ValueError(f'non-increasing order, previous: {before}, current: "{part}"')
        total, before = total + last - first + 1, last
    return total
