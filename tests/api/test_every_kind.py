"""Every kind row under every verb: a new row is tested by being a row."""

from __future__ import annotations

import orjson
import pytest

from pybernetes.kinds import schemas, table
from pybernetes.kinds.kind import Kind
from pybernetes.meta import protobuf
from pybernetes.meta.objects import Obj
from pybernetes.server import negotiate

from .objects import name_of, smallest
from .server import Server

ROWS = [row for row in table.builtin() if "create" in row.verbs and "get" in row.verbs]
IDS = [f"{row.api_version}/{row.plural}" for row in ROWS]
every_kind = pytest.mark.parametrize("kind", ROWS, ids=IDS)
AT_ONCE = {"propagationPolicy": "Background"}
"""Jobs and ReplicationControllers would wait for their pods to be orphaned."""
HELD = ("CustomResourceDefinition", "PersistentVolume", "PersistentVolumeClaim")
"""A finalizer of the server's keeps them until nobody needs them."""
AS_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def paths(kind: Kind) -> tuple[str, str]:
    """(collection, object)."""
    root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    collection = f"{root}/namespaces/default/{kind.plural}" if kind.namespaced else f"{root}/{kind.plural}"
    return collection, f"{collection}/{name_of(kind)}"


async def created(server: Server, kind: Kind) -> Obj:
    answer = await server.http("POST", paths(kind)[0], smallest(kind))
    assert answer.status == 201, answer.body
    obj: Obj = orjson.loads(answer.body)
    return obj


@every_kind
async def test_what_is_created_can_be_read_alone_and_in_a_list(server: Server, kind: Kind) -> None:
    collection, path = paths(kind)
    obj = await created(server, kind)
    assert (obj["apiVersion"], obj["kind"]) == (kind.api_version, kind.kind)
    assert obj["metadata"]["uid"] and obj["metadata"]["resourceVersion"] and obj["metadata"]["creationTimestamp"]
    assert await server.json("GET", path) == obj
    listed = await server.json("GET", collection)
    assert (listed["kind"], listed["apiVersion"]) == (kind.list_name, kind.api_version)
    bare = {key: value for key, value in obj.items() if key not in ("apiVersion", "kind")}
    assert [item for item in listed["items"] if item["metadata"]["uid"] == obj["metadata"]["uid"]] == [bare]


@every_kind
async def test_a_second_one_of_the_same_name_is_refused(server: Server, kind: Kind) -> None:
    await created(server, kind)
    answer = await server.http("POST", paths(kind)[0], smallest(kind))
    assert answer.status == 409
    assert orjson.loads(answer.body)["reason"] == "AlreadyExists"


@every_kind
async def test_writing_what_is_there_writes_nothing(server: Server, kind: Kind) -> None:
    _, path = paths(kind)
    obj = await created(server, kind)
    assert await server.json("PUT", path, obj) == obj


@every_kind
async def test_an_update_needs_the_current_resource_version(server: Server, kind: Kind) -> None:
    _, path = paths(kind)
    obj = await created(server, kind)
    labelled = {**obj, "metadata": {**obj["metadata"], "labels": {"tier": "front"}}}
    changed = await server.json("PUT", path, labelled)
    assert changed["metadata"]["labels"]["tier"] == "front"
    assert int(changed["metadata"]["resourceVersion"]) > int(obj["metadata"]["resourceVersion"])
    refused = await server.json("PUT", path, labelled)
    assert refused["reason"] == "Conflict"


@every_kind
@pytest.mark.parametrize("patch", ["merge-patch", "strategic-merge-patch", "json-patch", "apply-patch"])
async def test_each_form_of_patch_labels_it(server: Server, kind: Kind, patch: str) -> None:
    _, path = paths(kind)
    obj = await created(server, kind)
    labels = {"metadata": {"labels": {"tier": "front"}}}
    merged = {**obj["metadata"], "labels": {**obj["metadata"].get("labels", {}), "tier": "front"}}
    body: object = labels
    if patch == "json-patch":
        body = [
            {"op": "test", "path": "/kind", "value": kind.kind},
            {"op": "add", "path": "/metadata", "value": merged},
        ]
    if patch == "apply-patch":
        body = {"apiVersion": kind.api_version, "kind": kind.kind, **labels}
    media = f"application/{patch}+{'yaml' if patch == 'apply-patch' else 'json'}"
    changed = await server.json("PATCH", path, body, content_type=media, query={"fieldManager": "patcher"})
    assert changed.get("metadata", {}).get("labels", {}).get("tier") == "front", changed
    assert {entry["manager"] for entry in changed["metadata"]["managedFields"]} == {"tests", "patcher"}


