"""Labels of a namespace refuse its pods, and warn of workloads."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.meta.objects import Obj
from pybernetes.server.context import Response

from .objects import smallest
from .server import Server

NAMESPACE = "/api/v1/namespaces/default"
PODS = f"{NAMESPACE}/pods"
MERGE = "application/merge-patch+json"
HOST = {"hostNetwork": True}


def pod(name: str = "p", **spec: Any) -> Obj:
    return {"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "web:1"}], **spec}}


async def labelled(server: Server, **labels: str) -> Response:
    told = {f"pod-security.kubernetes.io/{key.replace('_', '-')}": value for key, value in labels.items()}
    return await server.http("PATCH", NAMESPACE, {"metadata": {"labels": told}}, content_type=MERGE)


def warnings(answer: Response) -> list[str]:
    return [value for name, value in answer.headers if name.lower() == "warning"]


async def test_a_pod_that_violates_what_is_enforced_is_refused(server: Server) -> None:
    await labelled(server, enforce="baseline", enforce_version="v1.30")
    refused = await server.json("POST", PODS, pod(**HOST))
    assert refused["message"] == (
        'pods "p" is forbidden: violates PodSecurity "baseline:v1.30": host namespaces (hostNetwork=true)'
    )
    assert (await server.http("POST", PODS, pod())).status == 201


async def test_a_pod_that_violates_what_is_warned_of_is_created_with_a_warning(server: Server) -> None:
    await labelled(server, warn="baseline")
    answer = await server.http("POST", PODS, pod(**HOST))
    assert answer.status == 201
    assert any("would violate PodSecurity" in text and "hostNetwork=true" in text for text in warnings(answer))


async def test_a_template_is_warned_of_and_never_refused(server: Server) -> None:
    await labelled(server, enforce="restricted", warn="restricted")
    kind = server.kinds.by_resource("deployments.apps")
    assert kind is not None
    answer = await server.http("POST", "/apis/apps/v1/namespaces/default/deployments", smallest(kind))
    assert answer.status == 201
    assert any("allowPrivilegeEscalation != false" in text for text in warnings(answer))


async def test_a_stricter_label_warns_of_the_pods_that_are_there(server: Server) -> None:
    for name in ("b", "a"):
        await server.http("POST", PODS, pod(name, **HOST))
    answer = await labelled(server, enforce="baseline")
    assert answer.status == 200
    first, second = warnings(answer)
    assert 'existing pods in namespace \\"default\\" violate the new PodSecurity enforce level' in first
    assert "a (and 1 other pod): host namespaces" in second
    assert warnings(await labelled(server, enforce="privileged")) == []


@pytest.mark.parametrize("label", ["enforce", "warn", "audit"])
async def test_a_label_that_cannot_be_read_is_refused(server: Server, label: str) -> None:
    answer = await labelled(server, **{label: "strict"})
    assert answer.status == 422
    assert b"must be one of privileged, baseline, restricted" in answer.body


async def test_an_update_that_brings_no_new_image_is_let_pass(server: Server) -> None:
    await server.http("POST", PODS, pod(**HOST))
    await labelled(server, enforce="baseline")
    path = f"{PODS}/p"
    assert (await server.http("PATCH", path, {"metadata": {"labels": {"a": "b"}}}, content_type=MERGE)).status == 200
    image = [{"op": "replace", "path": "/spec/containers/0/image", "value": "web:2"}]
    refused = await server.http("PATCH", path, image, content_type="application/json-patch+json")
    assert refused.status == 403
