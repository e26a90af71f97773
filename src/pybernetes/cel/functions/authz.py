"""``authorizer``: what an admission policy may ask about rights. Who knows the answer is handed in as ``decide``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from pybernetes.cel.functions.function import Function, on
from pybernetes.cel.values import CelError, Opaque


@dataclass(frozen=True, slots=True)
class Question:
    """May the asking user, or the service account that is named, do this?"""

    verb: str = ""
    path: str = ""
    """Set: not about a resource."""
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    field_selector: str = ""
    label_selector: str = ""
    service_account: tuple[str, str] | None = None
    """(namespace, name)."""


@dataclass(frozen=True, slots=True)
class Verdict:
    allowed: bool
    reason: str = ""
    error: str = ""


Decide: TypeAlias = Callable[[Question], Verdict]


class _Asking(Opaque):
    """A question under way."""

    __slots__ = ("decide", "question")

    def __init__(self, decide: Decide, question: Question) -> None:
        self.decide, self.question = decide, question


class Authorizer(_Asking):
    """The variable ``authorizer``."""

    __slots__ = ()
    type_name = "kubernetes.authorization.Authorizer"

    def __init__(self, decide: Decide, question: Question = Question()) -> None:
        super().__init__(decide, question)


class PathCheck(_Asking):
    __slots__ = ()
    type_name = "kubernetes.authorization.PathCheck"


class GroupCheck(_Asking):
    __slots__ = ()
    type_name = "kubernetes.authorization.GroupCheck"


class ResourceCheck(_Asking):
    """Also the variable ``authorizer.requestResource``."""

    __slots__ = ()
    type_name = "kubernetes.authorization.ResourceCheck"


class Decision(Opaque):
    __slots__ = ("verdict",)
    type_name = "kubernetes.authorization.Decision"

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict


def _refined(kind: type[_Asking], field: str) -> Callable[[_Asking, str], _Asking]:
    return lambda asking, text: kind(asking.decide, replace(asking.question, **{field: text}))  # type: ignore[arg-type]


def _service_account(asking: Authorizer, namespace: str, name: str) -> Authorizer:
    return Authorizer(asking.decide, replace(asking.question, service_account=(namespace, name)))


def _path(asking: Authorizer, path: str) -> _Asking:
    if not path:
        raise CelError("path must not be empty")
    return PathCheck(asking.decide, replace(asking.question, path=path))


def _check(asking: _Asking, verb: str) -> Decision:
    return Decision(asking.decide(replace(asking.question, verb=verb)))


_A, _P, _G, _R, _D = (
    cls.type_name for cls in (Authorizer, PathCheck, GroupCheck, ResourceCheck, Decision)
)  # fmt: skip


def _resource(name: str, field: str) -> Function:
    return on(name, f"{_R}, string -> {_R}", _refined(ResourceCheck, field))


def _told(name: str, result: str, tell: Callable[[Verdict], Any]) -> Function:
    return on(name, f"{_D} -> {result}", lambda decision: tell(decision.verdict))


TABLE: Final[tuple[Function, ...]] = (
    on("path", f"{_A}, string -> {_P}", _path),
    on("group", f"{_A}, string -> {_G}", _refined(GroupCheck, "group")),
    on("serviceAccount", f"{_A}, string, string -> {_A}", _service_account),
    on("resource", f"{_G}, string -> {_R}", _refined(ResourceCheck, "resource")),
    _resource("subresource", "subresource"),
    _resource("namespace", "namespace"),
    _resource("name", "name"),
    _resource("fieldSelector", "field_selector"),
    _resource("labelSelector", "label_selector"),
    on("check", f"{_P}, string -> {_D}", _check),
    on("check", f"{_R}, string -> {_D}", _check),
    _told("allowed", "bool", lambda verdict: verdict.allowed),
    _told("reason", "string", lambda verdict: verdict.reason),
    _told("errored", "bool", lambda verdict: bool(verdict.error)),
    _told("error", "string", lambda verdict: verdict.error),
)
