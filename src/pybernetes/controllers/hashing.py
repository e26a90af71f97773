"""Hashes that become part of names: of a template, in letters that make no word (pkg/controller.ComputeHash)."""

from __future__ import annotations

import json
from typing import Any, Final

_SAFE: Final = "bcdfghjklmnpqrstvwxz2456789"


def of(value: Any, collisions: int | None = None) -> str:
    """FNV-1a of the canonical text; ``collisions`` makes another one of the same value."""
    data = json.dumps(bare(value), sort_keys=True, separators=(",", ":")).encode()
    if collisions is not None:
        data += collisions.to_bytes(8, "little")
    return "".join(_SAFE[ord(digit) % len(_SAFE)] for digit in str(fnv32a(data)))


def fnv32a(data: bytes) -> int:
    value = 2166136261
    for byte in data:
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value


def bare(value: Any) -> Any:
    """``value`` without what is empty or null: the API makes no difference between that and absence."""
    if isinstance(value, dict):
        found = {key: bare(each) for key, each in value.items()}
        return {key: each for key, each in found.items() if each not in (None, {}, [])}
    if isinstance(value, list):
        return [bare(each) for each in value]
    return value
