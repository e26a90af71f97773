"""What a node does for itself every ten seconds: look at its memory and disk, and set long logs aside; and now and then
clear away images.

Rule: nothing here ends the agent; what fails is logged and tried again at the next turn.
Neighbours: ``pressure.py``, ``logrotate.py``, ``imagekeeper.py``; ``agent.py`` starts it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from pybernetes.lib.log import Log
from pybernetes.node import logrotate, runconfig
from pybernetes.node.imagekeeper import ImageKeeper
from pybernetes.node.podactions import Observed
from pybernetes.node.pressure import Pressure
from pybernetes.node.runtime.port import RuntimeFailure
from pybernetes.node.workshop import Workshop

_log = Log("node.housekeeping")
IMAGE_TURNS: Final = 30
"""Turns between two looks at the images."""


class Housekeeping:
    """``observed`` answers with what is known of each pod: its log directory and its containers."""

    def __init__(
        self, shop: Workshop, pressure: Pressure, images: ImageKeeper,
        observed: Callable[[], list[tuple[Path, Observed]]],
    ) -> None:  # fmt: skip
        self._shop, self._pressure, self._images, self._observed = shop, pressure, images, observed

    async def run(self) -> None:
        """Until cancelled."""
        turn = 0
        while True:
            await self._try(self._pressure.look)
            await self._try(self.rotate_logs)
            turn += 1
            if turn % IMAGE_TURNS == 0:
                await self._try(self._images.look)
            await self._shop.clock.sleep(self._shop.config.housekeeping_seconds)

    async def rotate_logs(self) -> None:
        """Set the logs aside that have become too long. Raises OSError, RuntimeFailure."""
        config = self._shop.config
        for folder, observed in self._observed():
            for container in observed.live():
                log = folder / runconfig.log_path(container.name, container.attempt)
                if logrotate.is_due(log, config.log_bytes_max):
                    now = self._shop.clock.time()
                    aside = await asyncio.to_thread(logrotate.rotate, log, now, config.log_files_max)
                    try:
                        await self._shop.runtime.reopen_log(container.id)
                    except RuntimeFailure:
                        aside.rename(log)  # it is still written there
                        raise

    async def _try(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except (RuntimeFailure, OSError) as failure:
            _log.warning("housekeeping waits for its next turn", work=work.__name__, why=failure)
