"""Messages whose JSON is not an object of their fields: Time is a text, IntOrString a number or a text …

Rule: a form is a pair of pure functions between the message's fields (as ``codec.py`` decodes them) and its JSON value;
a JSON value of None means that the field is left out. ``FORMS`` is asked by the last part of the message's name, since
each API version of a group brings its own copy of some of them.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from pybernetes.meta import times
from pybernetes.meta.objects import Obj
from pybernetes.meta.protobuf.wire import Malformed

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Form:
    to_json: Callable[[Obj], Any]
    to_fields: Callable[[Any], Obj]


# ── times and durations ──────────────────────────────────────────────────────────────────────────────────


def _moment(fields: Obj) -> datetime:
    try:
        return _EPOCH + timedelta(seconds=fields.get("seconds", 0), microseconds=fields.get("nanos", 0) // 1000)
    except OverflowError as error:
        raise Malformed(f"a time out of range: {fields.get('seconds')} seconds") from error


def _time_to_json(fields: Obj) -> str | None:
    return times.text(_moment(fields)) if fields else None


def _micro_time_to_json(fields: Obj) -> str | None:
    return times.text(_moment(fields), "microseconds") if fields else None


def _time_to_fields(text: str) -> Obj:
    since = datetime.fromisoformat(text) - _EPOCH
    seconds = since.days * 86400 + since.seconds
    return {"seconds": seconds} | ({"nanos": since.microseconds * 1000} if since.microseconds else {})


_UNITS: Final = {"h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "µs": 10**3, "us": 10**3, "ns": 1}
_PART: Final = re.compile(r"(\d+)(?:\.(\d*))?(h|ms|m|s|µs|us|ns)")


def duration_text(nanoseconds: int) -> str:
    """As Go prints a time.Duration: ``1h0m0s``, ``1.5s``, ``20ms``, ``0s``."""
    sign, left = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    if left < 10**9:
        unit = next((u for u in ("ms", "µs", "ns") if left >= _UNITS[u]), "s")
        return sign + _decimal(left, _UNITS[unit]) + unit
    minutes, rest = divmod(left, _UNITS["m"])
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}h" if hours else ""
    text += f"{minutes}m" if hours or minutes else ""
    return sign + text + _decimal(rest, 10**9) + "s"


def _decimal(value: int, unit: int) -> str:
    whole, rest = divmod(value, unit)
    return f"{whole}.{rest:0{len(str(unit)) - 1}d}".rstrip("0") if rest else str(whole)


def duration_nanoseconds(text: str) -> int:
    """What Go's ParseDuration reads. Raises ValueError."""
    body = text.lstrip("+-")
    if body == "0":
        return 0
    if not body or "".join(m.group(0) for m in _PART.finditer(body)) != body:
        raise ValueError(f"time: invalid duration {text!r}")
    total = sum(
        int(whole) * _UNITS[unit] + (int(part) * _UNITS[unit] // 10 ** len(part) if part else 0)
        for whole, part, unit in _PART.findall(body)
    )
    return -total if text.startswith("-") else total


# ── numbers or texts, raw JSON ───────────────────────────────────────────────────────────────────────────


def _int_or_string_to_json(fields: Obj) -> int | str:
    return str(fields.get("strVal", "")) if fields.get("type") else int(fields.get("intVal", 0))


def _int_or_string_to_fields(value: int | str) -> Obj:
    return {"type": 1, "strVal": value} if isinstance(value, str) else {"type": 0, "intVal": value}


def _raw_to_json(fields: Obj) -> Any:
    raw = next(iter(fields.values()), "")
    if not raw:
        return None
    try:
        return orjson.loads(base64.b64decode(raw))
    except orjson.JSONDecodeError as error:
        raise Malformed(f"a raw value is not JSON: {error}") from error


def _raw_to_fields(name: str) -> Callable[[Any], Obj]:
    return lambda value: {name: base64.b64encode(orjson.dumps(value)).decode()}


# ── a schema, or something in its place ──────────────────────────────────────────────────────────────────


def _schema_or_bool_to_fields(value: Any) -> Obj:
    return {"allows": value} if isinstance(value, bool) else {"allows": True, "schema": value}


def _schema_or_list_to_json(list_name: str) -> Callable[[Obj], Any]:
    return lambda fields: fields.get("schema", fields.get(list_name))


def _schema_or_list_to_fields(list_name: str) -> Callable[[Any], Obj]:
    return lambda value: {list_name if isinstance(value, list) else "schema": value}


FORMS: Final[Mapping[str, Form]] = {
    "Time": Form(_time_to_json, _time_to_fields),
    "MicroTime": Form(_micro_time_to_json, _time_to_fields),
    "Duration": Form(
        lambda fields: duration_text(fields.get("duration", 0)), lambda text: {"duration": duration_nanoseconds(text)}
    ),
    "Quantity": Form(lambda fields: fields.get("string") or "0", lambda value: {"string": str(value)}),
    "IntOrString": Form(_int_or_string_to_json, _int_or_string_to_fields),
    "RawExtension": Form(_raw_to_json, _raw_to_fields("raw")),
    "JSON": Form(_raw_to_json, _raw_to_fields("raw")),
    "FieldsV1": Form(_raw_to_json, _raw_to_fields("Raw")),
    "JSONSchemaPropsOrBool": Form(
        lambda fields: fields.get("schema", fields.get("allows", False)), _schema_or_bool_to_fields
    ),
    "JSONSchemaPropsOrArray": Form(_schema_or_list_to_json("jSONSchemas"), _schema_or_list_to_fields("jSONSchemas")),
    "JSONSchemaPropsOrStringArray": Form(_schema_or_list_to_json("property"), _schema_or_list_to_fields("property")),
    "ExtraValue": Form(lambda fields: fields.get("items", []), lambda items: {"items": items}),
    "Verbs": Form(lambda fields: fields.get("items", []), lambda items: {"items": items}),
}
ZERO_IS_ABSENT: Final = frozenset(("IntOrString",))
"""Forms whose zero says nothing where the Go field is no pointer."""
