"""Admission policies and their bindings (pkg/apis/admissionregistration: defaults, validation)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from pybernetes.kinds.kind import Strategy
from pybernetes.kinds.strategy import check, expressions, fill
from pybernetes.kinds.strategy.check import Errors
from pybernetes.meta import errors, names
from pybernetes.meta.objects import Obj

_FAILURE: Final = ("Fail", "Ignore")
_MATCH: Final = ("Equivalent", "Exact")
_REASONS: Final = ("Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized")
_ACTIONS: Final = ("Audit", "Deny", "Warn")
_PATCHES: Final = {"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"}
_MESSAGE_CHARS_MAX: Final = 5 * 1024
_IDENTIFIER: Final = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
_TWICE: Final = (
    "must not contain both Deny and Warn (repeating the same validation failure information in the API response and"
    " headers serves no purpose)"
)


# ── defaults ─────────────────────────────────────────────────────────────────────────────────────────────


def default_policy(obj: Obj) -> None:
    spec = fill.child(obj, "spec")
    fill.absent(spec, "failurePolicy", "Fail")
    if obj.get("kind") == "MutatingAdmissionPolicy":
        fill.absent(spec, "reinvocationPolicy", "Never")
    _default_matching(spec.get("matchConstraints"))


def default_binding(obj: Obj) -> None:
    _default_matching((obj.get("spec") or {}).get("matchResources"))


def _default_matching(matching: Obj | None) -> None:
    if matching is not None:
        fill.all_absent(matching, matchPolicy="Equivalent", namespaceSelector={}, objectSelector={})
        for key in ("resourceRules", "excludeResourceRules"):
            for rule in matching.get(key) or ():
                fill.absent(rule, "scope", "*")


# ── policies ─────────────────────────────────────────────────────────────────────────────────────────────


@check.listed
def validate_validating(obj: Obj) -> Errors:
    """ValidateValidatingAdmissionPolicy."""
    spec = obj.get("spec") or {}
    declared = _declared(spec)
    yield from _common(spec, declared)
    if not spec.get("validations") and not spec.get("auditAnnotations"):
        text = "validations or auditAnnotations must contain at least one item"
        yield errors.required("spec.validations", text)
        yield errors.required("spec.auditAnnotations", text)
    for validation, at in check.each(spec.get("validations"), "spec.validations"):
        yield from _validation(validation, at, declared)
    for annotation, at in check.each(spec.get("auditAnnotations"), "spec.auditAnnotations"):
        yield from check.required_name(annotation.get("key") or "", f"{at}.key", names.qualified_name)
        text, path = annotation.get("valueExpression") or "", f"{at}.valueExpression"
        yield from expressions.compiles(text, path, declared, ("string", "null_type"))


@check.listed
def validate_mutating(obj: Obj) -> Errors:
    """ValidateMutatingAdmissionPolicy."""
    spec = obj.get("spec") or {}
    yield from _common(spec, _declared(spec))
    yield from check.one_of(spec.get("reinvocationPolicy"), "spec.reinvocationPolicy", ("IfNeeded", "Never"))
    if not spec.get("mutations"):
        yield errors.required("spec.mutations", "mutations must contain at least one item")
    for mutation, at in check.each(spec.get("mutations"), "spec.mutations"):
        kind = mutation.get("patchType")
        yield from check.one_of(kind, f"{at}.patchType", tuple(_PATCHES))
        if kind in _PATCHES:
            key = _PATCHES[kind]
            text = (mutation.get(key) or {}).get("expression") or ""
            yield from expressions.parses(text, f"{at}.{key}.expression")


def _declared(spec: Obj) -> Mapping[str, str]:
    return expressions.WITH_PARAMS if spec.get("paramKind") is not None else expressions.POLICY


def _common(spec: Obj, declared: Mapping[str, str]) -> Errors:
    yield from check.one_of(spec.get("failurePolicy"), "spec.failurePolicy", _FAILURE)
    if (kind := spec.get("paramKind")) is not None:
        for key in ("apiVersion", "kind"):
            if not kind.get(key):
                yield errors.required(f"spec.paramKind.{key}")
    if (matching := spec.get("matchConstraints")) is None:
        yield errors.required("spec.matchConstraints")
    else:
        if not matching.get("resourceRules"):
            yield errors.required("spec.matchConstraints.resourceRules")
        yield from _matching(matching, "spec.matchConstraints")
    yield from expressions.conditions(spec.get("matchConditions"), "spec.matchConditions", declared)
    yield from _variables(spec, declared)


def _variables(spec: Obj, declared: Mapping[str, str]) -> Errors:
    found = spec.get("variables")
    for variable, at in check.each(found, "spec.variables"):
        name = variable.get("name") or ""
        if not name:
            yield errors.required(f"{at}.name", "name is not specified")
        elif not _IDENTIFIER.fullmatch(name):
            yield errors.invalid(f"{at}.name", name, "name is not a valid CEL identifier")
        yield from expressions.compiles(variable.get("expression") or "", f"{at}.expression", declared, ())
    yield from check.unique(
        (variable.get("name"), f"{at}.name") for variable, at in check.each(found, "spec.variables")
    )


def _validation(validation: Obj, path: str, declared: Mapping[str, str]) -> Errors:
    text = validation.get("expression") or ""
    yield from expressions.compiles(text, f"{path}.expression", declared, expressions.BOOL)
    message = validation.get("message") or ""
    if "\n" in message:
        yield errors.invalid(f"{path}.message", message, "message must not contain line breaks")
    elif "\n" in text.strip() and not message:
        yield errors.required(f"{path}.message", "message must be specified if expression contains line breaks")
    if len(message) > _MESSAGE_CHARS_MAX:
        yield errors.too_long(f"{path}.message", _MESSAGE_CHARS_MAX)
    if spoken := validation.get("messageExpression"):
        yield from expressions.compiles(spoken, f"{path}.messageExpression", declared, ("string",))
    yield from check.one_of(validation.get("reason"), f"{path}.reason", _REASONS, required=False)


def _matching(matching: Obj, path: str) -> Errors:
    yield from check.one_of(matching.get("matchPolicy"), f"{path}.matchPolicy", _MATCH)
    for key in ("namespaceSelector", "objectSelector"):
        yield from check.label_selector(matching.get(key), f"{path}.{key}")
    for key in ("resourceRules", "excludeResourceRules"):
        for rule, at in check.each(matching.get(key), f"{path}.{key}"):
            for part in ("operations", "apiGroups", "apiVersions", "resources"):
                if not rule.get(part):
                    yield errors.required(f"{at}.{part}")


# ── bindings ─────────────────────────────────────────────────────────────────────────────────────────────


@check.listed
def validate_binding(obj: Obj) -> Errors:
    """ValidateValidatingAdmissionPolicyBinding, ValidateMutatingAdmissionPolicyBinding."""
    spec = obj.get("spec") or {}
    yield from check.required_name(spec.get("policyName") or "", "spec.policyName", names.dns1123_subdomain)
    if (matching := spec.get("matchResources")) is not None:
        yield from _matching(matching, "spec.matchResources")
    if (ref := spec.get("paramRef")) is not None:
        yield from _param_ref(ref, "spec.paramRef")
    if obj.get("kind") == "ValidatingAdmissionPolicyBinding":
        yield from _actions(spec.get("validationActions") or [], "spec.validationActions")


def _param_ref(ref: Obj, path: str) -> Errors:
    if ref.get("name") and ref.get("selector") is not None:
        for key in ("name", "selector"):
            yield errors.field_forbidden(f"{path}.{key}", "name and selector are mutually exclusive")
    elif not ref.get("name") and ref.get("selector") is None:
        yield errors.required(path, "one of name or selector must be specified")
    yield from check.one_of(ref.get("parameterNotFoundAction"), f"{path}.parameterNotFoundAction", ("Allow", "Deny"))
    yield from check.label_selector(ref.get("selector"), f"{path}.selector")


def _actions(actions: list[str], path: str) -> Errors:
    if not actions:
        yield errors.required(path, "at least one validation action is required")
    for action, at in check.each(actions, path):
        yield from check.one_of(action, at, _ACTIONS)
    yield from check.unique((action, at) for action, at in check.each(actions, path))
    if {"Deny", "Warn"} <= set(actions):
        yield errors.invalid(path, actions, _TWICE)


VALIDATING: Final = Strategy(default=default_policy, validate=validate_validating, unconditional_update=False)
MUTATING: Final = Strategy(default=default_policy, validate=validate_mutating, unconditional_update=False)
BINDING: Final = Strategy(default=default_binding, validate=validate_binding, unconditional_update=False)
