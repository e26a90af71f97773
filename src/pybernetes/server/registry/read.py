"""get and list: one object, or a page of them as of one revision.

Rule: everything comes out of the watch cache, synchronously; a reader that names a revision waits until the cache has
seen it. ``resourceVersionMatch`` and ``continue`` mean what KEP-1904 and KEP-365 say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pybernetes.meta import errors
from pybernetes.meta.objects import Obj
from pybernetes.server.context import Response
from pybernetes.server.registry import encode, selection
from pybernetes.server.registry.call import Call
from pybernetes.server.registry.encode import Stored
from pybernetes.server.registry.selection import Selection
from pybernetes.storage import codec, continuation
from pybernetes.storage.port import Compacted, FutureRevision, Record

_CHUNK: Final = 500
_MATCHES: Final = ("Exact", "NotOlderThan")


async def get(call: Call) -> Response:
    answer = encode.wanted(call)
    if call.request.query:
        await _await_revision(call, revision_of(call))
    return encode.stored(call, Stored.of(record_of(call)), answer)


def record_of(call: Call) -> Record:
    """The record of the named object. Raises NotFound."""
    record = call.context.cache.get(call.key)
    if record is None:
        raise call.not_found()
    return record


async def list_(call: Call) -> Response:
    answer = encode.wanted(call, many=True)
    chosen = selection.of(call)
    page = await _page(call, chosen) if call.request.query else _everything(call)
    return encode.listed(call, page.records, page.metadata, answer)


@dataclass(slots=True)
class _Page:
    records: Sequence[Record]
    metadata: Obj


@dataclass(frozen=True, slots=True)
class _Asked:
    """Where a list starts, of which revision (0: now) and how much of it is wanted (0: all)."""

    after: str = ""
    revision: int = 0
    limit: int = 0


def _everything(call: Call) -> _Page:
    records, revision = call.context.cache.list(call.prefix)
    return _Page(records, {"resourceVersion": str(revision)})


def selected(call: Call, chosen: Selection) -> Sequence[Record]:
    """All records of the path that are selected now."""
    if chosen.name and (call.namespace or not call.row.namespaced):
        found = call.context.cache.get(codec.key(call.row.group, call.row.plural, call.namespace, chosen.name))
        return _matching(call, chosen, [found] if found is not None else [])
    return _matching(call, chosen, call.context.cache.list(call.prefix)[0])


async def _page(call: Call, chosen: Selection) -> _Page:
    asked = await _asked(call)
    if asked == _Asked():
        return _Page(selected(call, chosen), {"resourceVersion": str(call.context.cache.revision)})
    try:
        return _some(call, chosen, asked)
    except Compacted as gone:
        if call.request.param("continue"):
            raise continuation.expired(call.prefix, continuation.Position(asked.after, asked.revision)) from gone
        raise errors.Expired("The resourceVersion for the provided list is too old.") from gone
    except FutureRevision as future:
        raise too_large(future) from future


def _some(call: Call, chosen: Selection, asked: _Asked) -> _Page:
    """Up to ``limit`` selected records; with a selector it reads on until it has found that many."""
    cache, prefix = call.context.cache, call.prefix
    found: list[Record] = []
    after, revision = asked.after, asked.revision
    while True:
        size = asked.limit if not chosen else max(asked.limit, _CHUNK) if asked.limit else 0
        page = cache.page(prefix, after, size, revision)
        revision = page.revision
        found += _matching(call, chosen, page.records)
        if not page.remaining or (asked.limit and len(found) >= asked.limit):
            break
        after = page.records[-1].key
    metadata: Obj = {"resourceVersion": str(revision)}
    more = bool(page.remaining)
    if asked.limit and len(found) > asked.limit:
        found, more = found[: asked.limit], True
    if more:
        metadata["continue"] = continuation.encode(prefix, found[-1].key, revision)
        if not chosen:
            metadata["remainingItemCount"] = page.remaining
    return _Page(found, metadata)


def _matching(call: Call, chosen: Selection, records: Sequence[Record]) -> Sequence[Record]:
    if not chosen:
        return records
    decoded = call.context.decoded
    return [record for record in records if chosen.matches(decoded.record(record))]


# ── what the query asks ──────────────────────────────────────────────────────────────────────────────────


async def _asked(call: Call) -> _Asked:
    request = call.request
    limit = number(request.param("limit"), "limit")
    revision, match = revision_of(call), request.param("resourceVersionMatch")
    _check_match(call, match)
    if token := request.param("continue"):
        if revision:
            raise errors.BadRequest("specifying resource version is not allowed when using continue")
        position = continuation.decode(call.prefix, token)
        return _Asked(position.after, position.revision, limit)
    if match == "Exact":
        return _Asked("", revision, limit)
    await _await_revision(call, revision)
    return _Asked("", 0, limit)


def _check_match(call: Call, match: str) -> None:
    """validation.ValidateListOptions."""
    given, path = call.request.param("resourceVersion"), "resourceVersionMatch"
    if not match:
        return
    if not given:
        wrong = errors.field_forbidden(path, f"{path} is forbidden unless resourceVersion is provided")
    elif call.request.param("continue"):
        wrong = errors.field_forbidden(path, f"{path} is forbidden when continue is provided")
    elif match not in _MATCHES:
        wrong = errors.not_supported(path, match, _MATCHES)
    elif match == "Exact" and given == "0":
        wrong = errors.field_forbidden(path, f'{path} "Exact" is forbidden for resourceVersion "0"')
    else:
        return
    raise errors.invalid_object("meta.k8s.io", "ListOptions", "", [wrong])


def revision_of(call: Call) -> int:
    """``resourceVersion`` of the query; 0 where none is given. Raises BadRequest."""
    text = call.request.param("resourceVersion")
    if not text:
        return 0
    if not text.isdecimal():
        raise errors.BadRequest(f'invalid resource version: resourceVersion: Invalid value: "{text}": not a number')
    return int(text)


def number(text: str, name: str) -> int:
    """A number of the query; 0 where none is given. Raises BadRequest."""
    if not text:
        return 0
    if not text.isdecimal():
        raise errors.BadRequest(f'{name}: Invalid value: "{text}": must be a number that is not negative')
    return int(text)


async def _await_revision(call: Call, revision: int) -> None:
    if revision > call.context.cache.revision:
        try:
            await call.context.cache.wait_for(revision)
        except FutureRevision as future:
            raise too_large(future) from future


def too_large(future: FutureRevision) -> errors.Timeout:
    """storage.NewTooLargeResourceVersionError."""
    text = f"Too large resource version: {future.revision}, current: {future.current}"
    cause = errors.Cause("ResourceVersionTooLarge", "Too large resource version")
    return errors.Timeout(f"Timeout: {text}", causes=[cause], retry_after_seconds=1)
