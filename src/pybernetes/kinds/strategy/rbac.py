"""Roles and bindings (pkg/apis/rbac). Whether a writer may grant a right is the matter of ``server``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pybernetes.kinds.kind import Strategy
from pybernetes.kinds.strategy import check, fill
from pybernetes.kinds.strategy.check import Errors
from pybernetes.meta import errors, names
from pybernetes.meta.objects import Obj

GROUP: Final = "rbac.authorization.k8s.io"


def validate_name(name: str, is_prefix: bool) -> Sequence[str]:
    return names.path_segment(name)


# ── roles ────────────────────────────────────────────────────────────────────────────────────────────────


def _rules(obj: Obj, *, namespaced: bool) -> Errors:
    for rule, at in check.each(obj.get("rules"), "rules"):
        yield from _rule(rule, at, namespaced=namespaced)


def _rule(rule: Obj, path: str, *, namespaced: bool) -> Errors:
    if not rule.get("verbs"):
        yield errors.required(f"{path}.verbs", "verbs must contain at least one value")
    if rule.get("nonResourceURLs"):
        if namespaced:
            text = "namespaced rules cannot apply to non-resource URLs"
            yield errors.invalid(f"{path}.nonResourceURLs", rule["nonResourceURLs"], text)
        if any(rule.get(key) for key in ("apiGroups", "resources", "resourceNames")):
            text = "rules cannot apply to both regular resources and non-resource URLs"
            yield errors.invalid(f"{path}.nonResourceURLs", rule["nonResourceURLs"], text)
        return
    if not rule.get("apiGroups"):
        yield errors.required(f"{path}.apiGroups", "resource rules must supply at least one api group")
    if not rule.get("resources"):
        yield errors.required(f"{path}.resources", "resource rules must supply at least one resource")


@check.listed
def validate_role(obj: Obj) -> Errors:
    yield from _rules(obj, namespaced=True)


@check.listed
def validate_cluster_role(obj: Obj) -> Errors:
    yield from _rules(obj, namespaced=False)
    selectors = (obj.get("aggregationRule") or {}).get("clusterRoleSelectors")
    if obj.get("aggregationRule") is not None:
        path = "aggregationRule.clusterRoleSelectors"
        if not selectors:
            yield errors.required(path, "at least one clusterRoleSelector required if aggregationRule is non-nil")
        for selector, at in check.each(selectors, path):
            yield from check.label_selector(selector, at)


ROLE: Final = Strategy(
    validate_name=validate_name, validate=validate_role, has_generation=False, allow_create_on_update=True
)
CLUSTER_ROLE: Final = Strategy(
    validate_name=validate_name, validate=validate_cluster_role, has_generation=False, allow_create_on_update=True
)

# ── bindings ─────────────────────────────────────────────────────────────────────────────────────────────

_SUBJECTS: Final = ("Group", "ServiceAccount", "User")


def default_binding(obj: Obj) -> None:
    """A role lives in RBAC's group; so do users and groups, while a service account is of the core group."""
    fill.zero(fill.child(obj, "roleRef"), "apiGroup", GROUP)
    for subject in obj.get("subjects") or ():
        if subject.get("kind") in ("User", "Group"):
            fill.zero(subject, "apiGroup", GROUP)


def _binding(obj: Obj, *, namespaced: bool) -> Errors:
    ref = obj["roleRef"]
    if ref.get("apiGroup") != GROUP:
        yield errors.not_supported("roleRef.apiGroup", ref.get("apiGroup"), (GROUP,))
    kinds = ("ClusterRole", "Role") if namespaced else ("ClusterRole",)
    if ref.get("kind") not in kinds:
        yield errors.not_supported("roleRef.kind", ref.get("kind") or "", kinds)
    yield from check.required_name(ref.get("name") or "", "roleRef.name", names.path_segment)
    for subject, at in check.each(obj.get("subjects"), "subjects"):
        yield from _subject(subject, at, namespaced=namespaced)


def _subject(subject: Obj, path: str, *, namespaced: bool) -> Errors:
    kind, name, group = subject.get("kind") or "", subject.get("name") or "", subject.get("apiGroup") or ""
    if not name:
        yield errors.required(f"{path}.name")
    if kind not in _SUBJECTS:
        yield errors.not_supported(f"{path}.kind", kind, _SUBJECTS)
        return
    wanted = "" if kind == "ServiceAccount" else GROUP
    if group != wanted:
        yield errors.not_supported(f"{path}.apiGroup", group, (wanted,))
    if kind == "ServiceAccount":
        if name:
            yield from check.complaints(f"{path}.name", name, names.dns1123_subdomain(name))
        if not namespaced and not subject.get("namespace"):
            yield errors.required(f"{path}.namespace")


@check.listed
def validate_binding(obj: Obj) -> Errors:
    yield from _binding(obj, namespaced=True)


@check.listed
def validate_cluster_binding(obj: Obj) -> Errors:
    yield from _binding(obj, namespaced=False)


@check.listed
def validate_binding_update(new: Obj, old: Obj) -> Errors:
    if new["roleRef"] != old["roleRef"]:
        yield errors.invalid("roleRef", new["roleRef"], "cannot change roleRef")


BINDING: Final = Strategy(
    default=default_binding,
    validate_name=validate_name,
    validate=validate_binding,
    validate_update=validate_binding_update,
    has_generation=False,
    allow_create_on_update=True,
)
CLUSTER_BINDING: Final = Strategy(
    default=default_binding,
    validate_name=validate_name,
    validate=validate_cluster_binding,
    validate_update=validate_binding_update,
    has_generation=False,
    allow_create_on_update=True,
)
