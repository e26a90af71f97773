"""Quotas hold whatever happens at once, and limits come before them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pybernetes.meta import errors
from pybernetes.meta.objects import Obj

from .objects import smallest
from .server import Server


def quota(name: str = "q", *, scopes: list[str] | None = None, **hard: str) -> Obj:
    spec: Obj = {"hard": {key.replace("_", "."): value for key, value in hard.items()}}
    return {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {**spec, **({"scopes": scopes} if scopes else {})},
    }


def pod(name: str, cpu: str = "", **spec: Any) -> Obj:
    resources = {"requests": {"cpu": cpu}, "limits": {"cpu": cpu}} if cpu else {}
    containers = [{"name": "c", "image": "web:1", "resources": resources}]
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {"containers": containers, **spec}}


async def tried(server: Server, resource: str, obj: Obj) -> str:
    """Empty where the object was created, else the refusal."""
    try:
        await server.client.create(resource, obj)
    except errors.ApiError as error:
        return error.message
    return ""


async def test_of_many_creations_at_once_no_more_pass_than_the_quota_allows(server: Server) -> None:
    await server.client.create("resourcequotas", quota(pods="3"))
    told = await asyncio.gather(*(tried(server, "pods", pod(f"p{number}")) for number in range(20)))
    assert told.count("") == 3
    refused = next(text for text in told if text)
    assert refused.endswith("is forbidden: exceeded quota: q, requested: pods=1, used: pods=3, limited: pods=3")


async def test_what_is_deleted_or_fails_to_be_created_makes_room(server: Server) -> None:
    await server.client.create("resourcequotas", quota(configmaps="1"))
    made = {"metadata": {"name": "a", "namespace": "default"}}
    assert await tried(server, "configmaps", made) == ""
    assert "exceeded quota" in await tried(server, "configmaps", {"metadata": {"name": "b", "namespace": "default"}})
    await server.client.delete("configmaps", "a", "default")
    wrong = {**made, "data": {"not a key!": ""}}
    assert "is invalid" in await tried(server, "configmaps", wrong)
    assert await tried(server, "configmaps", made) == ""


async def test_a_creation_that_loses_against_another_of_its_name_takes_nothing(server: Server) -> None:
    await server.client.create("resourcequotas", quota(configmaps="2"))
    made = {"metadata": {"name": "a", "namespace": "default"}}
    assert await tried(server, "configmaps", made) == ""
    assert "already exists" in await tried(server, "configmaps", made)
    assert await tried(server, "configmaps", {"metadata": {"name": "b", "namespace": "default"}}) == ""


async def test_a_dry_run_is_judged_and_takes_nothing(server: Server) -> None:
    await server.client.create("resourcequotas", quota(pods="1"))
    path = "/api/v1/namespaces/default/pods"
    for _ in range(2):
        assert (await server.http("POST", path, pod("p"), query={"dryRun": "All"})).status == 201
    assert await tried(server, "pods", pod("p")) == ""
    assert (await server.http("POST", path, pod("q"), query={"dryRun": "All"})).status == 403


async def test_compute_must_be_said_and_adds_up(server: Server) -> None:
    await server.client.create("resourcequotas", quota(requests_cpu="1", limits_cpu="1"))
    assert await tried(server, "pods", pod("p")) == (
        'pods "p" is forbidden: failed quota: q: must specify limits.cpu for: c; requests.cpu for: c'
    )
    assert await tried(server, "pods", pod("p", "600m")) == ""
    assert "requested: limits.cpu=500m,requests.cpu=500m, used: limits.cpu=600m,requests.cpu=600m" in (
        await tried(server, "pods", pod("b", "500m"))
    )
    await server.client.patch(
        "pods", "p", {"status": {"phase": "Succeeded"}}, namespace="default", subresource="status"
    )
    assert await tried(server, "pods", pod("b", "500m")) == ""


async def test_a_limit_range_says_what_the_quota_wants_to_hear(server: Server) -> None:
    limits = {"limits": [{"type": "Container", "default": {"cpu": "1"}, "defaultRequest": {"cpu": "100m"}}]}
    await server.client.create("limitranges", {"metadata": {"name": "l", "namespace": "default"}, "spec": limits})
    await server.client.create("resourcequotas", quota(requests_cpu="150m"))
    assert await tried(server, "pods", pod("p")) == ""
    assert "used: requests.cpu=100m" in await tried(server, "pods", pod("b"))


async def test_a_quota_that_changes_counts_anew(server: Server) -> None:
    await server.client.create("resourcequotas", quota(pods="1"))
    assert await tried(server, "pods", pod("p")) == ""
    await server.client.update("resourcequotas", quota(pods="2"))
    assert await tried(server, "pods", pod("b", activeDeadlineSeconds=5)) == ""
    await server.client.delete("resourcequotas", "q", "default")
    await server.client.create("resourcequotas", quota(pods="2", scopes=["Terminating"]))
    assert await tried(server, "pods", pod("c", activeDeadlineSeconds=5)) == ""
    assert "used: pods=2" in await tried(server, "pods", pod("d", activeDeadlineSeconds=5))
    assert await tried(server, "pods", pod("e")) == ""


async def test_an_update_is_charged_by_what_it_adds(server: Server) -> None:
    await server.client.create("resourcequotas", quota(services_nodeports="1"))
    service = smallest(server.kinds.by_resource("services"), name="s")  # type: ignore[arg-type]
    made = await server.client.create("services", {**service, "spec": {**service["spec"], "type": "NodePort"}})
    ports = [*made["spec"]["ports"], {"name": "b", "port": 81}]
    ports[0] = {**ports[0], "name": "a"}
    with pytest.raises(errors.Forbidden, match=r"requested: services.nodeports=1, used: services.nodeports=1"):
        await server.client.patch("services", "s", {"spec": {"ports": ports}}, namespace="default")
    await server.client.patch("services", "s", {"metadata": {"labels": {"a": "b"}}}, namespace="default")
