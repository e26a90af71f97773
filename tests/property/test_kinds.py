"""No object that fits its schema can break the strategy or the columns of its kind.

Objects are drawn by a seeded generator rather than by hypothesis: hundreds of deep objects per kind in a second.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Mapping
from typing import Any, Final

import pytest

from pybernetes.kinds import schemas as data
from pybernetes.kinds.kind import Kind
from pybernetes.kinds.table import builtin
from pybernetes.meta.schema import Schemas

SCHEMAS = Schemas(data.definitions())
KINDS = {f"{kind.api_version} {kind.plural}": kind for kind in builtin()}
NOW = 1_800_000_000.0
DRAWS: Final = 60
DEEPEST: Final = 9
_REF: Final = "#/definitions/"

SCALARS: Mapping[str, tuple[Any, ...]] = {
    "string": ("", "a", "web", "10.0.0.1", "a.b/c", "Bad Name", "0 * * * *", "None", "-", "Always", "metadata.name"),
    "string date-time": ("2026-01-31T00:00:00Z",),
    "string byte": ("", "YQ=="),
    "string int-or-string": (0, 80, -1, "http", "25%", "x%"),
    "boolean": (True, False),
    "integer": (0, 1, -1, 80, 70000),
    "number": (0.0, 1.5),
}
SPECIAL: Mapping[str, tuple[Any, ...]] = {
    "Quantity": ("0", "1", "500m", "1Gi", "-1", 3),
    "FieldsV1": ({},),
    "RawExtension": ({"a": 1},),
    "JSON": ({"a": 1},),
}


def value(chance: random.Random, node: Any, depth: int) -> Any:
    """A value of a schema node; below ``depth`` only what is required."""
    name = node.get("$ref", "").rpartition(".")[2]
    if name in SPECIAL:
        return chance.choice(SPECIAL[name])
    found = SCHEMAS.resolve(node)
    if found.get("type") == "array":
        return [value(chance, found["items"], depth - 1) for _ in range(chance.randint(0, 2) if depth > 0 else 0)]
    if "properties" in found:
        return struct(chance, found, depth)
    if "additionalProperties" in found:
        keys = chance.sample(SCALARS["string"], chance.randint(0, 2))
        return {key: value(chance, found["additionalProperties"], depth - 1) for key in keys}
    kind = found.get("type", "")
    return chance.choice(SCALARS.get(f"{kind} {found.get('format')}") or SCALARS.get(kind) or ({},))


def struct(chance: random.Random, node: Any, depth: int) -> Any:
    """Few or most of the fields, as it comes."""
    share = chance.choice((0.1, 0.3, 0.7)) if depth > 0 else 0
    required = node.get("required", ())
    taken = [key for key in node["properties"] if key in required or chance.random() < share]
    return {key: value(chance, node["properties"][key], depth - 1) for key in taken}


def drawn(chance: random.Random, kind: Kind) -> Any:
    obj = value(chance, {"$ref": _REF + kind.definition}, DEEPEST)
    return {**obj, "metadata": {"name": "x", **obj.get("metadata", {})}}


@pytest.mark.parametrize("name", KINDS)
def test_whatever_fits_the_schema_is_defaulted_judged_and_shown(name: str) -> None:
    chance = random.Random(name)
    for _ in range(DRAWS):
        live_through(KINDS[name], drawn(chance, KINDS[name]), drawn(chance, KINDS[name]))


def live_through(kind: Kind, new: Any, old: Any) -> None:
    """All that happens to an object at its creation and at an update."""
    strategy = kind.strategy
    for obj in (new, old):
        strategy.default(obj)
    created = copy.deepcopy(new)
    strategy.prepare_create(created)
    strategy.default(created)
    strategy.validate(created)
    strategy.warnings(created, None)
    strategy.prepare_update(new, old)
    strategy.validate(new)
    strategy.validate_update(new, old)
    strategy.validate_status_update(new, old)
    strategy.warnings(new, old)
    strategy.graceful(new, None)
    for column in kind.columns:
        column.value(new, NOW)
    for value in kind.fields.values():
        value(new)
