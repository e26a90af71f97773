"""The client without a socket, against handlers that answer as the chain does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from pybernetes.client import wait
from pybernetes.client.client import Client
from pybernetes.kinds import table
from pybernetes.lib.clock import VirtualClock
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj
from pybernetes.server import inprocess
from pybernetes.server.context import Request, Response, User

USER = User("system:kube-scheduler", groups=("system:authenticated",))


class Chain:
    """A handler whose answers a test gives: a Response, or an error to raise."""

    def __init__(self, *answers: Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[Request] = []

    async def __call__(self, request: Request) -> Response:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def client(chain: Chain) -> Client:
    return Client(inprocess.transport(chain, USER), table.builtin())


async def batches(*given: Sequence[tuple[str, Obj]]) -> AsyncIterator[Sequence[tuple[str, Obj]]]:
    for batch in given:
        yield batch


async def test_the_very_objects_pass_in_both_directions() -> None:
    sent, answered = {"metadata": {"name": "a", "namespace": "ns"}}, {"kind": "Pod"}
    chain = Chain(Response(status=201, obj=answered))
    assert await client(chain).create("pods", sent) is answered
    (request,) = chain.asked
    assert request.obj is sent
    assert (request.in_process, request.user, request.method) == (True, USER, "POST")
    assert request.param("fieldManager") == "pybernetes"
    assert request.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "answer",
    [
        errors.not_found("", "pods", "a"),
        Response(status=404, obj=errors.not_found("", "pods", "a").status()),
        Response(status=404, body=b'{"kind":"Status","reason":"NotFound","message":"pods \\"a\\" not found"}'),
    ],
    ids=["raised", "as object", "as bytes"],
)
async def test_a_refusal_is_its_error_however_it_comes(answer: Any) -> None:
    with pytest.raises(errors.NotFound, match='pods "a" not found'):
        await client(Chain(answer)).get("pods", "a", "ns")


async def test_plain_text_comes_as_text() -> None:
    chain = Chain(Response(body=b"ok", content_type="text/plain; charset=utf-8"))
    assert await client(chain).transport.request("GET", "/readyz") == "ok"


async def test_a_watch_gives_batches_and_then_the_error() -> None:
    gone = ("ERROR", errors.Expired("too old").status())
    chain = Chain(Response(events=batches([("ADDED", {"n": 1})], [("MODIFIED", {"n": 2}), gone])))
    seen: list[Any] = []
    with pytest.raises(errors.Expired, match="too old"):
        async for batch in client(chain).watch("pods", resource_version="5"):
            seen += batch
    assert seen == [("ADDED", {"n": 1}), ("MODIFIED", {"n": 2})]


async def test_a_watch_that_is_left_is_closed_at_the_server() -> None:
    closed = asyncio.Event()

    async def events() -> AsyncIterator[Sequence[tuple[str, Obj]]]:
        try:
            yield [("ADDED", {})]
            await asyncio.Event().wait()
        finally:
            closed.set()

    watch = client(Chain(Response(events=events()))).watch("pods", resource_version="5")
    await anext(watch)
    await watch.aclose()  # type: ignore[attr-defined]
    assert closed.is_set()


# ── wait.until ───────────────────────────────────────────────────────────────────────────────────────────


def page(*items: Obj) -> Response:
    return Response(obj={"metadata": {"resourceVersion": "9"}, "items": list(items)})


def is_running(pod: Obj | None) -> bool:
    return pod is not None and pod.get("phase") == "Running"


async def until(chain: Chain, predicate: Any, clock: VirtualClock | None = None) -> Obj | None:
    return await wait.until(
        client(chain), "pods", "ns", "a", predicate, timeout_seconds=30, clock=clock or VirtualClock()
    )


async def test_what_already_holds_is_returned_without_a_watch() -> None:
    chain = Chain(page({"phase": "Running"}))
    assert await until(chain, is_running) == {"phase": "Running"}
    assert chain.asked[0].param("fieldSelector") == "metadata.name=a"


async def test_the_watch_starts_where_the_look_was() -> None:
    events = batches([("ADDED", {"phase": "Pending"})], [("BOOKMARK", {}), ("MODIFIED", {"phase": "Running"})])
    chain = Chain(page(), Response(events=events))
    assert await until(chain, is_running) == {"phase": "Running"}
    assert chain.asked[1].param("resourceVersion") == "9"


async def test_a_deletion_can_be_waited_for() -> None:
    chain = Chain(page({"phase": "Running"}), Response(events=batches([("DELETED", {"phase": "Running"})])))
    assert await until(chain, lambda pod: pod is None) is None


async def test_a_watch_that_ends_or_expires_starts_again_with_a_look() -> None:
    chain = Chain(page(), Response(events=batches()), page(), errors.Expired("old"), page({"phase": "Running"}))
    assert await until(chain, is_running) == {"phase": "Running"}


async def test_a_server_that_is_away_is_asked_again_and_time_runs_out() -> None:
    clock = VirtualClock()
    chain = Chain(*[errors.ServiceUnavailable("away")] * 1000)
    waiting = asyncio.ensure_future(until(chain, is_running, clock))
    await clock.advance(31)
    with pytest.raises(errors.Timeout, match="timed out waiting for pods ns/a after 30 s"):
        await waiting
    assert len(chain.asked) > 100


async def test_a_refusal_ends_the_wait() -> None:
    with pytest.raises(errors.Forbidden):
        await until(Chain(errors.Forbidden("no")), is_running)
