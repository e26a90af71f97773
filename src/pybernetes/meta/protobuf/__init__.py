"""Kubernetes' protobuf: objects inside an envelope, driven by the message table alone.

An envelope is ``k8s\\0`` and a runtime.Unknown: the object's apiVersion and kind, and its message as raw bytes
(apimachinery/pkg/runtime/serializer/protobuf). Message names follow from apiVersion and kind: ``apps/v1 Deployment`` is
``k8s.io.api.apps.v1.Deployment``, ``v1 Pod`` is ``k8s.io.api.core.v1.Pod``; kinds that every group has (Status,
DeleteOptions, …) are messages of apimachinery's meta/v1.
Neighbours: ``codec.py`` for one message, ``server/negotiate.py`` for bodies and answers.
"""

from __future__ import annotations

from typing import Final

import orjson

from pybernetes.meta import errors
from pybernetes.meta.objects import Obj
from pybernetes.meta.protobuf.codec import MAGIC, Codec, Messages
from pybernetes.meta.protobuf.wire import Malformed

_META: Final = "k8s.io.apimachinery.pkg.apis.meta.v1"
_ENVELOPES: Final = Codec(
    {
        "TypeMeta": [[1, "apiVersion", "string"], [2, "kind", "string"]],
        "Unknown": [
            [1, "typeMeta", "TypeMeta"],
            [2, "raw", "raw"],
            [3, "contentEncoding", "string"],
            [4, "contentType", "string"],
        ],
        "Raw": [[1, "raw", "raw"]],
        "WatchEvent": [[1, "type", "string"], [2, "object", "Raw"]],
    }
)
"""The messages around objects; their payloads stay bytes."""
_PACKAGES: Final = {
    "meta.k8s.io": "k8s.io.apimachinery.pkg.apis.meta",
    "internal.apiserver.k8s.io": "k8s.io.api.apiserverinternal",
    "apiextensions.k8s.io": "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions",
    "apiregistration.k8s.io": "k8s.io.kube_aggregator.pkg.apis.apiregistration",
    "metrics.k8s.io": "k8s.io.metrics.pkg.apis.metrics",
}
_codecs: dict[int, tuple[Messages, Codec]] = {}


def message_name(api_version: str, kind: str, messages: Messages) -> str | None:
    """The message of a kind; None where it has none (custom resources, Tables)."""
    group, _, version = api_version.rpartition("/")
    package = _PACKAGES.get(group) or f"k8s.io.api.{group.split('.')[0] or 'core'}"
    names = (f"{package}.{version}.{kind}", f"{_META}.{kind}")
    return next((name for name in names if name in messages), None)


def decode_envelope(body: bytes, messages: Messages, *, api_version: str = "", kind: str = "") -> Obj:
    """The object in an envelope, with its apiVersion and kind; the arguments stand in where it names none.

    Raises BadRequest for anything that is not such an object.
    """
    try:
        return _decoded(body, messages, api_version, kind)
    except Malformed as error:
        raise errors.BadRequest(f"the protobuf body cannot be decoded: {error}") from error
    except RecursionError as error:
        raise errors.BadRequest("the protobuf body cannot be decoded: nested too deeply") from error


def encode_envelope(obj: Obj, messages: Messages) -> bytes:
    """An object or list in its envelope. Raises NotAcceptable where its kind has no message."""
    api_version, kind = str(obj.get("apiVersion", "")), str(obj.get("kind", ""))
    raw = codec(messages).encode(_message(api_version, kind, messages, errors.NotAcceptable), obj)
    type_meta = {"apiVersion": api_version, "kind": kind}
    return MAGIC + _ENVELOPES.encode("Unknown", {"typeMeta": type_meta, "raw": raw, "contentType": ""})


def encode_watch_event(type_: str, obj: Obj, messages: Messages) -> bytes:
    """One frame of a protobuf watch: the length in four bytes, then a WatchEvent around the object's envelope."""
    wrapped = {"type": type_, "object": {"raw": encode_envelope(obj, messages)}}
    frame = _ENVELOPES.encode("WatchEvent", wrapped)
    return len(frame).to_bytes(4, "big") + frame


def decode_watch_event(frame: bytes, messages: Messages) -> tuple[str, Obj]:
    """(type, object) of a frame without its length."""
    try:
        event = _ENVELOPES.decode("WatchEvent", frame)
    except Malformed as error:
        raise errors.BadRequest(f"the watch event cannot be decoded: {error}") from error
    return event.get("type", ""), decode_envelope(event.get("object", {}).get("raw", b""), messages)


def codec(messages: Messages) -> Codec:
    """The codec of a table; its compiled plans are kept as long as the process lives."""
    found = _codecs.get(id(messages))
    if found is None:
        made = Codec(messages, embedded=lambda body: _decoded(body, messages, "", ""))
        _codecs[id(messages)] = found = (messages, made)
    return found[1]


def _decoded(body: bytes, messages: Messages, api_version: str, kind: str) -> Obj:
    if not body.startswith(MAGIC):
        raise Malformed("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    unknown = _ENVELOPES.decode("Unknown", body[len(MAGIC) :])
    if encoding := unknown.get("contentEncoding"):
        raise Malformed(f"unsupported content encoding {encoding!r}")
    told = unknown.get("typeMeta", {})
    api_version, kind = told.get("apiVersion") or api_version, told.get("kind") or kind
    return {"apiVersion": api_version, "kind": kind} | _content(unknown, api_version, kind, messages)


def _content(unknown: Obj, api_version: str, kind: str, messages: Messages) -> Obj:
    raw: bytes = unknown.get("raw", b"")
    if unknown.get("contentType") == "application/json":
        return _json_object(raw)
    obj: Obj = codec(messages).decode(_message(api_version, kind, messages, errors.BadRequest), raw)
    return obj


def _json_object(raw: bytes) -> Obj:
    try:
        obj = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"its JSON content is wrong: {error}") from error
    if not isinstance(obj, dict):
        raise Malformed("its JSON content is not an object")
    return obj


def _message(api_version: str, kind: str, messages: Messages, refusal: type[errors.ApiError]) -> str:
    name = message_name(api_version, kind, messages)
    if name is None:
        raise refusal(f'no kind "{kind}" is registered for version "{api_version}" with a protobuf form')
    return name
