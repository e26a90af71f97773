"""Values against a structural schema: types, bounds, forms, lists, and the logical junctors.

Rule 1: what an update leaves as it was is not judged again (ratcheting, KEP-4008), so a schema may become stricter.
Rule 2: sentences are those of kube-openapi's validator as apiextensions shows them; a junctor's complaint has no path
        of its own, which upstream prints as ``<nil>``.
Neighbours: ``rules.py`` has the CEL rules of the same schemas.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from pybernetes.cel.functions import strings
from pybernetes.cel.values import CelError
from pybernetes.kinds.custom import structural
from pybernetes.kinds.custom.formats import FORMATS
from pybernetes.kinds.custom.structural import Schema
from pybernetes.meta import errors
from pybernetes.meta.errors import FieldError
from pybernetes.meta.objects import Obj

Errors = Iterator[FieldError]
ABSENT: Final[Any] = object()
"""What was not there before: an old value for judging everything."""
_INT_OR_STRING: Final = "x-kubernetes-int-or-string"
_INTS: Final = {"int32": 1 << 31, "int64": 1 << 63}


def judge(obj: Obj, schema: Schema, old: Any = ABSENT) -> list[FieldError]:
    """Everything wrong with an object; ``old`` is what it was before an update."""
    found = list(_value(obj, schema, "", old, root=True))
    return list(dict.fromkeys(found))


def _value(value: Any, schema: Schema, path: str, old: Any, *, root: bool = False) -> Errors:
    if value is old or (old is not ABSENT and value == old and type(value) is type(old)):
        return
    if value is None and schema.get("nullable"):
        return
    if wrong := _mistyped(value, schema, path):
        yield wrong
        return
    if "enum" in schema and not any(_equal(value, allowed) for allowed in schema["enum"]):
        yield errors.not_supported(path, value, [_word(allowed) for allowed in schema["enum"]])
    match value:
        case str():
            yield from _text(value, schema, path)
        case bool():
            pass
        case int() | float():
            yield from _number(value, schema, path)
        case list():
            yield from _list(value, schema, path, old)
        case dict():
            yield from _object(value, schema, path, old, root=root)
    yield from _junctors(value, schema, path)


# ── types ────────────────────────────────────────────────────────────────────────────────────────────────

_KINDS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: not isinstance(value, bool) and (
        isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    ),
}  # fmt: skip


def _mistyped(value: Any, schema: Schema, path: str) -> FieldError | None:
    if schema.get(_INT_OR_STRING):
        fits, wanted = isinstance(value, int | str) and not isinstance(value, bool), "integer,string"
    else:
        wanted = schema.get("type", "")
        fits = wanted not in _KINDS or _KINDS[wanted](value)
    if fits:
        return None
    return errors.type_invalid(path, _kind(value), f'{path} in body must be of type {wanted}: "{_kind(value)}"')


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    order = ("boolean", "integer", "number", "string", "array", "object")
    return next(name for name in order if _KINDS[name](value))


def _equal(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _word(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


# ── scalars ──────────────────────────────────────────────────────────────────────────────────────────────


def _text(value: str, schema: Schema, path: str) -> Errors:
    if "maxLength" in schema and len(value) > schema["maxLength"]:
        yield errors.too_long(path, schema["maxLength"])
    if "minLength" in schema and len(value) < schema["minLength"]:
        yield _invalid(path, value, f"should be at least {schema['minLength']} chars long")
    if "pattern" in schema and not _matches(value, schema["pattern"]):
        yield _invalid(path, value, f"should match '{schema['pattern']}'")
    form = FORMATS.get(schema.get("format", ""))
    if form is not None and schema.get("type") == "string" and not form(value):
        yield errors.type_invalid(path, value, f'{path} in body must be of type {schema["format"]}: "{value}"')


def _matches(value: str, pattern: str) -> bool:
    try:
        return strings.matches(value, pattern)
    except CelError:
        return False


def _number(value: float, schema: Schema, path: str) -> Errors:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and (value < low or (value == low and schema.get("exclusiveMinimum"))):
        than = "greater than" if schema.get("exclusiveMinimum") else "greater than or equal to"
        yield _invalid(path, value, f"should be {than} {low}")
    if high is not None and (value > high or (value == high and schema.get("exclusiveMaximum"))):
        than = "less than" if schema.get("exclusiveMaximum") else "less than or equal to"
        yield _invalid(path, value, f"should be {than} {high}")
    if (step := schema.get("multipleOf")) and not _is_multiple(value, step):
        yield _invalid(path, value, f"should be a multiple of {step}")
    bound = _INTS.get(schema.get("format", ""))
    if bound is not None and schema.get("type") == "integer" and not -bound <= value < bound:
        yield _invalid(path, value, f'must be of type {schema["format"]}: "{value}"')


def _is_multiple(value: float, step: float) -> bool:
    return math.isclose(round(value / step), value / step, abs_tol=1e-9)


def _invalid(path: str, value: Any, why: str) -> FieldError:
    return errors.invalid(path, value, f"{path} in body {why}")


# ── lists ────────────────────────────────────────────────────────────────────────────────────────────────


def _list(value: list[Any], schema: Schema, path: str, old: Any) -> Errors:
    if "maxItems" in schema and len(value) > schema["maxItems"]:
        yield errors.too_many(path, len(value), schema["maxItems"])
    if "minItems" in schema and len(value) < schema["minItems"]:
        yield _invalid(path, len(value), f"should have at least {schema['minItems']} items")
    items = schema.get("items")
    before = correlated(schema, value, old)
    if isinstance(items, Mapping):
        for index, (item, was) in enumerate(zip(value, before, strict=True)):
            yield from _value(item, items, f"{path}[{index}]", was)
    yield from _duplicates(value, schema, path)


def correlated(schema: Schema, value: Sequence[Any], old: Any) -> list[Any]:
    """For each item what it was before: by the keys of a list of type map; of another list nothing can be said."""
    keys = schema.get("x-kubernetes-list-map-keys")
    if not isinstance(old, list) or schema.get("x-kubernetes-list-type") != "map" or not keys:
        return [ABSENT] * len(value)
    known = {_key(item, keys): item for item in old}
    return [known.get(_key(item, keys), ABSENT) for item in value]


def _key(item: Any, keys: Sequence[str]) -> bytes:
    """What tells an item of a list of maps from the others; one that is no map is not told from anything."""
    return _bytes([item.get(key) for key in keys] if isinstance(item, dict) else None)


def _bytes(value: Any) -> bytes:
    """A value to compare; empty where it is nested beyond all measure."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return b""


