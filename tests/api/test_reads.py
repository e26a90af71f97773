"""get and list: pages, selectors, revisions and forms."""

from __future__ import annotations

import orjson
import pytest

from pybernetes.kinds import schemas
from pybernetes.meta import manifest, protobuf
from pybernetes.meta.objects import Obj
from pybernetes.server import negotiate
from pybernetes.storage.history import Retention

from .server import Server
from .test_writes import MAPS, fresh

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"


async def filled(server: Server, count: int = 5) -> list[Obj]:
    return [
        await server.client.create(
            "configmaps", fresh("configmaps", name=f"m{n}", labels={"parity": "odd" if n % 2 else "even"})
        )
        for n in range(count)
    ]


def names(listed: Obj) -> list[str]:
    return [item["metadata"]["name"] for item in listed["items"]]


async def test_pages_are_of_one_revision(server: Server) -> None:
    await filled(server)
    first = await server.json("GET", MAPS, query={"limit": "2"})
    assert (names(first), first["metadata"]["remainingItemCount"]) == (["m0", "m1"], 3)
    await server.http("DELETE", f"{MAPS}/m3")
    await server.client.create("configmaps", fresh("configmaps", name="m2a"))
    token = first["metadata"]["continue"]
    second = await server.json("GET", MAPS, query={"limit": "2", "continue": token})
    third = await server.json("GET", MAPS, query={"continue": second["metadata"]["continue"]})
    assert (names(second), names(third)) == (["m2", "m3"], ["m4"])
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    assert "continue" not in third["metadata"]


async def test_a_page_that_comes_too_late_says_how_to_go_on() -> None:
    server = Server(Retention(changes=3))
    await server.start()
    await filled(server)
    token = (await server.json("GET", MAPS, query={"limit": "2"}))["metadata"]["continue"]
    await filled_again(server)
    late = await server.json("GET", MAPS, query={"limit": "2", "continue": token})
    assert (late["reason"], late["code"]) == ("Expired", 410)
    rest = await server.json("GET", MAPS, query={"continue": late["metadata"]["continue"]})
    assert names(rest)[:2] == ["m2", "m3"]


async def filled_again(server: Server) -> None:
    for n in range(5):
        await server.client.create("configmaps", fresh("configmaps", name=f"n{n}"))


async def test_a_limit_counts_what_is_selected(server: Server) -> None:
    await filled(server, 7)
    first = await server.json("GET", MAPS, query={"limit": "2", "labelSelector": "parity=odd"})
    assert names(first) == ["m1", "m3"]
    assert "remainingItemCount" not in first["metadata"]
    token = first["metadata"]["continue"]
    rest = await server.json("GET", MAPS, query={"limit": "2", "labelSelector": "parity=odd", "continue": token})
    assert (names(rest), "continue" in rest["metadata"]) == (["m5"], False)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"labelSelector": "parity in (odd),parity"}, ["m1"]),
        ({"labelSelector": "!parity"}, []),
        ({"fieldSelector": "metadata.name=m1"}, ["m1"]),
        ({"fieldSelector": "metadata.name!=m1"}, ["m0", "m2"]),
        ({"fieldSelector": "metadata.namespace=default", "labelSelector": "parity=odd"}, ["m1"]),
        ({"fieldSelector": "metadata.name=zz"}, []),
    ],
)
async def test_selectors_choose(server: Server, query: dict[str, str], found: list[str]) -> None:
    await filled(server, 3)
    assert names(await server.json("GET", MAPS, query=query)) == found
    assert names(await server.json("GET", "/api/v1/configmaps", query=query)) == found