@every_kind
async def test_a_deleted_one_is_gone(server: Server, kind: Kind) -> None:
    _, path = paths(kind)
    await created(server, kind)
    await server.http("DELETE", path, query=AT_ONCE)
    if kind.kind == "Namespace":
        assert (await server.json("GET", path))["status"]["phase"] == "Terminating"
    elif kind.kind in HELD:
        assert (await server.json("GET", path))["metadata"]["deletionTimestamp"]
    else:
        assert (await server.json("GET", path))["reason"] == "NotFound"


@every_kind
async def test_a_collection_is_deleted_by_labels(server: Server, kind: Kind) -> None:
    if "deletecollection" not in kind.verbs:
        pytest.skip("upstream has no such verb for it")
    collection, path = paths(kind)
    await created(server, kind)
    await server.http("DELETE", collection, query={"labelSelector": "tier=front"})
    assert (await server.http("GET", path)).status == 200
    await server.http("DELETE", collection, query={"fieldSelector": f"metadata.name={name_of(kind)}", **AT_ONCE})
    assert kind.kind in HELD or (await server.http("GET", path)).status == 404


@every_kind
async def test_a_watch_tells_of_its_whole_life(server: Server, kind: Kind) -> None:
    if kind.kind == "CustomResourceDefinition":
        pytest.skip("the server changes it too: test_definitions.py")
    collection, path = paths(kind)
    watch = await server.http(
        "GET", collection, query={"watch": "1", "fieldSelector": f"metadata.name={name_of(kind)}"}
    )
    assert watch.stream is not None
    obj = await created(server, kind)
    await server.http("PUT", path, {**obj, "metadata": {**obj["metadata"], "labels": {"a": "b"}}})
    await server.http("DELETE", path, query=AT_ONCE)
    events = [orjson.loads(line) for line in (await anext(watch.stream)).splitlines()]
    last = "MODIFIED" if kind.kind in ("Namespace", *HELD) else "DELETED"
    assert [event["type"] for event in events] == ["ADDED", "MODIFIED", last]
    assert events[0]["object"] == obj


@every_kind
async def test_a_table_has_a_cell_for_each_column(server: Server, kind: Kind) -> None:
    collection, path = paths(kind)
    await created(server, kind)
    for where in (collection, path):
        shown = await server.json("GET", where, accept=AS_TABLE)
        assert shown["kind"] == "Table", shown
        assert shown["columnDefinitions"][0]["name"] in ("Name", "Last Seen")
        assert {len(row["cells"]) for row in shown["rows"]} == {len(shown["columnDefinitions"])}
        assert shown["rows"][0]["object"]["kind"] == "PartialObjectMetadata"


@every_kind
async def test_protobuf_goes_in_and_out(server: Server, kind: Kind) -> None:
    collection, path = paths(kind)
    sent = protobuf.encode_envelope(smallest(kind), schemas.messages())
    made = await server.http("POST", collection, sent, content_type=negotiate.PROTOBUF)
    assert made.status == 201, made.body
    answer = await server.http("GET", path, accept=negotiate.PROTOBUF)
    assert answer.content_type == negotiate.PROTOBUF
    shown = protobuf.decode_envelope(answer.body, schemas.messages())
    assert shown["metadata"]["name"] == name_of(kind)
    assert shown["metadata"]["uid"] == orjson.loads(made.body)["metadata"]["uid"]


@every_kind
async def test_a_dry_run_leaves_no_trace(server: Server, kind: Kind) -> None:
    collection, path = paths(kind)
    before = server.cache.revision
    answer = await server.http("POST", collection, smallest(kind), query={"dryRun": "All"})
    assert answer.status == 201, answer.body
    assert (server.cache.revision, (await server.http("GET", path)).status) == (before, 404)
