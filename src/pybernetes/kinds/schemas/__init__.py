"""The API as data: what upstream publishes about its types, without prose.

Rule: the files beside this one are made by ``tools/build_api_data.py`` and never edited; each is read when first asked
for and kept. What is answered is shared and never changed.
Neighbours: ``meta/schema.py`` walks definitions, ``meta/protobuf.py`` follows messages, ``server/openapi`` serves both.
"""

from __future__ import annotations

import functools
import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from pybernetes.meta.objects import Obj

_FOLDER: Final = Path(__file__).parent


def _read(name: str) -> Any:
    return orjson.loads(gzip.decompress((_FOLDER / f"{name}.json.gz").read_bytes()))


@functools.cache
def definitions() -> Mapping[str, Obj]:
    """OpenAPI v2 definitions by name: ``io.k8s.api.core.v1.Pod`` → its schema."""
    found: Mapping[str, Obj] = _read("definitions")
    return found


@functools.cache
def messages() -> Mapping[str, Sequence[Sequence[Any]]]:
    """Protobuf messages by name: ``k8s.io.api.core.v1.Pod`` → rows [number, JSON name, type, word?].

    The word is ``repeated``, ``inline`` (the message's fields stand among its parent's in JSON) or ``kept`` (a zero is
    told in JSON: the Go field is a pointer or has no omitempty).
    """
    found: Mapping[str, Sequence[Sequence[Any]]] = _read("messages")
    return found


@functools.cache
def resources() -> Sequence[Obj]:
    """What upstream serves: group, version, plural, singular, kind, namespaced, verbs, names, subresources."""
    found: Sequence[Obj] = _read("resources")
    return found
