"""Policies and their bindings, compiled once per change.

Sources: admissionregistration/v1, apiserver/pkg/admission/plugin/policy/{validating,mutating}.
Neighbours: ``cases.py`` finds what they have to say about a write, ``policyvalidating.py`` and ``policymutating.py``
evaluate it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, NamedTuple, TypeVar

from pybernetes.kinds.strategy.expressions import WITH_PARAMS
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.server.admission.dynamic import matching
from pybernetes.server.admission.dynamic.expressions import Conditions, Expression
from pybernetes.server.admission.dynamic.matching import Matching

INVALID: Final = "Invalid"
APPLY: Final = "ApplyConfiguration"


class Validation(NamedTuple):
    expression: Expression
    message: str
    message_expression: Expression | None
    reason: str


class Mutation(NamedTuple):
    kind: str
    """``ApplyConfiguration`` or ``JSONPatch``."""
    expression: Expression


S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Policy(Generic[S]):
    name: str
    matching: Matching | None
    conditions: Conditions
    variables: Mapping[str, Expression]
    param_kind: Obj | None
    ignores_failure: bool
    steps: Sequence[S]
    """What it does, one after the other."""
    annotations: Sequence[tuple[str, Expression]] = ()
    """What the audit log is told."""
    reinvoked: bool = False


@dataclass(frozen=True, slots=True)
class Binding:
    name: str
    policy: str
    matching: Matching | None
    param_ref: Obj | None
    actions: frozenset[str] = field(default_factory=frozenset)


def bindings(found: Sequence[Obj]) -> dict[str, list[Binding]]:
    """For ``Compiled``: policy → bindings."""
    by_policy: dict[str, list[Binding]] = {}
    for obj in found:
        spec = obj.get("spec") or {}
        binding = Binding(
            objects.name(obj), spec.get("policyName") or "", matching.of(spec.get("matchResources"), "resourceRules"),
            spec.get("paramRef"), frozenset(spec.get("validationActions") or ()),
        )  # fmt: skip
        by_policy.setdefault(binding.policy, []).append(binding)
    return by_policy


def validating(found: Sequence[Obj]) -> Sequence[Policy[Validation]]:
    """For ``Compiled``: the ValidatingAdmissionPolicies."""
    return [_policy(obj, [_validation(told) for told in obj["spec"].get("validations") or ()]) for obj in found]


def mutating(found: Sequence[Obj]) -> Sequence[Policy[Mutation]]:
    """For ``Compiled``: the MutatingAdmissionPolicies."""
    return [_policy(obj, [_mutation(told) for told in obj["spec"].get("mutations") or ()]) for obj in found]


def _policy(obj: Obj, steps: Sequence[S]) -> Policy[S]:
    spec = obj["spec"]
    return Policy(
        objects.name(obj), matching.of(spec.get("matchConstraints"), "resourceRules"),
        Conditions(spec.get("matchConditions"), WITH_PARAMS),
        {told["name"]: Expression(told["expression"]) for told in spec.get("variables") or ()},
        spec.get("paramKind"), spec.get("failurePolicy") == "Ignore", steps,
        [(told["key"], Expression(told["valueExpression"])) for told in spec.get("auditAnnotations") or ()],
        spec.get("reinvocationPolicy") == "IfNeeded",
    )  # fmt: skip


def _validation(told: Obj) -> Validation:
    spoken = told.get("messageExpression")
    return Validation(
        Expression(told["expression"]), (told.get("message") or "").strip(),
        Expression(spoken) if spoken else None, told.get("reason") or INVALID,
    )  # fmt: skip


def _mutation(told: Obj) -> Mutation:
    kind = told.get("patchType") or APPLY
    key = "applyConfiguration" if kind == APPLY else "jsonPatch"
    return Mutation(kind, Expression(objects.get(told, key, "expression", default=""), None))
