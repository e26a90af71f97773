"""CEL in admission's objects: which names an expression may use there, and whether it compiles to what is wanted.

Source: pkg/apis/admissionregistration/validation. Neighbours: ``extension.py`` (webhooks), ``policies.py``;
``server/admission/dynamic`` evaluates with the same names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from pybernetes import cel
from pybernetes.kinds.strategy import check
from pybernetes.kinds.strategy.check import Errors
from pybernetes.meta import errors, names
from pybernetes.meta.objects import Obj

WEBHOOK: Final[Mapping[str, str]] = {
    "object": cel.DYN, "oldObject": cel.DYN, "request": cel.DYN, "authorizer": cel.AUTHORIZER,
    "authorizer.requestResource": "kubernetes.authorization.ResourceCheck",
}  # fmt: skip
"""What conditions of webhooks may use."""
POLICY: Final[Mapping[str, str]] = {**WEBHOOK, "namespaceObject": cel.DYN, "variables": cel.DYN}
"""What policies without params may use."""
WITH_PARAMS: Final[Mapping[str, str]] = {**POLICY, "params": cel.DYN}
BOOL: Final = ("bool",)
_CONDITIONS_MAX: Final = 64
_DYNAMIC: Final = "dyn"


def compiles(text: str, path: str, declared: Mapping[str, str], wanted: Sequence[str]) -> Errors:
    """An expression that must evaluate to a value of one of the types ``wanted``; none are all."""
    if not text.strip():
        yield errors.required(path, "expression is not specified")
        return
    try:
        found = cel.compile(text, declared).result_type
    except cel.CompileError as error:
        yield errors.invalid(path, text, f"compilation failed: {error}")
        return
    if wanted and found not in (*wanted, _DYNAMIC):
        listed = wanted[0] if len(wanted) == 1 else f"one of [{' '.join(wanted)}]"
        yield errors.invalid(path, text, f"must evaluate to {listed}")


def parses(text: str, path: str) -> Errors:
    """An expression whose types nobody declares."""
    if not text.strip():
        yield errors.required(path, "expression is not specified")
        return
    try:
        cel.parse(text)
    except cel.CompileError as error:
        yield errors.invalid(path, text, f"compilation failed: {error}")


def conditions(told: Sequence[Obj] | None, path: str, declared: Mapping[str, str]) -> Errors:
    """``matchConditions``."""
    found = told or ()
    if len(found) > _CONDITIONS_MAX:
        yield errors.too_many(path, len(found), _CONDITIONS_MAX)
    for condition, at in check.each(found, path):
        yield from check.required_name(condition.get("name") or "", f"{at}.name", names.qualified_name)
        yield from compiles(condition.get("expression") or "", f"{at}.expression", declared, BOOL)
    yield from check.unique((condition.get("name"), f"{at}.name") for condition, at in check.each(found, path))
