"""CustomResourceDefinitions: names, versions, conversion, columns; their schemas are judged by ``kinds/custom``.

Rule 1: an update judges a schema only if it has changed, so that what was accepted once may stay.
Rule 2: what was ever the storage version stays among ``status.storedVersions`` until a client takes it away.
Source: apiextensions-apiserver/pkg/apis/apiextensions/validation and …/registry/customresourcedefinition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pybernetes.kinds.kind import Strategy
from pybernetes.kinds.strategy import check, fill
from pybernetes.kinds.strategy.check import Errors
from pybernetes.meta import errors, jsonpath, names, objects
from pybernetes.meta.objects import Obj, name

_SCOPES: Final = ("Cluster", "Namespaced")
_CONVERSIONS: Final = ("None", "Webhook")
_COLUMN_TYPES: Final = ("boolean", "date", "integer", "number", "string")
_SELECTABLE_MAX: Final = 8
_APPROVED: Final = "api-approved.kubernetes.io"
_PROTECTED: Final = ("k8s.io", "kubernetes.io")


def default(obj: Obj) -> None:
    spec = fill.child(obj, "spec")
    found = fill.child(spec, "names")
    if kind := found.get("kind"):
        fill.all_zero(found, singular=kind.lower(), listKind=f"{kind}List")
    conversion = fill.child(spec, "conversion")
    fill.zero(conversion, "strategy", "None")
    if service := ((conversion.get("webhook") or {}).get("clientConfig") or {}).get("service"):
        fill.absent(service, "port", 443)


def prepare_create(obj: Obj) -> None:
    """What is stored is stored in the storage version from the first object on."""
    obj["status"] = {"conditions": [], "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": _storage(obj)}


def prepare_update(new: Obj, old: Obj) -> None:
    stored: list[str] = objects.get(new, "status", "storedVersions", default=[])
    if missing := [one for one in _storage(new) if one not in stored]:
        new["status"] = {**(new.get("status") or {}), "storedVersions": [*stored, *missing]}


def _storage(obj: Obj) -> list[str]:
    return [version["name"] for version in obj["spec"].get("versions") or () if version.get("storage")]


# ── judging ──────────────────────────────────────────────────────────────────────────────────────────────


@check.listed
def validate(obj: Obj) -> Errors:
    yield from _whole(obj)
    yield from _schemas(obj, {})


def _whole(obj: Obj) -> Errors:
    spec = obj["spec"]
    found, group = spec["names"], spec.get("group") or ""
    if name(obj) != f"{found.get('plural', '')}.{group}":
        yield errors.invalid("metadata.name", name(obj), 'must be spec.names.plural+"."+spec.group')
    yield from check.required_name(group, "spec.group", names.dns1123_subdomain)
    if group and "." not in group:
        yield errors.invalid("spec.group", group, "should be a domain with at least one dot")
    yield from _approval(obj, group)
    yield from check.one_of(spec.get("scope"), "spec.scope", _SCOPES)
    yield from _names(found)
    if spec.get("preserveUnknownFields"):
        text = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
        yield errors.invalid("spec.preserveUnknownFields", True, text)
    yield from _versions(spec.get("versions") or [], "spec.versions")
    yield from _conversion(spec.get("conversion") or {}, "spec.conversion")


def _approval(obj: Obj, group: str) -> Errors:
    """KEP-1111: groups of the project are not for everybody."""
    protected = any(group == one or group.endswith(f".{one}") for one in _PROTECTED)
    if protected and not objects.annotations(obj).get(_APPROVED):
        text = (
            f'protected groups must have approval annotation "{_APPROVED}", '
            "see https://github.com/kubernetes/enhancements/pull/1111"
        )
        yield errors.required(f"metadata.annotations[{_APPROVED}]", text)


def _names(found: Obj) -> Errors:
    yield from check.required_name(found.get("plural") or "", "spec.names.plural", names.dns1035_label)
    yield from check.required_name((found.get("kind") or "").lower(), "spec.names.kind", names.dns1035_label)
    for key in ("singular", "listKind"):
        for complaint in names.dns1035_label((found.get(key) or "x").lower()):
            yield errors.invalid(f"spec.names.{key}", found[key], complaint)
    for key in ("shortNames", "categories"):
        for index, text in enumerate(found.get(key) or ()):
            for complaint in names.dns1035_label(text):
                yield errors.invalid(f"spec.names.{key}[{index}]", text, complaint)
    if found.get("kind") and found.get("kind") == found.get("listKind"):
        yield errors.invalid("spec.names.listKind", found["listKind"], "kind and listKind may not be the same")


def _versions(versions: Sequence[Obj], path: str) -> Errors:
    for version, at in check.each(versions, path):
        yield from check.required_name(version.get("name") or "", f"{at}.name", names.dns1035_label)
        if not (version.get("schema") or {}).get("openAPIV3Schema"):
            yield errors.required(f"{at}.schema.openAPIV3Schema", "schemas are required")
        yield from _subresources(version.get("subresources") or {}, f"{at}.subresources")
        yield from _columns(version.get("additionalPrinterColumns"), f"{at}.additionalPrinterColumns")
        yield from _selectable(version.get("selectableFields") or [], f"{at}.selectableFields")
    if len({version.get("name") for version in versions}) != len(versions):
        yield errors.invalid(path, list(versions), "must contain unique version names")
    if sum(bool(version.get("storage")) for version in versions) != 1:
        yield errors.invalid(path, list(versions), "must have exactly one version marked as storage version")


def _subresources(told: Obj, path: str) -> Errors:
    if (scale := told.get("scale")) is None:
        return
    for key, roots in (("specReplicasPath", (".spec.",)), ("statusReplicasPath", (".status.",))):
        text = scale.get(key) or ""
        if not text:
            yield errors.required(f"{path}.scale.{key}")
        elif not text.startswith(roots):
            yield errors.invalid(f"{path}.scale.{key}", text, f"should be a json path under {roots[0][:-1]}")
    selector = scale.get("labelSelectorPath") or ""
    if selector and not selector.startswith((".spec.", ".status.")):
        text = "should be a json path under either .status or .spec"
        yield errors.invalid(f"{path}.scale.labelSelectorPath", selector, text)


def _columns(columns: Sequence[Obj] | None, path: str) -> Errors:
    for column, at in check.each(columns, path):
        if not column.get("name"):
            yield errors.required(f"{at}.name")
        if not column.get("type"):
            yield errors.required(f"{at}.type", "must be one of " + ",".join(_COLUMN_TYPES))
        elif column["type"] not in _COLUMN_TYPES:
            yield errors.invalid(f"{at}.type", column["type"], "must be one of " + ",".join(_COLUMN_TYPES))
        yield from _path(column.get("jsonPath") or "", f"{at}.jsonPath")


def _selectable(fields: Sequence[Obj], path: str) -> Errors:
    if len(fields) > _SELECTABLE_MAX:
        yield errors.too_many(path, len(fields), _SELECTABLE_MAX)
    for field, at in check.each(fields, path):
        yield from _path(field.get("jsonPath") or "", f"{at}.jsonPath")
    yield from check.unique((field.get("jsonPath"), f"{at}.jsonPath") for field, at in check.each(fields, path))


def _path(text: str, path: str) -> Errors:
    if not text:
        yield errors.required(path)
        return
    try:
        jsonpath.compiled(text)
    except ValueError as error:
        yield errors.invalid(path, text, str(error))


def _conversion(conversion: Obj, path: str) -> Errors:
    yield from check.one_of(conversion.get("strategy"), f"{path}.strategy", _CONVERSIONS)
    webhook = conversion.get("webhook")
    if conversion.get("strategy") != "Webhook":
        if webhook is not None:
            text = "should not be set when strategy is not set to Webhook"
            yield errors.field_forbidden(f"{path}.webhook", text)
        return
    if webhook is None or not webhook.get("clientConfig"):
        text = "required when strategy is set to Webhook, but not allowed if strategy is set to None"
        yield errors.required(f"{path}.webhook.clientConfig", text)
    if not (webhook or {}).get("conversionReviewVersions"):
        text = "required when strategy is set to Webhook"
        yield errors.required(f"{path}.webhook.conversionReviewVersions", text)


def _schemas(obj: Obj, before: Mapping[str, Any]) -> Errors:
    """Of each version whose schema is another than ``before``."""
    for version, at in check.each(obj["spec"].get("versions"), "spec.versions"):
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if schema and schema != before.get(version.get("name") or ""):
            yield from _schema(schema, f"{at}.schema.openAPIV3Schema")


def _schema(schema: Obj, path: str) -> Errors:
    from pybernetes.kinds.custom import ruling, structure

    found = structure.structural_errors(schema, path)
    yield from found
    if not found:
        yield from ruling.rule_errors(schema, path)


@check.listed
def validate_update(new: Obj, old: Obj) -> Errors:
    fresh, former = new["spec"], old["spec"]
    yield from _whole(new)
    yield from _schemas(new, {v["name"]: (v.get("schema") or {}).get("openAPIV3Schema") for v in former["versions"]})
    yield from _stored(new)
    yield from check.immutable(fresh.get("group"), former.get("group"), "spec.group")
    yield from check.immutable(fresh["names"].get("plural"), former["names"].get("plural"), "spec.names.plural")
    if _is_established(old):
        yield from check.immutable(fresh.get("scope"), former.get("scope"), "spec.scope")
        yield from check.immutable(fresh["names"].get("kind"), former["names"].get("kind"), "spec.names.kind")


def _stored(obj: Obj) -> Errors:
    known = {version.get("name") for version in obj["spec"].get("versions") or ()}
    stored: list[str] = objects.get(obj, "status", "storedVersions", default=[])
    if not stored:
        yield errors.invalid("status.storedVersions", stored, "must have at least one stored version")
    for index, one in enumerate(stored):
        if one not in known:
            yield errors.invalid(f"status.storedVersions[{index}]", one, "must appear in spec.versions")


@check.listed
def validate_status_update(new: Obj, old: Obj) -> Errors:
    yield from _stored(new)


def _is_established(obj: Obj) -> bool:
    conditions: Sequence[Obj] = objects.get(obj, "status", "conditions", default=())
    return any(one.get("type") == "Established" and one.get("status") == "True" for one in conditions)


DEFINITION: Final = Strategy(
    default=default,
    prepare_create=prepare_create,
    prepare_update=prepare_update,
    validate=validate,
    validate_update=validate_update,
    validate_status_update=validate_status_update,
    judges_changes=True,
    unconditional_update=False,
)
