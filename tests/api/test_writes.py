"""create and update: what the server adds, keeps and refuses."""

from __future__ import annotations

import asyncio

import pytest

from pybernetes.kinds import table
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj, evolve

from .objects import smallest
from .server import Server

MAPS = "/api/v1/namespaces/default/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
KINDS = table.builtin()


def config_map(name: str = "web", **data: str) -> Obj:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def fresh(resource: str, **metadata: object) -> Obj:
    kind = KINDS.by_resource(resource)
    assert kind is not None
    return smallest(kind, **metadata)


# ── create ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_generated_name_is_the_prefix_and_chance(server: Server) -> None:
    made = await server.client.create("configmaps", {"metadata": {"generateName": "web-", "namespace": "default"}})
    assert made["metadata"]["name"].startswith("web-")
    assert len(made["metadata"]["name"]) == len("web-") + 5


async def test_what_only_the_server_says_is_not_taken_from_a_client(server: Server) -> None:
    told = {"uid": "mine", "creationTimestamp": "2001-01-01T00:00:00Z", "deletionTimestamp": "2001-01-01T00:00:00Z"}
    made = await server.client.create("pods", {**fresh("pods", **told), "status": {"phase": "Running"}})
    meta = made["metadata"]
    assert meta["uid"] != "mine"
    assert (meta["creationTimestamp"], meta.get("deletionTimestamp")) == ("2023-11-14T22:13:20Z", None)
    assert made["status"]["phase"] == "Pending"


async def test_a_node_registers_together_with_its_status(server: Server) -> None:
    made = await server.client.create("nodes", {"metadata": {"name": "n"}, "status": {"capacity": {"cpu": "4"}}})
    assert made["status"]["allocatable"] == {"cpu": "4"}


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        ({"apiVersion": "v2"}, 400, "the API version in the data (v2) does not match the expected API version (v1)"),
        ({"kind": "Pod"}, 400, 'Pod in version "v1" cannot be handled as a ConfigMap'),
        ({"data": {"a": 1}}, 400, 'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal'
                                  " number into Go struct field ConfigMap.data of type string"),
        ({"metadata": {"name": "web", "namespace": "other"}}, 400, "the namespace of the provided object"),
        ({"metadata": {"name": "web", "resourceVersion": "3"}}, 400, "resourceVersion should not be set"),
        ({"metadata": {"name": "Web"}}, 422, 'ConfigMap "Web" is invalid: metadata.name: Invalid value: "Web"'),
        ({"metadata": {}}, 422, "metadata.name: Required value: name or generateName is required"),
    ],
)  # fmt: skip
async def test_a_wrong_object_is_refused_in_upstreams_words(
    server: Server, change: Obj, status: int, told: str
) -> None:
    refused = await server.json("POST", MAPS, {**config_map(), **change})
    assert (refused["code"], told in refused["message"]) == (status, True), refused["message"]


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (b"{", 400, "json parse error"),
        (b"[]", 400, "cannot unmarshal"),
        (b" " * (3 << 20) + b"{}", 413, "limit is 3145728"),
    ],
)
async def test_a_body_that_is_no_object_is_refused(server: Server, body: bytes, status: int, told: str) -> None:
    refused = await server.json("POST", MAPS, body)
    assert refused["code"] == status
    assert told in refused["message"]


async def test_yaml_is_a_body_like_any_other(server: Server) -> None:
    made = await server.json("POST", MAPS, b"metadata: {name: web}\ndata: {a: b}\n", content_type="application/yaml")
    assert (made["kind"], made["data"]) == ("ConfigMap", {"a": "b"})


async def test_unknown_fields_are_refused_warned_of_or_ignored_as_asked(server: Server) -> None:
    wrong = {**config_map(), "datum": {}, "metadata": {"name": "web", "lable": {}}}
    strict = await server.json("POST", MAPS, wrong, query={"fieldValidation": "Strict"})
    assert strict["message"] == (
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: '
        'unknown field "datum", unknown field "metadata.lable"'
    ) or strict["message"].endswith('unknown field "metadata.lable", unknown field "datum"')
    warned = await server.http("POST", MAPS, wrong)
    assert warned.status == 201
    assert b"lable" not in warned.body
    warnings = [value for name, value in warned.headers if name.lower() == "warning"]
    assert any('unknown field \\"datum\\"' in text for text in warnings)
    ignored = await server.http("POST", MAPS, {**wrong, "metadata": {"name": "b"}}, query={"fieldValidation": "Ignore"})
    assert (ignored.status, [n for n, _ in ignored.headers if n.lower() == "warning"]) == (201, [])


