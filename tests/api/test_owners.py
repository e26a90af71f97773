"""managedFields through the whole server: who is told to own what."""

from __future__ import annotations

from typing import Any

from .server import Server

POD: Any = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p"},
    "spec": {"containers": [{"name": "c", "image": "nginx"}]},
}
PODS = "/api/v1/namespaces/default/pods"
APPLY = "application/apply-patch+yaml"


async def test_what_admission_adds_to_a_new_object_belongs_to_nobody(server: Server) -> None:
    made = await server.json("POST", PODS, POD)
    (entry,) = made["metadata"]["managedFields"]
    assert made["spec"]["serviceAccountName"] == "default"
    assert "f:serviceAccountName" not in entry["fieldsV1"]["f:spec"]
    assert "f:restartPolicy" in entry["fieldsV1"]["f:spec"]


async def test_an_applier_may_give_up_what_it_owned_by_default(server: Server) -> None:
    """As kubectl does when it moves from client-side to server-side apply: it takes over its own older entry."""
    made = await server.json("POST", PODS, POD)
    made["metadata"]["managedFields"][0].update(manager="kubectl", operation="Apply")
    await server.json("PUT", f"{PODS}/p", made)
    again = await server.http("PATCH", f"{PODS}/p", POD, content_type=APPLY, query={"fieldManager": "kubectl"})
    assert again.status == 200, again.body
    found = await server.json("GET", f"{PODS}/p")
    assert found["spec"] == made["spec"]
    assert found["metadata"]["managedFields"][0]["fieldsV1"] == {
        "f:spec": {"f:containers": {'k:{"name":"c"}': {".": {}, "f:image": {}, "f:name": {}}}}
    }
