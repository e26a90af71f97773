"""Environment variables of a container and where their values come from (validation.ValidateEnv, ValidateEnvFrom)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from pybernetes.kinds.strategy import check
from pybernetes.kinds.strategy.check import Errors
from pybernetes.meta import errors, names, quantity
from pybernetes.meta.objects import Obj

ENV_FIELDS: Final = frozenset({
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
    "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
})  # fmt: skip
VOLUME_FIELDS: Final = frozenset({
    "metadata.name", "metadata.namespace", "metadata.labels", "metadata.annotations", "metadata.uid",
})  # fmt: skip
_RESOURCES: Final = tuple(
    f"{side}.{name}" for side in ("limits", "requests") for name in ("cpu", "memory", "ephemeral-storage")
)
_LABELS_OF_PODS: Final = (
    ENV_FIELDS
    | VOLUME_FIELDS
    | {"spec.hostNetwork", "spec.restartPolicy", "spec.schedulerName", "status.phase", "status.nominatedNodeName"}
)
"""Every path that a pod's fields can be asked by; what else a client writes cannot even be converted."""
_KEYED: Final = re.compile(r"^(metadata\.(?:labels|annotations))\['(.*)'\]$")
_SOURCES: Final = ("fieldRef", "resourceFieldRef", "fileKeyRef", "configMapKeyRef", "secretKeyRef")


def variables(env: Sequence[Obj] | None, path: str) -> Errors:
    """``env``."""
    for variable, at in check.each(env, path):
        yield from check.required_name(variable.get("name") or "", f"{at}.name", names.env_var_name)
        if (source := variable.get("valueFrom")) is not None:
            yield from _value_from(source, bool(variable.get("value")), f"{at}.valueFrom")


def _value_from(source: Obj, has_value: bool, path: str) -> Errors:
    found = [key for key in _SOURCES if source.get(key) is not None]
    for key in found:
        yield from _source(key, source[key], f"{path}.{key}")
    if not found:
        known = "`fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
        yield errors.invalid(path, "", f"must specify one of: {known}")
    elif has_value:
        yield errors.invalid(path, "", "may not be specified when `value` is not empty")
    elif len(found) > 1:
        yield errors.invalid(path, "", "may not have more than one field specified at a time")


def _source(key: str, ref: Obj, path: str) -> Iterable[errors.FieldError]:
    if key == "fieldRef":
        return field_ref(ref, ENV_FIELDS, path)
    if key == "resourceFieldRef":
        return resource_ref(ref, path, in_volume=False)
    return _key_ref(ref, path, required=("volumeName", "path", "key") if key == "fileKeyRef" else ("name", "key"))


def _key_ref(ref: Obj, path: str, required: tuple[str, ...]) -> Errors:
    for name in required:
        if not ref.get(name):
            yield errors.required(f"{path}.{name}")
    if "name" in required and (key := ref.get("key")):
        yield from check.complaints(f"{path}.key", key, names.config_map_key(key))


def field_ref(ref: Obj, supported: Collection[str], path: str) -> Errors:
    """An ObjectFieldSelector: ``metadata.name``, ``metadata.labels['app']`` …"""
    field = ref.get("fieldPath") or ""
    if not ref.get("apiVersion"):
        yield errors.required(f"{path}.apiVersion")
    elif not field:
        yield errors.required(f"{path}.fieldPath")
    elif keyed := _KEYED.match(field):
        yield from _subscript(keyed[1], keyed[2], path)
    elif field not in _LABELS_OF_PODS:
        yield errors.invalid(
            f"{path}.fieldPath", field, f"error converting fieldPath: field label not supported: {field}"
        )
    elif field not in supported:
        yield errors.not_supported(f"{path}.fieldPath", field, tuple(supported))


def _subscript(field: str, key: str, path: str) -> Errors:
    name = key.lower() if field == "metadata.annotations" else key
    yield from check.complaints(path, key, names.qualified_name(name))


def resource_ref(ref: Obj, path: str, *, in_volume: bool) -> Errors:
    """A ResourceFieldSelector; a volume must name the container it asks about."""
    resource = ref.get("resource") or ""
    if in_volume and not ref.get("containerName"):
        yield errors.required(f"{path}.containerName")
    elif not resource:
        yield errors.required(f"{path}.resource")
    elif resource not in _RESOURCES and not resource.startswith(("limits.hugepages-", "requests.hugepages-")):
        yield errors.not_supported(f"{path}.resource", resource, _RESOURCES)
    elif divisor := ref.get("divisor"):
        yield from _divisor(resource, divisor, path)


_CPU_DIVISORS: Final = ("1m", "1")
_BYTE_DIVISORS: Final = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")


def _divisor(resource: str, divisor: str | int, path: str) -> Errors:
    allowed, what = (
        (_CPU_DIVISORS, "1m and 1") if resource.endswith("cpu") else (_BYTE_DIVISORS, ", ".join(_BYTE_DIVISORS))
    )
    if quantity.canonical(divisor) not in (*allowed, "0"):
        kind = resource.partition(".")[2]
        yield errors.invalid(
            f"{path}.divisor", divisor, f"only divisor's values {what} are supported with the {kind} resource"
        )


def imports(env_from: Sequence[Obj] | None, path: str) -> Errors:
    """``envFrom``. A wrong number of sources is told of the whole list, as upstream does."""
    for source, at in check.each(env_from, path):
        if prefix := source.get("prefix"):
            yield from check.complaints(f"{at}.prefix", prefix, names.env_var_name(prefix))
        found = [key for key in ("configMapRef", "secretRef") if source.get(key) is not None]
        for key in found:
            if not source[key].get("name"):
                yield errors.required(f"{at}.{key}.name")
        if not found:
            yield errors.invalid(path, "", "must specify one of: `configMapRef` or `secretRef`")
        elif len(found) > 1:
            yield errors.invalid(path, "", "may not have more than one field specified at a time")