async def test_a_field_said_twice_is_found_where_somebody_wants_to_know(server: Server) -> None:
    body = b'{"metadata":{"name":"web","labels":{"a":"1","a":"2"}},"data":{"x":"1"},"data":{"x":"2"}}'
    strict = await server.json("POST", MAPS, body, query={"fieldValidation": "Strict"})
    assert strict["message"].endswith(
        'strict decoding error: duplicate field "metadata.labels.a", duplicate field "data"'
    )
    made = await server.json("POST", MAPS, body)
    assert (made["data"], made["metadata"]["labels"]) == ({"x": "2"}, {"a": "2"})


async def test_null_means_absent(server: Server) -> None:
    made = await server.json("POST", MAPS, {**config_map(), "data": None, "metadata": {"name": "a", "labels": None}})
    assert "data" not in made
    assert "labels" not in made["metadata"]


async def test_what_a_controller_hands_over_is_not_changed(server: Server) -> None:
    template = fresh("deployments.apps")["spec"]["template"]
    given = {"metadata": {"name": "web", "namespace": "default"}, "spec": template["spec"]}
    before = repr(given)
    await server.client.create("pods", given)
    assert repr(given) == before


# ── update ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_generation_counts_changes_of_what_is_wanted(server: Server) -> None:
    made = await server.client.create("deployments.apps", fresh("deployments.apps"))
    assert made["metadata"]["generation"] == 1
    labelled = await server.client.patch("deployments.apps", "tested", {"metadata": {"labels": {"a": "b"}}},
                                         namespace="default")  # fmt: skip
    scaled = await server.client.patch("deployments.apps", "tested", {"spec": {"replicas": 3}}, namespace="default")
    assert (labelled["metadata"]["generation"], scaled["metadata"]["generation"]) == (1, 2)


async def test_the_status_door_writes_status_only_and_the_other_door_all_but_it(server: Server) -> None:
    made = await server.client.create("deployments.apps", fresh("deployments.apps"))
    both = {**evolve(made, ("spec", "replicas"), 7), "status": {"replicas": 2}}
    told = await server.client.update("deployments.apps", both, subresource="status")
    assert (told["spec"]["replicas"], told["status"]) == (1, {"replicas": 2})
    again = evolve({**both, "status": {"replicas": 9}}, ("metadata", "resourceVersion"), "")
    wanted = await server.client.update("deployments.apps", again)
    assert (wanted["spec"]["replicas"], wanted["status"]) == (7, {"replicas": 2})


async def test_an_update_without_a_version_wins_and_one_with_an_old_version_does_not(server: Server) -> None:
    made = await server.client.create("configmaps", fresh("configmaps"))
    await server.client.update("configmaps", {**made, "data": {"a": "2"}})
    with pytest.raises(errors.Conflict, match=r'Operation cannot be fulfilled on configmaps "tested": the object has'):
        await server.client.update("configmaps", {**made, "data": {"a": "3"}})
    changed = await server.client.update("configmaps", {**fresh("configmaps"), "data": {"a": "4"}})
    assert changed["metadata"]["uid"] == made["metadata"]["uid"]
    assert changed["data"] == {"a": "4"}


async def test_some_kinds_insist_on_a_version(server: Server) -> None:
    await server.client.create("poddisruptionbudgets.policy", fresh("poddisruptionbudgets.policy"))
    with pytest.raises(errors.Invalid, match=r"metadata.resourceVersion: Invalid value: 0x0: must be specified"):
        await server.client.update("poddisruptionbudgets.policy", fresh("poddisruptionbudgets.policy"))


async def test_some_kinds_are_created_by_an_update(server: Server) -> None:
    answer = await server.http("PUT", "/apis/coordination.k8s.io/v1/namespaces/default/leases/tested",
                               fresh("leases.coordination.k8s.io"))  # fmt: skip
    assert answer.status == 201
    refused = await server.json("PUT", f"{MAPS}/tested", fresh("configmaps"))
    assert refused["message"] == 'configmaps "tested" not found'


async def test_another_name_or_uid_than_that_of_the_path_is_refused(server: Server) -> None:
    made = await server.client.create("configmaps", fresh("configmaps"))
    named = await server.json("PUT", f"{MAPS}/tested", fresh("configmaps", name="other"))
    assert named["message"] == "the name of the object (other) does not match the name on the URL (tested)"
    another = await server.json("PUT", f"{MAPS}/tested", fresh("configmaps", uid="x"))
    assert (
        f"Precondition failed: UID in precondition: x, UID in object meta: {made['metadata']['uid']}"
        in another["message"]
    )


