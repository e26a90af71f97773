"""``/openapi/v2`` and ``/openapi/v3``: the schemas and operations of everything in the kind table.

Rule: built when first asked for, kept until the table changes. Clients read these to know that the server itself
checks fields (``fieldValidation`` among the parameters), to explain fields, and to merge patches.
Neighbours: ``operations.py`` (what there is), ``v2.py`` and ``v3.py`` (grammars), ``gnostic.py`` (v2 as protobuf),
``server/derived.py`` (keeping and tagging).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from pybernetes.kinds.kind import Kind
from pybernetes.kinds.table import KindTable
from pybernetes.lib.http.message import HttpRequest
from pybernetes.meta import errors, protobuf
from pybernetes.meta.objects import Obj
from pybernetes.meta.schema import Schemas
from pybernetes.server import derived, negotiate
from pybernetes.server.aggregation import merged
from pybernetes.server.aggregation.remotes import Remotes
from pybernetes.server.context import Response
from pybernetes.server.openapi import gnostic, operations, v2, v3

V2_PROTOBUF: Final = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
"""As answered; clients ask with an ``@``, which is no valid media type to parse when it comes back."""
_V2_OFFERS: Final = {
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf": V2_PROTOBUF,
    V2_PROTOBUF: V2_PROTOBUF,
    "application/json": "application/json",
}


def serves(path: str) -> bool:
    return path in ("/openapi/v2", "/openapi/v3") or path.startswith("/openapi/v3/")


class OpenApi:
    """``version``: what the documents say of themselves. ``remotes``: whose documents are shown with ours."""

    def __init__(self, kinds: KindTable, schemas: Schemas, version: str, remotes: Remotes | None = None) -> None:
        self._kinds, self._schemas, self._version, self._remotes = kinds, schemas, version, remotes
        self._documents = derived.Derived(kinds, self._build, lambda: remotes.generation if remotes else 0)

    def respond(self, request: HttpRequest) -> Response:
        """The answer for a path that ``serves`` names. Raises NotFound and NotAcceptable."""
        if request.method not in ("GET", "HEAD"):
            raise errors.MethodNotAllowed("the server does not allow this method on the requested resource")
        if request.path == "/openapi/v2":
            media = _v2_media(request)
            return derived.document(request, *self._documents.get(("v2", media)), media)
        _check_json(request)
        name = request.path.removeprefix("/openapi/v3").strip("/")
        body, tag = self._documents.get(("v3", name))
        return derived.document(request, body, tag, negotiate.JSON, immutable=request.param("hash") == tag)

    def _build(self, key: tuple[str, str]) -> tuple[bytes, str]:
        body = self._body(key)
        return body, derived.etag(body)

    def _body(self, key: tuple[str, str]) -> bytes:
        match key:
            case ("v3", ""):
                names = [*self._names(), *self._theirs()]
                return orjson.dumps({"paths": {name: {"serverRelativeURL": self._url(name)} for name in names}})
            case ("v3", name) if name in (theirs := self._theirs()):
                return theirs[name]
            case ("v3", name) if name in (own := self._names()):
                return orjson.dumps(v3.build(own[name], self._described(), self._version))
            case ("v2", media):
                document = v2.build(self._kinds, self._poorer(), self._version)
                document = merged.v2(document, self._remotes.all() if self._remotes is not None else ())
                return _as_protobuf(document) if media == V2_PROTOBUF else orjson.dumps(document)
        raise errors.NotFound("the server could not find the requested resource")

    def _poorer(self) -> Mapping[str, Any]:
        """The definitions, those of custom resources as v2 can say them."""
        customs = self._schemas.customs
        if not customs:
            return self._described()
        from pybernetes.kinds.custom import published

        told = {name: published.for_v2(self._schemas.definitions[name]) for name in customs}
        return {**self._described(), **told}

    def _described(self) -> Mapping[str, Any]:
        from pybernetes.kinds.schemas import prose

        return prose.described(self._schemas.definitions)

    def _names(self) -> dict[str, list[Kind]]:
        """``api/v1`` → its rows."""
        out: dict[str, list[Kind]] = {}
        for row in self._kinds:
            out.setdefault(operations.base(row).lstrip("/"), []).append(row)
        return out

    def _theirs(self) -> dict[str, bytes]:
        """``apis/<group>/<version>`` → the document of the server behind this one."""
        remotes = self._remotes.all() if self._remotes is not None else ()
        return {r.path.lstrip("/"): r.told.v3 for r in remotes if r.told is not None and r.told.v3}

    def _url(self, name: str) -> str:
        return f"/openapi/v3/{name}?hash={self._documents.get(('v3', name))[1]}"


def _as_protobuf(document: Obj) -> bytes:
    from pybernetes.kinds import schemas

    return protobuf.codec(schemas.messages()).encode(gnostic.MESSAGE, gnostic.document(document))


def _v2_media(request: HttpRequest) -> str:
    for clause in negotiate.clauses(request.headers.get("accept", "") or "*/*"):
        if clause.media in _V2_OFFERS:
            return _V2_OFFERS[clause.media]
        if clause.matches("application/json"):
            return "application/json"
    raise errors.NotAcceptable("only the following media types are accepted: " + ", ".join(_V2_OFFERS))


def _check_json(request: HttpRequest) -> None:
    accept = request.headers.get("accept", "")
    if accept and not any(clause.matches(negotiate.JSON) for clause in negotiate.clauses(accept)):
        raise errors.NotAcceptable(f"only the following media types are accepted: {negotiate.JSON}")
