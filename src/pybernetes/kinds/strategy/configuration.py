"""ConfigMaps and Secrets: keys and values for pods (validation.ValidateConfigMap, ValidateSecret).

Both may be closed for good with ``immutable: true``, and neither may be larger than 1 MiB.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Final

import orjson

from pybernetes.kinds.kind import Strategy
from pybernetes.kinds.strategy import check, fill
from pybernetes.kinds.strategy.check import Errors
from pybernetes.meta import errors, names, objects
from pybernetes.meta.objects import Obj

_WHOLE: Final = "[]"
"""The path of the object itself, as upstream's field.NewPath("") prints it."""
_CLOSED: Final = "field is immutable when `immutable` is set"
_REDACTED: Final = "<secret contents redacted>"
_SERVICE_ACCOUNT: Final = "kubernetes.io/service-account.name"


def _keys(values: Mapping[str, str] | None, path: str) -> Errors:
    for key in values or ():
        yield from check.complaints(f"{path}[{key}]", key, names.config_map_key(key))


def _decoded_bytes(text: str) -> int:
    """How many bytes a base64 text stands for."""
    return len(text) * 3 // 4 - text.count("=", -2)


def _text_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _closed(new: Obj, old: Obj, *keys: str) -> Errors:
    if not old.get("immutable"):
        return
    if not new.get("immutable"):
        yield errors.field_forbidden("immutable", _CLOSED)
    for key in keys:
        if (new.get(key) or {}) != (old.get(key) or {}):
            yield errors.field_forbidden(key, _CLOSED)


# ── config maps ──────────────────────────────────────────────────────────────────────────────────────────


@check.listed
def validate_config_map(obj: Obj) -> Errors:
    data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    yield from _keys(data, "data")
    for key in data.keys() & binary.keys():
        yield errors.invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
    yield from _keys(binary, "binaryData")
    total = sum(map(_text_bytes, data.values())) + sum(map(_decoded_bytes, binary.values()))
    if total > check.OBJECT_BYTES_MAX:
        yield errors.too_long(_WHOLE, check.OBJECT_BYTES_MAX)


@check.listed
def validate_config_map_update(new: Obj, old: Obj) -> Errors:
    yield from _closed(new, old, "data", "binaryData")


CONFIG_MAP: Final = Strategy(
    validate=validate_config_map,
    validate_update=validate_config_map_update,
    has_generation=False,
)

# ── secrets ──────────────────────────────────────────────────────────────────────────────────────────────


def default_secret(obj: Obj) -> None:
    """``stringData`` is written and never read: it becomes base64 in ``data``."""
    fill.zero(obj, "type", "Opaque")
    plain = obj.pop("stringData", None)
    if plain:
        encoded = {key: base64.b64encode((value or "").encode()).decode() for key, value in plain.items()}
        obj["data"] = {**(obj.get("data") or {}), **encoded}


def prepare_secret_update(new: Obj, old: Obj) -> None:
    fill.zero(new, "type", old.get("type"))


@check.listed
def validate_secret(obj: Obj) -> Errors:
    data = obj.get("data") or {}
    yield from _keys(data, "data")
    if sum(map(_decoded_bytes, data.values())) > check.OBJECT_BYTES_MAX:
        yield errors.too_long("data", check.OBJECT_BYTES_MAX)
    yield from _typed(obj, data)


_REQUIRED_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
_JSON_KEYS: Final = (".dockercfg", ".dockerconfigjson")
_BASIC_AUTH: Final = ("username", "password")


def _typed(obj: Obj, data: Mapping[str, str]) -> Errors:
    """What the secret's type promises to its readers."""
    kind = obj.get("type", "")
    for key in _REQUIRED_KEYS.get(kind, ()):
        if key not in data:
            yield errors.required(f"data[{key}]")
        elif key in _JSON_KEYS:
            yield from _json(data[key], f"data[{key}]")
    if kind == "kubernetes.io/basic-auth" and not any(key in data for key in _BASIC_AUTH):
        yield from (errors.required(f"data[{key}]") for key in _BASIC_AUTH)
    if kind == "kubernetes.io/service-account-token" and not objects.annotations(obj).get(_SERVICE_ACCOUNT):
        yield errors.required(f"metadata.annotations[{_SERVICE_ACCOUNT}]")


def _json(text: str, path: str) -> Iterator[errors.FieldError]:
    try:
        orjson.loads(base64.b64decode(text))
    except ValueError as why:
        yield errors.invalid(path, _REDACTED, str(why))


@check.listed
def validate_secret_update(new: Obj, old: Obj) -> Errors:
    yield from check.immutable(new.get("type"), old.get("type"), "type")
    yield from _closed(new, old, "data")


SECRET: Final = Strategy(
    default=default_secret,
    prepare_update=prepare_secret_update,
    validate=validate_secret,
    validate_update=validate_secret_update,
    has_generation=False,
)