async def test_pods_are_found_by_their_node(server: Server) -> None:
    await server.client.create("pods", fresh("pods"))
    chosen = {"fieldSelector": "spec.nodeName=,status.phase!=Failed"}
    assert names(await server.json("GET", "/api/v1/pods", query=chosen)) == ["tested"]
    assert names(await server.json("GET", "/api/v1/pods", query={"fieldSelector": "spec.nodeName=n"})) == []


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [
        ({"fieldSelector": "data.a=1"}, 400, '"data.a" is not a known field selector: only "metadata.name", "metadata'),
        ({"labelSelector": "a b"}, 400, "unable to parse requirement"),
        ({"resourceVersion": "x"}, 400, "invalid resource version"),
        ({"limit": "x"}, 400, "limit: Invalid value"),
        (
            {"resourceVersionMatch": "Exact"},
            422,
            "resourceVersionMatch is forbidden unless resourceVersion is provided",
        ),
        ({"resourceVersion": "1", "resourceVersionMatch": "Maybe"}, 422, 'Unsupported value: "Maybe"'),
        (
            {"continue": "e30", "resourceVersion": "3"},
            400,
            "specifying resource version is not allowed when using continue",
        ),
        ({"continue": "???"}, 400, "continue key is not valid"),
        (
            {"resourceVersion": "999", "resourceVersionMatch": "Exact"},
            504,
            "Too large resource version: 999, current: ",
        ),
    ],
)
async def test_a_query_that_makes_no_sense_is_refused(
    server: Server, query: dict[str, str], status: int, told: str
) -> None:
    refused = await server.json("GET", MAPS, query=query)
    assert (refused["code"], told in refused["message"]) == (status, True), refused


async def test_the_past_can_be_read_exactly(server: Server) -> None:
    made = await filled(server, 2)
    then = made[-1]["metadata"]["resourceVersion"]
    await server.http("DELETE", f"{MAPS}/m0")
    past = await server.json("GET", MAPS, query={"resourceVersion": then, "resourceVersionMatch": "Exact"})
    assert (names(past), past["metadata"]["resourceVersion"]) == (["m0", "m1"], then)
    now = await server.json("GET", MAPS, query={"resourceVersion": then, "resourceVersionMatch": "NotOlderThan"})
    assert names(now) == ["m1"]


# ── forms ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_in_process_nothing_is_encoded_and_objects_are_shared(server: Server) -> None:
    (made,) = await filled(server, 1)
    assert await server.client.get("configmaps", "m0", "default") is made
    assert (await server.client.list("configmaps", "default"))["items"][0] is made


async def test_a_table_shows_metadata_the_object_or_nothing_beside_its_cells(server: Server) -> None:
    await server.client.create("pods", fresh("pods"))
    for include, kind in (("Metadata", "PartialObjectMetadata"), ("Object", "Pod"), ("None", None)):
        shown = await server.json("GET", "/api/v1/pods", accept=TABLE, query={"includeObject": include})
        (row,) = shown["rows"]
        assert row["cells"][:5] == ["tested", "0/1", "Pending", "0", "0s"]
        assert row.get("object", {}).get("kind") == kind
    refused = await server.json("GET", "/api/v1/pods", accept=TABLE, query={"includeObject": "Some"})
    assert refused["code"] == 400


async def test_metadata_alone_can_be_listed(server: Server) -> None:
    (made,) = await filled(server, 1)
    shown = await server.json("GET", MAPS, accept=PARTIAL)
    assert shown["kind"] == "PartialObjectMetadataList"
    assert shown["items"] == [
        {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": made["metadata"]}
    ]


async def test_yaml_and_protobuf_lists_hold_the_same(server: Server) -> None:
    await filled(server, 2)
    as_yaml = await server.http("GET", MAPS, accept=negotiate.YAML)
    as_protobuf = await server.http("GET", MAPS, accept=negotiate.PROTOBUF)
    as_json = await server.json("GET", MAPS)
    assert manifest.loads(as_yaml.body) == as_json
    assert names(protobuf.decode_envelope(as_protobuf.body, schemas.messages())) == names(as_json)


async def test_what_cannot_be_shown_as_asked_is_refused_before_anything_happens(server: Server) -> None:
    refused = await server.http("POST", MAPS, fresh("configmaps"), accept="text/html")
    assert refused.status == 406
    assert (await server.http("GET", f"{MAPS}/tested")).status == 404


async def test_people_with_curl_get_indented_json(server: Server) -> None:
    await filled(server, 1)
    shown = await server.http("GET", f"{MAPS}/m0", agent="curl/8")
    assert b"\n  " in shown.body
    assert orjson.loads(shown.body) == await server.json("GET", f"{MAPS}/m0")
