"""Which images have to go when the disk is nearly full. Pure.

Rule 1: what a container uses stays, and what came to the node in the last minutes; of the others the one unused for
longest goes first, until enough is free.
Rule 2: an image that was brought here and not pulled stays: nobody could pull it again.
Neighbours: ``imagekeeper.py`` asks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pybernetes.node.eviction import Reading
from pybernetes.node.runtime.port import Image

AGE_SECONDS_MIN: Final = 120.0


@dataclass(frozen=True, slots=True)
class Record:
    """When an image was first seen, and last seen in use (Unix seconds)."""

    first_seen: float
    last_used: float = 0.0


def seen(before: Mapping[str, Record], images: Iterable[Image], used: Collection[str], now: float) -> dict[str, Record]:
    """The records of the images that there are now; ``used`` are ids of images that containers have."""
    out = {}
    for image in images:
        record = before.get(image.id) or Record(now)
        out[image.id] = Record(record.first_seen, now if image.id in used else record.last_used)
    return out


def bytes_to_free(disk: Reading, high_percent: int, low_percent: int) -> int:
    """How much has to go; 0 while the disk is less full than ``high_percent``."""
    used = disk.capacity - disk.available
    if disk.capacity <= 0 or used * 100 < disk.capacity * high_percent:
        return 0
    return used - disk.capacity * low_percent // 100


def victims(images: Iterable[Image], records: Mapping[str, Record], wanted: int, now: float) -> list[Image]:
    """The images to remove so that ``wanted`` bytes become free, or as many as possible."""
    unused = [
        image for image in images
        if image.digests and (record := records.get(image.id)) is not None
        and record.last_used < now and now - record.first_seen >= AGE_SECONDS_MIN
    ]  # fmt: skip
    out: list[Image] = []
    for image in sorted(unused, key=lambda i: (records[i.id].last_used, records[i.id].first_seen)):
        if wanted <= 0:
            break
        out.append(image)
        wanted -= image.size_bytes
    return out