async def test_immutable_fields_stay(server: Server) -> None:
    made = await server.client.create("deployments.apps", fresh("deployments.apps"))
    moved = evolve(made, ("spec", "selector"), {"matchLabels": {"app": "web", "x": "y"}})
    with pytest.raises(errors.Invalid, match=r"spec.selector: Invalid value: .*: field is immutable"):
        await server.client.update("deployments.apps", moved)


async def test_many_writers_of_one_object_all_get_their_turn(server: Server) -> None:
    await server.client.create("configmaps", fresh("configmaps"))
    await asyncio.gather(
        *(
            server.client.patch("configmaps", "tested", {"data": {f"k{n}": "1"}}, namespace="default")
            for n in range(20)
        )
    )  # fmt: skip
    assert len((await server.client.get("configmaps", "tested", "default"))["data"]) == 21


async def test_a_dry_run_of_an_update_shows_what_would_be(server: Server) -> None:
    made = await server.client.create("configmaps", fresh("configmaps"))
    shown = await server.json("PUT", f"{MAPS}/tested", {**made, "data": {"a": "2"}}, query={"dryRun": "All"})
    assert shown["data"] == {"a": "2"}
    assert await server.client.get("configmaps", "tested", "default") == made
    refused = await server.json("PUT", f"{MAPS}/tested", made, query={"dryRun": "Some"})
    assert 'dryRun: Unsupported value: ["Some"]: supported values: "All"' in refused["message"]


async def test_unknown_paths_are_not_found_and_unknown_verbs_not_allowed(server: Server) -> None:
    assert (await server.http("GET", "/api/v1/namespaces/default/widgets")).status == 404
    assert (await server.http("GET", f"{MAPS}/a/status")).status == 404
    assert (await server.http("POST", "/api/v1/configmaps", config_map())).status == 405
    assert (await server.http("DELETE", "/api/v1/namespaces")).status == 405


async def test_an_event_is_forgotten_an_hour_after_its_last_write(server: Server) -> None:
    await server.client.create("events", fresh("events"))
    await server.client.create("events", fresh("events", name="again"))
    await server.clock.advance(1800)
    await server.client.patch("events", "again", {"count": 2}, namespace="default")
    await server.clock.advance(1801)
    assert [event["metadata"]["name"] for event in (await server.client.list("events"))["items"]] == ["again"]
    await server.clock.advance(1800)
    assert (await server.client.list("events"))["items"] == []


async def test_a_server_that_starts_again_forgets_what_is_left(server: Server) -> None:
    await server.client.create("events", fresh("events"))
    await server.clock.advance(1800)
    again = server.restarted()
    await again.start()
    await server.api.stop()
    await server.clock.advance(3601)
    assert (await server.client.list("events"))["items"] == []


# ── who set what ─────────────────────────────────────────────────────────────────────────────────────────


def owners(obj: Obj) -> dict[tuple[str, str, str], Obj]:
    entries = obj["metadata"]["managedFields"]
    return {(e["manager"], e["operation"], e.get("subresource", "")): e["fieldsV1"] for e in entries}


async def test_every_writer_owns_what_it_wrote(server: Server) -> None:
    await server.http("POST", DEPLOYMENTS, fresh("deployments.apps"), agent="kubectl/v1.33 (linux)")
    scaled = await server.client.patch("deployments.apps", "tested", {"spec": {"replicas": 5}}, namespace="default")
    assert owners(scaled)["tests", "Update", ""] == {"f:spec": {"f:replicas": {}}}
    assert "f:replicas" not in owners(scaled)["kubectl", "Update", ""]["f:spec"]
    told = await server.client.patch("deployments.apps", "tested", {"status": {"replicas": 5}}, namespace="default",
                                     subresource="status")  # fmt: skip
    assert owners(told)["tests", "Update", "status"] == {"f:status": {"f:replicas": {}}}


async def test_a_new_object_has_the_status_that_its_type_begins_with(server: Server) -> None:
    selected = {"selector": {"matchLabels": {"a": "b"}}}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    for resource, begun in (("deployments.apps", {}), ("replicasets.apps", {"replicas": 0})):
        kind = server.client.kind(resource)
        obj = {
            "apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": "web", "namespace": "default"},
            "spec": {**selected, "template": template}, "status": {"replicas": 7},
        }  # fmt: skip
        assert (await server.client.create(resource, obj))["status"] == begun
