"""MutatingAdmissionPolicy: expressions say how a write is to be changed, by an apply configuration or a JSON patch.

Source: apiserver/pkg/admission/plugin/policy/mutating. Rule: each mutation sees what the former ones have made.
"""

from __future__ import annotations

from typing import Any, Final

from pybernetes import cel
from pybernetes.kinds.kind import Kind
from pybernetes.meta import errors, fieldmerge, fieldschema, jsonpatch
from pybernetes.meta.objects import Obj
from pybernetes.server.admission.attributes import Attributes, forbidden
from pybernetes.server.admission.dynamic import cases, mutating, rounds
from pybernetes.server.admission.dynamic.cases import Case, Misconfigured
from pybernetes.server.admission.dynamic.policies import APPLY, Binding, Mutation, Policy
from pybernetes.server.admission.dynamic.question import Write, is_exempt
from pybernetes.server.admission.plugin import Plugin, World

_FIXED: Final = ("apiVersion", "kind")


class _Failed(Exception):
    """A mutation that could not be made."""


async def admit(world: World, a: Attributes) -> None:
    """Raises ApiError."""
    if is_exempt(a) or a.obj is None or not (bound := await world.mutating_bindings.current()):
        return
    write = Write(world, a)
    turns = a.rounds = a.rounds or rounds.Rounds()
    turns.begin(rounds.POLICIES, a.obj)
    for policy in await world.mutating_policies.current():
        for binding, row in cases.concerned(write, policy, bound.get(policy.name, ())):
            uid = f"{policy.name}/{binding.name}"
            if turns.is_due(rounds.POLICIES, uid):
                changed = _mutated(write, policy, binding, row)
                turns.called(rounds.POLICIES, uid, changed=changed, again=policy.reinvoked)
    turns.end(rounds.POLICIES, a.obj)


def _mutated(write: Write, policy: Policy[Mutation], binding: Binding, row: Kind) -> bool:
    """Has the policy changed the object? Raises Forbidden."""
    changed = False
    try:
        for case in cases.cases(write, policy, binding, row):
            if not policy.conditions or policy.conditions.hold(case.variables, case.budget):
                for mutation in policy.steps:
                    changed = _one(write, case, mutation) or changed
    except (Misconfigured, _Failed, cel.CelError) as error:
        if not policy.ignores_failure:
            told = f"policy '{policy.name}' with binding '{binding.name}' denied request: {error}"
            refused = forbidden(write.attributes, told, [errors.Cause("", told)])
            refused.message = told
            raise refused from error
    return changed


def _one(write: Write, case: Case, mutation: Mutation) -> bool:
    shown: Any = write.shown(case.row, write.attributes.obj)
    try:
        value = mutation.expression.evaluate({**case.variables, "object": shown}, case.budget)
    except cel.CelError as error:
        raise _Failed(f"expression '{mutation.expression.text}' resulted in error: {error}") from error
    made = _applied(write, case.row, shown, value) if mutation.kind == APPLY else _patched(shown, value)
    return mutating.replace(write, case.row, made)


def _applied(write: Write, row: Kind, shown: Obj, value: Any) -> Obj:
    """The object with what an apply configuration says, lists merged by their keys."""
    if not isinstance(value, dict):
        raise _Failed(f"must return an object but got {type(value).__name__}")
    if wrong := [key for key in _FIXED if key in value and value[key] != shown.get(key)]:
        raise _Failed(f"an apply configuration may not change {wrong[0]}")
    merged: Obj = fieldmerge.merged(fieldschema.root(write.world.schemas, row.definition), shown, value)
    return merged


def _patched(shown: Obj, value: Any) -> Any:
    if not isinstance(value, list):
        raise _Failed(f"must return a list of JSONPatch but got {type(value).__name__}")
    try:
        return jsonpatch.apply(shown, value)
    except errors.ApiError as error:
        raise _Failed(f"JSON Patch: {error.message}") from error


PLUGIN: Final = Plugin(
    name="MutatingAdmissionPolicy", verbs=("create", "update", "connect"), subresources=None, admit=admit
)
