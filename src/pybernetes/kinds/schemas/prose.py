"""What upstream says of each field, for ``kubectl explain``: read from PyPI's ``kubernetes-validate`` where it is
installed (the extra ``explain``). The prose is upstream's and is not part of this package.

Rule: without it everything works, and ``explain`` shows fields and types alone.
Neighbours: ``server/openapi`` publishes the definitions with it.
"""

from __future__ import annotations

import functools
import importlib.util
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson

_PACKAGE: Final = "kubernetes_validate"
_FOLDER: Final = re.compile(r"v(\d+)\.(\d+)\.(\d+)-local")


def described(definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """The definitions with descriptions where there are any; those of custom resources bring their own."""
    told = _told()
    if not told:
        return definitions
    return {name: _merged(node, told[name]) if name in told else node for name, node in definitions.items()}


@functools.cache
def _told() -> Mapping[str, Any]:
    """Definition → its schema with prose, of the newest Kubernetes that the package knows; empty without it."""
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.origin is None:
        return {}
    folders = [
        (tuple(map(int, match.groups())), path)
        for path in (Path(found.origin).parent / "kubernetes-json-schema").glob("v*-local")
        if (match := _FOLDER.fullmatch(path.name))
    ]
    if not folders:
        return {}
    document = orjson.loads((max(folders)[1] / "_definitions.json").read_bytes())
    schemas: Mapping[str, Any] = document.get("$defs") or document.get("definitions") or {}
    return schemas


def _merged(node: Any, told: Any) -> Any:
    """A copy of ``node`` with the descriptions of ``told``, field by field."""
    if not isinstance(node, Mapping) or not isinstance(told, Mapping):
        return node
    out = dict(node)
    if isinstance(told.get("description"), str):
        out.setdefault("description", told["description"])
    if "properties" in node:
        fields = told.get("properties") or {}
        out["properties"] = {key: _merged(inner, fields.get(key)) for key, inner in node["properties"].items()}
    for key in ("items", "additionalProperties"):
        if key in node:
            out[key] = _merged(node[key], told.get(key))
    return out
