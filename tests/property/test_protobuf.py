"""Whatever the tables allow goes through protobuf and comes back unchanged."""

from __future__ import annotations

import base64
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pybernetes.kinds import schemas
from pybernetes.meta import errors, protobuf

MESSAGES = schemas.messages()
CODEC = protobuf.codec(MESSAGES)
NAMES = sorted(
    n
    for n in MESSAGES
    if not n.startswith(("google.", "openapi.")) and n.rpartition(".")[2] not in ("TypeMeta", "Unknown")
)
TEXT = st.text(max_size=12)
MOMENTS = st.datetimes(min_value=__import__("datetime").datetime(1970, 1, 2))

SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "string": TEXT,
    "bytes": st.binary(max_size=8).map(lambda raw: base64.b64encode(raw).decode()),
    "bool": st.booleans(),
    "int32": st.integers(-(2**31), 2**31 - 1),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "double": st.floats(allow_nan=False, allow_infinity=False),
}
NOTHING = {"string": "", "bytes": "", "bool": False, "int32": 0, "int64": 0, "double": 0.0}
JSON = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)
FORMS: dict[str, st.SearchStrategy[Any]] = {
    "Time": MOMENTS.map(lambda m: m.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")),
    "MicroTime": MOMENTS.map(lambda m: m.strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")),
    "Duration": st.integers(-(10**15), 10**15).map(protobuf.forms.duration_text),
    "Quantity": st.sampled_from(["1", "500m", "64Mi", "1e3"]),
    "IntOrString": st.integers(1, 2**31 - 1) | TEXT,
    "RawExtension": st.dictionaries(TEXT, JSON, max_size=2),
    "JSON": JSON,
    "FieldsV1": st.dictionaries(TEXT, JSON, max_size=2),
    "ExtraValue": st.lists(TEXT, max_size=2),
    "Verbs": st.lists(TEXT, max_size=2),
}


def value(kind: str, depth: int) -> st.SearchStrategy[Any]:
    """JSON values of a type, as a decoder would give them."""
    last = kind.rpartition(".")[2]
    if kind in SCALARS:
        return SCALARS[kind]
    if last in FORMS:
        return FORMS[last]
    if last.startswith("JSONSchemaPropsOr"):
        return value(kind.replace(last, "JSONSchemaProps"), depth - 1)
    return message(kind, depth - 1)


def field(kind: str, word: str, depth: int) -> st.SearchStrategy[Any]:
    if kind.startswith("map<"):
        key, of = kind[4:-1].split(",")
        return st.dictionaries(SCALARS[key.strip()], value(of.strip(), depth), min_size=1, max_size=2)
    if word == "repeated":
        return st.lists(value(kind, depth), min_size=1, max_size=2)
    if word != "kept" and kind in NOTHING:
        return value(kind, depth).filter(lambda v: v != NOTHING[kind])
    return value(kind, depth)


def rows(name: str) -> list[tuple[str, str, str]]:
    """(JSON name, type, word) of a message's fields, the inlined ones among them."""
    out = []
    for _, json_name, kind, *word in MESSAGES[name]:
        if word == ["inline"]:
            out += rows(kind)
        else:
            out.append((json_name, kind, word[0] if word else ""))
    return out


def message(name: str, depth: int = 4) -> st.SearchStrategy[dict[str, Any]]:
    if depth <= 0:
        return st.just({})
    return st.deferred(
        lambda: st.lists(st.sampled_from(rows(name) or [("", "", "")]), max_size=4, unique=True)
    ).flatmap(lambda chosen: st.fixed_dictionaries({n: field(kind, word, depth) for n, kind, word in chosen if n}))


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_what_goes_in_comes_out(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(NAMES))
    told = data.draw(value(name, 5))
    assert CODEC.decode(name, CODEC.encode(name, told)) == told


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_break_the_decoder(raw: bytes) -> None:
    pod = b"\x0a\x09\x0a\x02v1\x12\x03Pod\x12" + bytes((len(raw),)) + raw
    try:
        protobuf.decode_envelope(protobuf.codec.__globals__["MAGIC"] + pod, MESSAGES)
    except errors.BadRequest:
        return
