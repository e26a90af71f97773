"""Priority and fairness as clients meet it: headers, conditions, metrics, and 429."""

from __future__ import annotations

from pybernetes.client import wait
from pybernetes.lib.clock import SystemClock
from pybernetes.meta import objects
from pybernetes.server.flow import bootstrap

from .server import Server

PATH = "/api/v1/namespaces/default/configmaps"


async def test_answers_name_their_schema_and_level(server: Server) -> None:
    for resource, obj in bootstrap.objects():
        await server.client.create(resource, obj)
    schema = await server.client.get(bootstrap.SCHEMAS, "global-default")
    level = await server.client.get(bootstrap.LEVELS, "global-default")
    found = await wait.until(
        server.client, bootstrap.SCHEMAS, "", "global-default",
        lambda obj: objects.condition_is(obj or {}, "Dangling", "False"), timeout_seconds=5, clock=SystemClock(),
    )  # fmt: skip
    assert objects.condition(found or {}, "Dangling")["reason"] == "Found"  # type: ignore[index]
    for path, status in ((PATH, 200), (f"{PATH}/none", 404)):
        answer = await server.http("GET", path)
        headers = dict(answer.headers)
        assert answer.status == status
        assert headers["X-Kubernetes-PF-FlowSchema-UID"] == objects.uid(schema)
        assert headers["X-Kubernetes-PF-PriorityLevel-UID"] == objects.uid(level)
    counted = (await server.http("GET", "/metrics")).body.decode()
    assert 'apiserver_flowcontrol_dispatched_requests_total{priority_level="global-default"' in counted


async def test_without_a_seat_a_request_is_told_to_come_again() -> None:
    server = Server(seats=0)
    await server.start()
    answer = await server.http("GET", PATH)
    assert (answer.status, answer.body) == (429, b"Too many requests, please try again later.\n")
    assert ("Retry-After", "1") in answer.headers
