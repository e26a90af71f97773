"""Keeping the node's disk clear of images that nobody uses.

Rule: it only looks every five minutes, and removes something only where the disk is nearly full or somebody who is
short of it asks.
Neighbours: ``imagegc.py`` decides, ``housekeeping.py`` and ``pressure.py`` call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from pybernetes.lib.log import Log
from pybernetes.node import imagegc, signals
from pybernetes.node.imagegc import Record
from pybernetes.node.runtime.port import Container, Image, RuntimeFailure
from pybernetes.node.workshop import Workshop

_log = Log("node.imagekeeper")


class ImageKeeper:
    def __init__(self, shop: Workshop) -> None:
        self._shop = shop
        self._records: Mapping[str, Record] = {}

    async def look(self) -> None:
        """Remove as much as it takes to have the disk less full. Raises RuntimeFailure, OSError."""
        config = self._shop.config
        disk = signals.disk(config)
        wanted = imagegc.bytes_to_free(disk, config.images_high_percent, config.images_low_percent)
        freed = await self._free(wanted)
        if freed < wanted:
            _log.warning("images take more of the disk than can be freed", wanted=wanted, freed=freed)

    async def free_all(self) -> bool:
        """Remove whatever nobody uses; whether that was anything. Raises RuntimeFailure."""
        return await self._free(1 << 62) > 0

    async def _free(self, wanted: int) -> int:
        """Remove unused images worth ``wanted`` bytes, or as many as there are; the bytes."""
        runtime, now = self._shop.runtime, self._shop.clock.time()
        images, containers = await asyncio.gather(runtime.images(), runtime.containers())
        self._records = imagegc.seen(self._records, images, used(images, containers), now)
        freed = 0
        for image in imagegc.victims(images, self._records, wanted, now):
            try:
                await runtime.remove_image(image.id)
            except RuntimeFailure as failure:
                _log.info("an image stays", image=image.id, why=failure)
                continue
            _log.info("an unused image is gone", image=image.tags[0] if image.tags else image.id)
            freed += image.size_bytes
        return freed


def used(images: list[Image], containers: list[Container]) -> set[str]:
    """The ids of the images that containers have, by whatever name. Pure."""
    names = {name for container in containers for name in (container.image, container.image_id)}
    return {image.id for image in images if names & {image.id, *image.tags, *image.digests}}
