"""delete: at once, with grace, by finalizers; and what is answered."""

from __future__ import annotations

import pytest

from pybernetes.meta import errors
from pybernetes.meta.objects import Obj, evolve

from .server import Server
from .test_writes import DEPLOYMENTS, MAPS, fresh

PODS = "/api/v1/namespaces/default/pods"


async def running_pod(server: Server, **metadata: object) -> Obj:
    """A pod on a node."""
    await server.client.create("pods", fresh("pods", **metadata))
    binding = {"metadata": {"name": "tested"}, "target": {"kind": "Node", "name": "node-1"}}
    await server.client.create("pods", binding, parent="tested", subresource="binding", in_namespace="default")
    return await server.client.get("pods", "tested", "default")


async def test_most_kinds_answer_a_status_and_some_the_object(server: Server) -> None:
    made = await server.client.create("configmaps", fresh("configmaps"))
    gone = await server.json("DELETE", f"{MAPS}/tested")
    assert gone["status"] == "Success"
    assert gone["details"] == {"name": "tested", "kind": "configmaps", "uid": made["metadata"]["uid"]}
    await server.client.create("services", fresh("services"))
    shown = await server.json("DELETE", "/api/v1/namespaces/default/services/tested")
    assert (shown["kind"], shown["metadata"]["name"]) == ("Service", "tested")


async def test_a_pod_that_runs_nowhere_goes_at_once(server: Server) -> None:
    await server.client.create("pods", fresh("pods"))
    await server.http("DELETE", f"{PODS}/tested")
    assert (await server.http("GET", f"{PODS}/tested")).status == 404


async def test_a_running_pod_has_grace_which_may_only_be_shortened(server: Server) -> None:
    await running_pod(server)
    first = (await server.client.delete("pods", "tested", "default"))["metadata"]
    assert (first["deletionGracePeriodSeconds"], first["deletionTimestamp"]) == (30, "2023-11-14T22:13:50Z")
    assert first["generation"] == 2
    longer = (await server.client.delete("pods", "tested", "default", grace_period_seconds=60))["metadata"]
    assert longer == first
    shorter = (await server.client.delete("pods", "tested", "default", grace_period_seconds=5))["metadata"]
    assert (shorter["deletionGracePeriodSeconds"], shorter["deletionTimestamp"]) == (5, "2023-11-14T22:13:25Z")
    await server.client.delete("pods", "tested", "default", grace_period_seconds=0)
    assert await server.client.find("pods", "tested", "default") is None


async def test_a_finalizer_holds_the_object_until_it_is_taken_away(server: Server) -> None:
    held = fresh("configmaps", finalizers=["example.com/hold"])
    await server.client.create("configmaps", held)
    marked = await server.client.delete("configmaps", "tested", "default")
    assert marked["metadata"]["deletionTimestamp"]
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 0
    with pytest.raises(errors.Invalid, match="no new finalizers can be added if the object is being deleted"):
        more = evolve(marked, ("metadata", "finalizers"), ["example.com/hold", "example.com/more"])
        await server.client.update("configmaps", more)
    await server.client.update("configmaps", evolve(marked, ("metadata", "finalizers"), []))
    assert await server.client.find("configmaps", "tested", "default") is None


async def test_a_finalizer_holds_a_pod_beyond_its_grace(server: Server) -> None:
    await running_pod(server, finalizers=["example.com/hold"])
    await server.client.delete("pods", "tested", "default", grace_period_seconds=0)
    held = await server.client.get("pods", "tested", "default")
    assert held["metadata"]["deletionGracePeriodSeconds"] == 0
    await server.client.patch("pods", "tested", {"metadata": {"finalizers": None}}, namespace="default")
    assert await server.client.find("pods", "tested", "default") is None


@pytest.mark.parametrize(
    ("policy", "finalizers"), [("Orphan", ["orphan"]), ("Foreground", ["foregroundDeletion"]), ("Background", None)]
)
async def test_how_dependents_go_is_told_by_a_finalizer(
    server: Server, policy: str, finalizers: list[str] | None
) -> None:
    await server.client.create("deployments.apps", fresh("deployments.apps"))
    answer = await server.http("DELETE", f"{DEPLOYMENTS}/tested", query={"propagationPolicy": policy})
    left = await server.client.find("deployments.apps", "tested", "default")
    assert (left["metadata"]["finalizers"] if left else None) == finalizers
    assert answer.status == (202 if policy == "Foreground" else 200)


@pytest.mark.parametrize(
    ("options", "status", "told"),
    [
        ({"preconditions": {"uid": "x"}}, 409, "the UID in the precondition (x) does not match the UID in record"),
        (
            {"preconditions": {"resourceVersion": "1"}},
            409,
            "the ResourceVersion in the precondition (1) does not match",
        ),
        ({"propagationPolicy": "Maybe"}, 422, 'propagationPolicy: Unsupported value: "Maybe"'),
        ({"gracePeriodSeconds": "x"}, 400, "cannot unmarshal string"),
        ({"kind": "Pod"}, 400, "cannot be converted to DeleteOptions"),
    ],
)
async def test_options_that_do_not_hold_refuse(server: Server, options: Obj, status: int, told: str) -> None:
    await server.client.create("configmaps", fresh("configmaps"))
    refused = await server.json("DELETE", f"{MAPS}/tested", options)
    assert (refused["code"], told in refused["message"]) == (status, True), refused
    assert (await server.http("GET", f"{MAPS}/tested")).status == 200


async def test_a_namespace_ends_with_its_last_finalizer(server: Server) -> None:
    await server.client.create("namespaces", {"metadata": {"name": "web"}})
    ending = await server.client.delete("namespaces", "web")
    assert ending["status"]["phase"] == "Terminating"
    with pytest.raises(errors.Forbidden, match="because it is being terminated"):
        await server.client.create("configmaps", {"metadata": {"name": "a", "namespace": "web"}})
    await server.client.update("namespaces", evolve(ending, ("spec", "finalizers"), []))
    assert (await server.client.get("namespaces", "web"))["spec"]["finalizers"] == ["kubernetes"]
    ending = await server.client.get("namespaces", "web")
    await server.client.update("namespaces", evolve(ending, ("spec", "finalizers"), []), subresource="finalize")
    assert await server.client.find("namespaces", "web") is None


async def test_a_dry_run_deletes_nothing(server: Server) -> None:
    await server.client.create("configmaps", fresh("configmaps"))
    for how in ({"query": {"dryRun": "All"}}, {"body": {"dryRun": ["All"]}}):
        assert (await server.json("DELETE", f"{MAPS}/tested", **how))["status"] == "Success"
    assert (await server.http("GET", f"{MAPS}/tested")).status == 200