def _duplicates(value: list[Any], schema: Schema, path: str) -> Errors:
    kind, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys") or ()
    if kind not in ("set", "map"):
        return
    seen: set[bytes] = set()
    for index, item in enumerate(value):
        if kind == "map" and not isinstance(item, dict):
            continue
        key = _key(item, keys) if kind == "map" else _bytes(item)
        if key and key in seen:
            told = {name: item.get(name) for name in keys if name in item} if kind == "map" else item
            yield errors.duplicate(f"{path}[{index}]", told)
        seen.add(key)


# ── objects ──────────────────────────────────────────────────────────────────────────────────────────────


def _object(value: Obj, schema: Schema, path: str, old: Any, *, root: bool) -> Errors:
    was = old if isinstance(old, dict) else {}
    if "maxProperties" in schema and len(value) > schema["maxProperties"]:
        yield errors.too_many(path, len(value), schema["maxProperties"])
    if "minProperties" in schema and len(value) < schema["minProperties"]:
        yield _invalid(path, len(value), f"should have at least {schema['minProperties']} properties")
    for key in schema.get("required") or ():
        if key not in value:
            yield errors.required(_at(path, key))
    embedded = bool(schema.get("x-kubernetes-embedded-resource"))
    if embedded and not root:
        yield from _embedded(value, path)
    for key, inner in value.items():
        below = structural.child(schema, key)
        if below is not None and not ((root or embedded) and key == "metadata" and "properties" not in below):
            yield from _value(inner, below, _at(path, key), was.get(key, ABSENT))


def _embedded(value: Obj, path: str) -> Errors:
    for key in ("apiVersion", "kind"):
        if not value.get(key):
            yield errors.required(_at(path, key), "must not be empty")
    if not isinstance(value.get("metadata", {}), dict):
        yield errors.invalid(_at(path, "metadata"), value["metadata"], "must be an object")


def _at(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


# ── junctors ─────────────────────────────────────────────────────────────────────────────────────────────


def _junctors(value: Any, schema: Schema, path: str) -> Errors:
    for part in schema.get("allOf") or ():
        found = list(_value(value, part, path, ABSENT))
        if found:
            yield from found
            yield _junctor(f'"{path}" must validate all the schemas (allOf)')
    if branches := schema.get("anyOf"):
        tried = [list(_value(value, branch, path, ABSENT)) for branch in branches]
        if all(tried):
            yield from min(tried, key=len)
            yield _junctor(f'"{path}" must validate at least one schema (anyOf)')
    if branches := schema.get("oneOf"):
        yield from _one_of([list(_value(value, branch, path, ABSENT)) for branch in branches], path)
    if "not" in schema and not list(_value(value, schema["not"], path, ABSENT)):
        yield _junctor(f'"{path}" must not validate the schema (not)')


def _one_of(tried: Sequence[list[FieldError]], path: str) -> Errors:
    valid = sum(not found for found in tried)
    if valid == 1:
        return
    why = "Found none valid" if not valid else f"Found {valid} valid alternatives"
    if not valid:
        yield from min(tried, key=len)
    yield _junctor(f'"{path}" must validate one and only one schema (oneOf). {why}')


def _junctor(why: str) -> FieldError:
    return errors.invalid("<nil>", "", why)
