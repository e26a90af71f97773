"""ValidatingAdmissionPolicy: expressions that must hold of a write, or it is denied, warned of, or noted.

Source: apiserver/pkg/admission/plugin/policy/validating. Rule: all policies are evaluated; the first denial is told, as
upstream tells it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import orjson

from pybernetes import cel
from pybernetes.meta import errors
from pybernetes.server.admission.attributes import Attributes, forbidden
from pybernetes.server.admission.dynamic import cases
from pybernetes.server.admission.dynamic.cases import Case, Misconfigured
from pybernetes.server.admission.dynamic.policies import INVALID, Binding, Policy, Validation
from pybernetes.server.admission.dynamic.question import Write, is_exempt
from pybernetes.server.admission.plugin import Plugin, World

_CLASSES: Final[dict[str, type[errors.ApiError]]] = {
    "Unauthorized": errors.Unauthorized, "Forbidden": errors.Forbidden,
    "RequestEntityTooLarge": errors.RequestEntityTooLarge,
}  # fmt: skip
_FAILURE: Final = "validation.policy.admission.k8s.io/validation_failure"
_MESSAGE_CHARS_MAX: Final = 5 * 1024


class Failure(NamedTuple):
    """Something that does not hold, or could not be found out."""

    policy: Policy[Validation]
    binding: Binding | None
    message: str
    reason: str = INVALID
    place: int = 0

    def __str__(self) -> str:
        bound = f" with binding '{self.binding.name}'" if self.binding is not None else ""
        return f"ValidatingAdmissionPolicy '{self.policy.name}'{bound} denied request: {self.message}"


async def validate(world: World, a: Attributes) -> None:
    """Raises ApiError; warns."""
    if is_exempt(a) or not (bound := await world.validating_bindings.current()):
        return
    write = Write(world, a)
    denied: list[Failure] = []
    for policy in await world.validating_policies.current():
        for binding, row in cases.concerned(write, policy, bound.get(policy.name, ())):
            try:
                for case in cases.cases(write, policy, binding, row):
                    denied += _judged(a, case)
            except Misconfigured as error:
                if not policy.ignores_failure:
                    denied.append(Failure(policy, binding, f"failed to configure binding: {error}"))
    if denied:
        raise _refusal(a, denied[0])


def _refusal(a: Attributes, failure: Failure) -> errors.ApiError:
    refused = forbidden(a, str(failure), [errors.Cause("", str(failure))])
    made = _CLASSES.get(failure.reason, errors.Invalid)
    return made(refused.message, group=refused.group, kind=refused.kind, name=refused.name, causes=refused.causes)


def _judged(a: Attributes, case: Case) -> list[Failure]:
    """The denials of one case; what is only warned of or noted is so here."""
    failures = list(_failures(case))
    actions = case.binding.actions
    if failures and "Warn" in actions:
        for failure in failures:
            a.warn(
                f"Validation failed for ValidatingAdmissionPolicy '{case.policy.name}' with binding"
                f" '{case.binding.name}': {failure.message}"
            )
    if failures and "Audit" in actions:
        _note(a, failures)
    denied = failures if "Deny" in actions else []
    return [*denied, *_annotated(a, case)]


def _failures(case: Case) -> Iterator[Failure]:
    policy = case.policy
    try:
        if policy.conditions and not policy.conditions.hold(case.variables, case.budget):
            return
    except cel.CelError as error:
        if not policy.ignores_failure:
            yield Failure(policy, case.binding, str(error))
        return
    for index, validation in enumerate(policy.steps):
        try:
            value = validation.expression.evaluate(case.variables, case.budget)
        except cel.CelError as error:
            if not policy.ignores_failure:
                told = f"expression '{validation.expression.text}' resulted in error: {error}"
                yield Failure(policy, case.binding, told, place=index)
            continue
        if value is not True:
            yield Failure(policy, case.binding, _message(case, validation), validation.reason, index)


def _message(case: Case, validation: Validation) -> str:
    """The message that is evaluated, else the one that is written, else the expression."""
    spoken: Any = None
    if validation.message_expression is not None:
        try:
            spoken = validation.message_expression.evaluate(case.variables, case.budget)
        except cel.CelError:
            spoken = None  # as upstream: the message falls back to what is written
    if isinstance(spoken, str) and (text := spoken.strip()) and "\n" not in text and len(text) <= _MESSAGE_CHARS_MAX:
        return text
    return validation.message or f"failed expression: {validation.expression.text.strip()}"


def _note(a: Attributes, failures: Sequence[Failure]) -> None:
    noted = orjson.loads(a.annotations.get(_FAILURE) or b"[]")
    noted += [
        {
            "message": failure.message, "policy": failure.policy.name, "binding": failure.binding.name,
            "expressionIndex": failure.place, "validationActions": sorted(failure.binding.actions),
        }
        for failure in failures if failure.binding is not None
    ]  # fmt: skip
    a.annotations[_FAILURE] = orjson.dumps(noted).decode()


def _annotated(a: Attributes, case: Case) -> Iterator[Failure]:
    """Tell the audit log what the policy wants it to know; what cannot be evaluated denies."""
    for key, expression in case.policy.annotations:
        try:
            value = expression.evaluate(case.variables, case.budget)
        except cel.CelError as error:
            if not case.policy.ignores_failure:
                yield Failure(case.policy, case.binding, f"expression '{expression.text}' resulted in error: {error}")
            continue
        if isinstance(value, str) and value.strip():
            name = f"{case.policy.name}/{key}"
            there = a.annotations.get(name)
            a.annotations[name] = f"{there}, {value.strip()}" if there else value.strip()


PLUGIN: Final = Plugin(
    name="ValidatingAdmissionPolicy", verbs=("create", "update", "delete", "connect"), subresources=None,
    validate=validate,
)  # fmt: skip
