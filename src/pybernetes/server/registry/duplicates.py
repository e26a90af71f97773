"""Fields that a JSON body says twice, which a fast parser does not notice.

Rule: asked for only where ``fieldValidation`` is named, because reading a body this way takes several times as long.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeAlias

_Pairs: TypeAlias = tuple[tuple[str, Any], ...]
"""A JSON object as it is written; arrays stay lists, so the two are told apart."""


def fields(body: bytes) -> list[str]:
    """Paths in the order of the body: ``spec.paused``, ``spec.containers[0].image``. Nothing for what is no JSON."""
    try:
        document = json.loads(body, object_pairs_hook=tuple)
    except ValueError:
        return []  # whoever decodes the body says what is wrong with it
    return list(_repeated(document, ""))


def _repeated(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _repeated(item, f"{path}[{index}]")
    elif isinstance(value, tuple):
        yield from _repeated_keys(value, path)


def _repeated_keys(pairs: _Pairs, path: str) -> Iterator[str]:
    seen = set()
    for key, value in pairs:
        at = f"{path}.{key}" if path else key
        if key in seen:
            yield at
        seen.add(key)
        yield from _repeated(value, at)
