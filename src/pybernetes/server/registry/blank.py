"""The status of an object of which nobody has told one: what Go's types write for it.

Rule: a status is a part of its object and no pointer, so it is there from the beginning, empty but for the numbers and
flags that have no ``omitempty``; clients read ``status.replicas`` of what they have just created. Custom resources have
none until somebody writes it.
Neighbours: ``create.py`` asks, when the strategy has had its say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pybernetes.kinds.kind import Kind
from pybernetes.meta.objects import Obj
from pybernetes.meta.schema import Schemas

_ZEROS: Final[Mapping[str, Any]] = {"integer": 0, "boolean": False}


def give_status(row: Kind, schemas: Schemas, obj: Obj) -> None:
    """Give a new object the status that it starts with, unless it has one or its kind has none."""
    if row.custom or obj.get("status") is not None:
        return
    node = schemas.field(row.definition, "status")
    if node is None:
        return
    fields = schemas.resolve(node)
    types = {name: fields["properties"][name].get("type") for name in fields.get("required", ())}
    obj["status"] = {name: _ZEROS[type_] for name, type_ in types.items() if type_ in _ZEROS}
