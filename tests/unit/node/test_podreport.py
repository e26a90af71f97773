from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from pybernetes.lib.clock import VirtualClock
from pybernetes.lib.tasks import Tasks
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj
from pybernetes.node.podreport import Reporter


class Desk:
    """The reporter's surroundings: a pod, and an API that takes patches or refuses them."""

    def __init__(self) -> None:
        self.clock, self.tasks = VirtualClock(), Tasks()
        self.pod: Obj = {"metadata": {"name": "p", "namespace": "ns", "uid": "u"}, "status": {}}
        self.sent: list[Obj] = []
        self.refusal: errors.ApiError | None = None
        self.reporter = Reporter(self, self.clock, self.tasks, lambda: self.pod, self.adopt)  # type: ignore[arg-type]

    async def patch(self, resource: str, name: str, patch: Obj, **where: Any) -> Obj:
        self.sent.append(patch["status"])
        if self.refusal is not None:
            raise self.refusal
        return {**self.pod, "status": {**self.pod["status"], **patch["status"]}}

    def adopt(self, pod: Obj) -> None:
        self.pod = pod


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    made = Desk()
    yield made
    await made.tasks.stop()


async def test_only_what_differs_is_sent_and_only_once(desk: Desk) -> None:
    for _ in range(2):
        desk.reporter.tell({"phase": "Running", "podIP": "10.0.0.1"})
        await desk.clock.advance(1)
    desk.reporter.tell({"phase": "Succeeded", "podIP": "10.0.0.1"})
    await desk.clock.advance(1)
    assert desk.sent == [{"phase": "Running", "podIP": "10.0.0.1"}, {"phase": "Succeeded"}]


async def test_while_the_api_is_away_the_newest_status_waits(desk: Desk) -> None:
    desk.refusal = errors.ServiceUnavailable("away")
    desk.reporter.tell({"phase": "Pending"})
    await desk.clock.advance(0.1)
    desk.reporter.tell({"phase": "Running"})
    desk.refusal = None
    await desk.clock.advance(1)
    assert desk.sent == [{"phase": "Pending"}, {"phase": "Running"}]
    assert desk.pod["status"] == {"phase": "Running"}


@pytest.mark.parametrize("refusal", [errors.NotFound("gone"), errors.Conflict("another"), errors.Invalid("no")])
async def test_a_refusal_that_time_does_not_heal_is_not_repeated(desk: Desk, refusal: errors.ApiError) -> None:
    desk.refusal = refusal
    desk.reporter.tell({"phase": "Pending"})
    await desk.clock.advance(100)
    assert len(desk.sent) == 1
