from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pybernetes.control.controller import Controller
from pybernetes.controllers.certificates import approving, requests, signing
from pybernetes.controllers.certificates.authority import Authority
from pybernetes.kinds.table import KindTable
from pybernetes.meta import objects

from ..unit.controllers.csr import authority, csr, issued, request
from .running import Running, control_plane


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    def rows(kinds: KindTable) -> tuple[Controller, ...]:
        return approving.CONTROLLER, signing.controller(Authority(*authority()))

    async with control_plane(rows) as made:
        yield made


async def test_a_request_waits_for_its_approval_and_then_has_its_certificate(running: Running) -> None:
    asked = csr(request("joe", ["team"]))
    made = await running.client.create(requests.RESOURCE, {**asked, "metadata": {"name": "joe"}, "status": {}})
    assert not objects.get(made, "status", "conditions")
    approved = {"type": "Approved", "status": "True", "reason": "KubectlApprove", "message": "by hand"}
    decided = objects.evolve(made, ("status", "conditions"), [approved])
    await running.client.update(requests.RESOURCE, decided, subresource="approval")
    found = await running.until(requests.RESOURCE, "joe", lambda obj: bool(obj and requests.certificate(obj)), "")
    assert found is not None
    assert issued(found).subject.rfc4514_string() == "CN=joe,O=team"
