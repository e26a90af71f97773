"""watch: where it begins, what it tells, and how it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import orjson
import pytest

from pybernetes.kinds import schemas
from pybernetes.meta import errors, protobuf
from pybernetes.meta.objects import Obj
from pybernetes.server import negotiate
from pybernetes.storage.history import Retention

from .server import Server
from .test_reads import TABLE, filled
from .test_writes import MAPS, fresh

Batches = AsyncIterator[Sequence[tuple[str, Obj]]]


async def watched(server: Server, query: dict[str, str], path: str = MAPS, **more: Any) -> AsyncIterator[bytes]:
    answer = await server.http("GET", path, query={"watch": "1", **query}, **more)
    assert answer.stream is not None, answer.body
    return answer.stream


async def told(stream: AsyncIterator[bytes]) -> list[tuple[str, Obj]]:
    """The next piece."""
    events = [orjson.loads(line) for line in (await anext(stream)).splitlines()]
    return [(event["type"], event["object"]) for event in events]


def short(events: Sequence[tuple[str, Obj]]) -> list[tuple[str, str]]:
    return [(type_, obj["metadata"].get("name", "")) for type_, obj in events]


@pytest.mark.parametrize("query", [{}, {"resourceVersion": "0"}])
async def test_without_a_revision_it_begins_with_what_is_there(server: Server, query: dict[str, str]) -> None:
    await filled(server, 2)
    stream = await watched(server, query)
    assert short(await told(stream)) == [("ADDED", "m0"), ("ADDED", "m1")]
    await server.http("DELETE", f"{MAPS}/m0")
    ((type_, obj),) = await told(stream)
    assert (type_, obj["metadata"]["resourceVersion"]) == ("DELETED", str(server.cache.revision))


async def test_with_a_revision_it_goes_on_from_there_in_one_piece(server: Server) -> None:
    made = await filled(server, 3)
    stream = await watched(server, {"resourceVersion": made[0]["metadata"]["resourceVersion"]})
    assert short(await told(stream)) == [("ADDED", "m1"), ("ADDED", "m2")]


async def test_a_selector_sees_objects_come_and_go(server: Server) -> None:
    (made,) = await filled(server, 1)
    stream = await watched(server, {"labelSelector": "parity=odd", "resourceVersion": str(server.cache.revision)})
    for label in ("odd", "odd", "even"):
        patch = {"metadata": {"labels": {"parity": label}}, "data": {"at": str(server.cache.revision)}}
        made = await server.client.patch("configmaps", "m0", patch, namespace="default")
    events = await told(stream)
    assert short(events) == [("ADDED", "m0"), ("MODIFIED", "m0"), ("DELETED", "m0")]
    last = events[-1][1]["metadata"]
    assert (last["labels"]["parity"], last["resourceVersion"]) == ("odd", made["metadata"]["resourceVersion"])


async def test_one_name_is_told_apart_from_longer_ones(server: Server) -> None:
    stream = await watched(server, {"fieldSelector": "metadata.name=m1"})
    await server.client.create("configmaps", fresh("configmaps", name="m11"))
    await server.client.create("configmaps", fresh("configmaps", name="m1"))
    assert short(await told(stream)) == [("ADDED", "m1")]


async def test_the_end_of_the_initial_state_is_told_when_asked(server: Server) -> None:
    await filled(server, 1)
    query = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    events = await told(await watched(server, query))
    assert short(events) == [("ADDED", "m0"), ("BOOKMARK", "")]
    meta = events[-1][1]["metadata"]
    assert meta["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert meta["resourceVersion"] == str(server.cache.revision)
    refused = await server.json("GET", MAPS, query={"watch": "1", "sendInitialEvents": "true"})
    assert "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan" in refused["message"]


async def test_a_bookmark_comes_once_a_minute_if_anything_has_happened(server: Server) -> None:
    query = {"allowWatchBookmarks": "true", "resourceVersion": str(server.cache.revision), "timeoutSeconds": "200"}
    stream = await watched(server, query)
    await server.clock.advance(61)
    await server.client.create("secrets", fresh("secrets"))
    await server.clock.advance(60)
    ((type_, obj),) = await told(stream)
    assert (type_, obj["kind"]) == ("BOOKMARK", "ConfigMap")
    assert obj["metadata"]["resourceVersion"] == str(server.cache.revision)
    await server.clock.advance(100)
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_a_watch_from_a_forgotten_revision_is_told_so_and_ends() -> None:
    server = Server(Retention(changes=2))
    await server.start()
    await filled(server)
    stream = await watched(server, {"resourceVersion": "1"})
    ((type_, status),) = await told(stream)
    assert (type_, status["code"], status["reason"]) == ("ERROR", 410, "Expired")
    assert status["message"].startswith("too old resource version: 1 (")
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
    batches = server.client.watch("configmaps", "default", resource_version="1")
    with pytest.raises(errors.Expired):
        await anext(batches)


async def test_all_watchers_of_a_form_share_the_bytes_of_an_event(server: Server) -> None:
    streams = [await watched(server, {"resourceVersion": str(server.cache.revision)}) for _ in range(2)]
    await filled(server, 1)
    events = server.api._registry.context.events._events
    assert await anext(streams[0]) == await anext(streams[1])
    assert [len(event.frames) for event in events.values()] == [1]


async def test_a_table_watch_sends_rows_and_a_protobuf_watch_frames(server: Server) -> None:
    as_table = await watched(server, {}, accept=TABLE)
    as_protobuf = await watched(server, {}, accept=f"{negotiate.PROTOBUF};stream=watch")
    await filled(server, 1)
    ((type_, table),) = await told(as_table)
    assert (type_, table["kind"], table["rows"][0]["cells"][0]) == ("ADDED", "Table", "m0")
    frame = await anext(as_protobuf)
    assert int.from_bytes(frame[:4], "big") == len(frame) - 4
    type_, obj = protobuf.decode_watch_event(frame[4:], schemas.messages())
    assert (type_, obj["metadata"]["name"]) == ("ADDED", "m0")


async def test_in_process_watchers_share_one_dict_with_the_writer(server: Server) -> None:
    batches: Batches = server.client.watch("configmaps", "default", resource_version=str(server.cache.revision))
    others: Batches = server.client.watch("configmaps", resource_version=str(server.cache.revision))
    (made,) = await filled(server, 1)
    assert (await anext(batches))[0] == ("ADDED", made)
    assert (await anext(others))[0][1] is made


async def test_closing_a_stream_lets_go_of_everything(server: Server) -> None:
    stream = await watched(server, {"allowWatchBookmarks": "true"})
    await stream.aclose()  # type: ignore[attr-defined]
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
    assert server.cache.view._feed._by_directory.get("/registry/core/configmaps/default/") is None
