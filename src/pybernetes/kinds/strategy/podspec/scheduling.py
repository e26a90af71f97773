"""Where a pod may run: tolerations, affinities, spread constraints (validation.ValidateTolerations and neighbours)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from pybernetes.kinds.strategy import check
from pybernetes.kinds.strategy.check import Errors
from pybernetes.meta import errors, names
from pybernetes.meta.objects import Obj

TAINT_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"
_INTEGER: Final = re.compile(r"^[+-]?\d+$")


def tolerations(items: Sequence[Obj] | None, path: str) -> Errors:
    """``tolerations``."""
    for toleration, at in check.each(items, path):
        yield from _toleration(toleration, at)


def _toleration(toleration: Obj, path: str) -> Errors:
    key, operator = toleration.get("key") or "", toleration.get("operator") or ""
    effect, value = toleration.get("effect") or "", toleration.get("value") or ""
    if key:
        yield from check.label_name(key, f"{path}.key")
    elif operator != "Exists":
        text = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        yield errors.invalid(f"{path}.operator", operator, text)
    if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
        yield errors.invalid(f"{path}.effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")
    if operator in ("", "Equal"):
        if bad := names.label_value(value):
            yield errors.invalid(f"{path}.operator", value, ";".join(bad))
    elif operator == "Exists":
        if value:
            yield errors.invalid(f"{path}.operator", toleration, "value must be empty when `operator` is 'Exists'")
    elif operator in ("Gt", "Lt"):
        if not _INTEGER.match(value):
            yield errors.invalid(f"{path}.value", value, "value must be a valid integer")
    else:
        yield errors.not_supported(f"{path}.operator", operator, ("Equal", "Exists"))
    yield from check.one_of(effect, f"{path}.effect", TAINT_EFFECTS, required=False)


# ── affinity ─────────────────────────────────────────────────────────────────────────────────────────────


def affinity(value: Obj | None, path: str) -> Errors:
    """``affinity``: nodes, pods, and pods to stay away from."""
    if not value:
        return
    if node := value.get("nodeAffinity"):
        yield from _node_affinity(node, f"{path}.nodeAffinity")
    for key in ("podAffinity", "podAntiAffinity"):
        if pods := value.get(key):
            yield from _pod_affinity(pods, f"{path}.{key}")


def _node_affinity(value: Obj, path: str) -> Errors:
    if (required := value.get(_REQUIRED)) is not None:
        yield from node_selector(required, f"{path}.{_REQUIRED}")
    for term, at in check.each(value.get(_PREFERRED), f"{path}.{_PREFERRED}"):
        yield from _weight(term, at)
        yield from node_selector_term(term.get("preference") or {}, f"{at}.preference")


def _weight(term: Obj, path: str) -> Errors:
    weight = term.get("weight") or 0
    if not 1 <= weight <= 100:
        yield errors.invalid(f"{path}.weight", weight, "must be in the range 1-100")


def node_selector(selector: Obj, path: str) -> Errors:
    """A NodeSelector: also in PersistentVolumes and StorageClasses."""
    terms = selector.get("nodeSelectorTerms") or []
    if not terms:
        yield errors.required(f"{path}.nodeSelectorTerms", "must have at least one node selector term")
    for term, at in check.each(terms, f"{path}.nodeSelectorTerms"):
        yield from node_selector_term(term, at)


def node_selector_term(term: Obj, path: str) -> Errors:
    for requirement, at in check.each(term.get("matchExpressions"), f"{path}.matchExpressions"):
        yield from _node_requirement(requirement, at)
        yield from check.label_name(requirement.get("key") or "", f"{at}.key")
    for requirement, at in check.each(term.get("matchFields"), f"{path}.matchFields"):
        yield from _field_requirement(requirement, at)


def _node_requirement(requirement: Obj, path: str) -> Errors:
    operator, values = requirement.get("operator") or "", requirement.get("values") or []
    if operator in ("In", "NotIn"):
        if not values:
            yield errors.required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            yield errors.field_forbidden(f"{path}.values", text)
    elif operator in ("Gt", "Lt"):
        if len(values) != 1:
            text = "must be specified single value when `operator` is 'Lt' or 'Gt'"
            yield errors.required(f"{path}.values", text)
    else:
        yield errors.invalid(f"{path}.operator", operator, "not a valid selector operator")


def _field_requirement(requirement: Obj, path: str) -> Errors:
    operator, values = requirement.get("operator") or "", requirement.get("values") or []
    if operator not in ("In", "NotIn"):
        yield errors.invalid(f"{path}.operator", operator, "not a valid selector operator")
    elif len(values) != 1:
        text = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        yield errors.required(f"{path}.values", text)
    if requirement.get("key") != "metadata.name":
        yield errors.invalid(f"{path}.key", requirement.get("key"), "not a valid field selector key")
    for value, at in check.each(values, f"{path}.values"):
        yield from check.complaints(at, value, names.dns1123_subdomain(value))


def _pod_affinity(value: Obj, path: str) -> Errors:
    for term, at in check.each(value.get(_REQUIRED), f"{path}.{_REQUIRED}"):
        yield from _pod_affinity_term(term, at)
    for weighted, at in check.each(value.get(_PREFERRED), f"{path}.{_PREFERRED}"):
        yield from _weight(weighted, at)
        yield from _pod_affinity_term(weighted.get("podAffinityTerm") or {}, f"{at}.podAffinityTerm")


def _pod_affinity_term(term: Obj, path: str) -> Errors:
    yield from check.label_selector(term.get("labelSelector"), f"{path}.labelSelector")
    yield from check.label_selector(term.get("namespaceSelector"), f"{path}.namespaceSelector")
    for namespace in term.get("namespaces") or ():
        yield from check.complaints(f"{path}.namespace", namespace, names.dns1123_label(namespace))
    key = term.get("topologyKey") or ""
    if not key:
        yield errors.required(f"{path}.topologyKey", "can not be empty")
    yield from check.label_name(key, f"{path}.topologyKey")


# ── topology spread ──────────────────────────────────────────────────────────────────────────────────────

_UNSATISFIABLE: Final = ("DoNotSchedule", "ScheduleAnyway")


def spread_constraints(items: Sequence[Obj] | None, path: str) -> Errors:
    """``topologySpreadConstraints``."""
    pairs = []
    for constraint, at in check.each(items, path):
        yield from _spread(constraint, at)
        key, action = constraint.get("topologyKey") or "", constraint.get("whenUnsatisfiable") or ""
        pairs.append((f"{{{key}, {action}}}", f"{at}.{{topologyKey, whenUnsatisfiable}}"))
    yield from check.unique(pairs)


def _spread(constraint: Obj, path: str) -> Errors:
    skew, key = constraint.get("maxSkew") or 0, constraint.get("topologyKey") or ""
    action, domains = constraint.get("whenUnsatisfiable"), constraint.get("minDomains")
    if skew <= 0:
        yield errors.invalid(f"{path}.maxSkew", skew, "must be greater than zero")
    if not key:
        yield errors.required(f"{path}.topologyKey", "can not be empty")
    else:
        yield from check.label_name(key, f"{path}.topologyKey")
    if action not in _UNSATISFIABLE:
        yield errors.not_supported(f"{path}.whenUnsatisfiable", action or "", _UNSATISFIABLE)
    if domains is not None and domains <= 0:
        yield errors.invalid(f"{path}.minDomains", domains, "must be greater than zero")
    elif domains is not None and action != "DoNotSchedule":
        text = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
        yield errors.invalid(f"{path}.minDomains", domains, text)
    for name in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
        yield from check.one_of(constraint.get(name), f"{path}.{name}", ("Honor", "Ignore"), required=False)
    yield from check.label_selector(constraint.get("labelSelector"), f"{path}.labelSelector")
