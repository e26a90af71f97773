"""Writes the statuses of Gateways and their routes.

Rule: only the node that speaks for all (``status.py``) writes; the others listen, so that one of them can go on.
Neighbours: ``gatewaystatus.py`` decides, ``reporter.py`` does the same for Ingresses.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from pybernetes.client.client import Client
from pybernetes.lib import log
from pybernetes.lib.clock import Clock
from pybernetes.meta import errors, objects, times
from pybernetes.network.ingress import gatewaystatus
from pybernetes.network.ingress.gateway import Reading

RETRY_SECONDS: Final = 5.0
_log = log.Log("network.ingress.gatewayreporter")


class GatewayReporter:
    """``speaks`` answers the addresses to tell, or None where another node tells them."""

    def __init__(self, client: Client, clock: Clock, speaks: Callable[[], list[str] | None]) -> None:
        self._client, self._clock, self._speaks = client, clock, speaks
        self._reading: Reading | None = None
        self._wake = asyncio.Event()

    def read(self, reading: Reading) -> None:
        """Tell of this from now on."""
        self._reading = reading
        self._wake.set()

    def again(self) -> None:
        """Who speaks, or of which addresses, may have changed."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            addresses = self._speaks()
            if self._reading is None or addresses is None:
                continue
            now = times.render(self._clock.time())
            for resource, obj, status in gatewaystatus.changes(self._reading, addresses, now):
                try:
                    await self._client.patch(
                        resource, objects.name(obj), {"status": status}, namespace=objects.namespace(obj),
                        subresource="status",
                    )  # fmt: skip
                except errors.NotFound:
                    continue
                except errors.ApiError as error:
                    _log.warning("a status could not be written", name=objects.name(obj), reason=error.message)
                    self._clock.call_later(RETRY_SECONDS, self._wake.set)
