"""Answers: stored bytes with their resourceVersion spliced in, or objects in another form where one was asked for.

Rule: an object that is wanted as JSON in the form in which it is stored is never encoded again; for an in-process
caller nothing is encoded at all.
Neighbours: ``tables.py`` makes Tables and metadata-only objects, ``server/negotiate.py`` knows the forms.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from pybernetes.kinds.kind import Kind
from pybernetes.lib.http.message import HttpRequest
from pybernetes.meta.objects import Obj
from pybernetes.server import negotiate
from pybernetes.server.context import Response
from pybernetes.server.negotiate import Answer, Format
from pybernetes.server.registry import tables
from pybernetes.server.registry.call import Call
from pybernetes.storage import codec
from pybernetes.storage.port import Record

PLAIN: Final = Answer()
_FORMATS: Final[tuple[Format, ...]] = ("json", "yaml", "protobuf")
_CUSTOM_FORMATS: Final[tuple[Format, ...]] = ("json", "yaml")
_EYES: Final = ("curl", "Wget", "Mozilla/5.0")
_OBJECT_SHAPES: Final = (negotiate.TABLE, negotiate.PARTIAL)
_LIST_SHAPES: Final = (negotiate.TABLE, negotiate.PARTIAL_LIST)


@dataclass(slots=True)
class Stored:
    """An object as it is stored at ``revision`` (0: as it would be); ``obj`` is the same as a dict, if it is known."""

    value: bytes
    revision: int
    obj: Obj | None = None

    @classmethod
    def of(cls, record: Record) -> Stored:
        return cls(record.value, record.revision)


def wanted(call: Call, *, many: bool = False) -> Answer:
    """The form in which the caller wants the answer. Raises NotAcceptable."""
    headers = call.request.headers
    agent = headers.get("user-agent", "")
    shapes = _LIST_SHAPES if many else _OBJECT_SHAPES
    pretty = call.request.param("pretty") if call.request.query else ""
    formats = _CUSTOM_FORMATS if call.kind.custom else _FORMATS
    return _wanted(headers.get("accept", ""), pretty, agent.startswith(_EYES), shapes, formats)


@functools.lru_cache(maxsize=256)
def _wanted(
    accept: str, pretty: str, eyes: bool, shapes: tuple[str, ...], formats: tuple[Format, ...] = _FORMATS
) -> Answer:
    headers = {"accept": accept, "user-agent": _EYES[0] if eyes else ""}
    query = {"pretty": (pretty,)} if pretty else {}
    return negotiate.accepted(HttpRequest("GET", "/", query, headers), shapes=shapes, formats=formats)


def is_spliced(kind: Kind, answer: Answer) -> bool:
    """May stored bytes leave as they are?"""
    return answer == PLAIN and kind.convert is None


# ── one object ───────────────────────────────────────────────────────────────────────────────────────────


def stored(call: Call, what: Stored, answer: Answer, status: int = 200) -> Response:
    """The answer that shows a stored object."""
    if call.request.in_process:
        obj = what.obj if what.obj is not None else call.context.decoded.value(what.value, what.revision)
        return Response(status=status, obj=call.asked_form(obj))
    if is_spliced(call.kind, answer):
        body = codec.splice(what.value, what.revision) if what.revision else what.value
        return Response(status=status, body=body)
    found = call.context.decoded.value(what.value, what.revision) if what.obj is None else what.obj
    return single(call, call.asked_form(found), answer, status)


def single(call: Call, obj: Obj, answer: Answer, status: int = 200) -> Response:
    """The answer that shows an object of the asked row."""
    if call.request.in_process:
        return Response(status=status, obj=obj)
    shown = tables.shaped(call.kind, obj, view(call, answer))
    return Response(status=status, body=negotiate.encode(shown, answer), content_type=answer.media)


def plain(call: Call, obj: Obj, status: int = 200) -> Response:
    """An answer that has no other shape: a Status, a Scale, a review."""
    if call.request.in_process:
        return Response(status=status, obj=obj)
    headers = call.request.headers
    answer = _wanted(headers.get("accept", ""), "", headers.get("user-agent", "").startswith(_EYES), ())
    return Response(status=status, body=negotiate.encode(obj, answer), content_type=answer.media)


def view(call: Call, answer: Answer) -> tables.View:
    return tables.View(answer, call.request.param("includeObject") or tables.METADATA, call.context.clock.time())


# ── lists ────────────────────────────────────────────────────────────────────────────────────────────────


def listed(call: Call, records: Sequence[Record], metadata: Obj, answer: Answer) -> Response:
    """The answer that shows records as a list; ``metadata`` is the list's own."""
    if not call.request.in_process and is_spliced(call.kind, answer):
        return Response(body=_joined(call.kind, records, metadata))
    decoded = call.context.decoded
    objects = [call.asked_form(decoded.record(record)) for record in records]
    return many(call, objects, metadata, answer)


def many(call: Call, objects: Sequence[Obj], metadata: Obj, answer: Answer) -> Response:
    """The answer that shows objects of the asked row as a list."""
    kind = call.kind
    if call.request.in_process:
        return Response(obj=whole_list(kind, objects, metadata))
    if answer.shape:
        shown = tables.shaped_list(kind, objects, metadata, view(call, answer))
    else:
        shown = whole_list(kind, [_bare(obj) for obj in objects], metadata)
    return Response(body=negotiate.encode(shown, answer), content_type=answer.media)


def whole_list(kind: Kind, items: Sequence[Obj], metadata: Obj) -> Obj:
    return {"kind": kind.list_name, "apiVersion": kind.api_version, "metadata": metadata, "items": list(items)}


def _bare(obj: Obj) -> Obj:
    """Items of a list do not say their kind."""
    return {key: value for key, value in obj.items() if key not in ("apiVersion", "kind")}


def _joined(kind: Kind, records: Sequence[Record], metadata: Obj) -> bytes:
    """The list in one copy of the stored bytes: each without its kind, with its resourceVersion."""
    opening = f'{{"apiVersion":"{kind.api_version}","kind":"{kind.kind}","metadata":{{'.encode()
    cut = len(opening)
    head = b'{"kind":"%b","apiVersion":"%b","metadata":%b,"items":[' % (
        kind.list_name.encode(), kind.api_version.encode(), orjson.dumps(metadata),
    )  # fmt: skip
    parts: list[bytes | memoryview] = [head]
    for record in records:
        if record.value.startswith(opening):
            version = b'{"metadata":{"resourceVersion":"%d",' % record.revision
            parts += (version, memoryview(record.value)[cut:], b",")
        else:
            parts += (_reencoded(record), b",")
    if records:
        parts.pop()
    parts.append(b"]}")
    return b"".join(parts)


def _reencoded(record: Record) -> bytes:
    """An item whose value opens otherwise than its row says (a renamed list kind, a store of another hand)."""
    return orjson.dumps(_bare(codec.decode_record(record)))


def success(details: Obj | None = None, code: int = 0) -> Obj:
    """A Status that says that all went well."""
    told: Obj = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    if details:
        told["details"] = details
    if code:
        told["code"] = code
    return told
