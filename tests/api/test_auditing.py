"""What the audit log tells of requests that take the whole chain."""

from __future__ import annotations

from typing import Any

from pybernetes.meta.objects import Obj
from pybernetes.server.auditing import policy
from pybernetes.server.context import Request

from .server import Server

PATH = "/api/v1/namespaces/default/configmaps"
MAP = {"metadata": {"name": "web"}, "data": {"a": "1"}}


class Log:
    def __init__(self) -> None:
        self.events: list[Obj] = []

    def write(self, event: Obj) -> None:
        self.events.append(event)


async def audited(*rules: Obj, **more: Any) -> tuple[Server, Log]:
    log = Log()
    made = policy.parse({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": list(rules), **more})
    server = Server(audit=(made, log))
    await server.start()
    log.events.clear()
    return server, log


async def test_a_write_is_told_at_its_stages_with_what_was_asked_and_answered() -> None:
    server, log = await audited({"level": "RequestResponse"}, omitManagedFields=True)
    answer = await server.http("POST", PATH, MAP)
    received, complete = log.events
    assert (received["stage"], complete["stage"]) == ("RequestReceived", "ResponseComplete")
    assert ("Audit-Id", complete["auditID"]) in answer.headers
    assert complete["level"] == "RequestResponse"
    assert complete["user"] == {"username": "system:anonymous", "groups": ["system:unauthenticated"]}
    assert complete["objectRef"] == {"resource": "configmaps", "namespace": "default", "apiVersion": "v1"}
    assert complete["userAgent"] == "tests/1"
    assert complete["responseStatus"] == {"metadata": {}, "code": 201}
    assert complete["requestObject"] == MAP
    assert complete["responseObject"]["data"] == {"a": "1"}
    assert "managedFields" not in complete["responseObject"]["metadata"]
    assert complete["annotations"]["authorization.k8s.io/decision"] == "allow"
    assert "everybody" in complete["annotations"]["authorization.k8s.io/reason"]


async def test_metadata_tells_no_bodies_and_a_refusal_tells_why() -> None:
    server, log = await audited({"level": "Metadata", "omitStages": ["RequestReceived"]})
    await server.http("GET", f"{PATH}/none")
    (event,) = log.events
    assert event["responseStatus"]["code"] == 404
    assert event["responseStatus"]["reason"] == "NotFound"
    assert not {"requestObject", "responseObject"} & set(event)


async def test_what_the_policy_does_not_want_is_not_told() -> None:
    server, log = await audited({"level": "None", "verbs": ["get"]}, {"level": "Metadata"})
    await server.http("GET", f"{PATH}/none")
    assert log.events == []


async def test_a_watch_is_told_when_it_begins_and_when_it_ends() -> None:
    server, log = await audited({"level": "Metadata"})
    await server.http("POST", PATH, MAP)
    log.events.clear()
    await server.frames(PATH, 1)
    assert [event["stage"] for event in log.events] == ["RequestReceived", "ResponseStarted", "ResponseComplete"]


async def test_who_acts_as_somebody_else_is_told_with_both_names() -> None:
    server, log = await audited({"level": "Metadata", "omitStages": ["RequestReceived"]})
    await server.api.handle(Request("GET", PATH, headers={"impersonate-user": "jane"}))
    (event,) = log.events
    assert event["user"]["username"] == "system:anonymous"
    assert event["impersonatedUser"]["username"] == "jane"
    assert event["responseStatus"]["code"] == 403
