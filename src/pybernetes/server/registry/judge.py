"""All complaints about an object at once, for a creation and for an update.

Rule: what the schema requires counts only where a kind has no judge of its own. Go's decoder takes an absent field as
its zero value, and the strategies know which zero values are wrong; required by the letter, an EndpointSlice with
``endpoints: null``, as every Go client writes it, could not be stored.
Neighbours: ``kinds/strategy/objectmeta.py`` judges metadata, ``kinds/strategy/`` the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pybernetes.kinds.kind import Kind, Strategy
from pybernetes.kinds.strategy import objectmeta
from pybernetes.meta.errors import FieldError
from pybernetes.meta.objects import Obj
from pybernetes.server.registry.call import Call

_NO_JUDGE: Final = Strategy().validate


def creation(call: Call, obj: Obj) -> None:
    """Raises Invalid; gives warnings."""
    row = call.row
    found = [*objectmeta.validate(obj, row.namespaced, row.strategy.validate_name), *_own(call, row, obj)]
    if found:
        raise call.invalid(found)
    _warn(call, obj, None)


def update(call: Call, new: Obj, old: Obj) -> None:
    """Raises Invalid; gives warnings."""
    row = call.row
    found: list[FieldError] = [
        *objectmeta.validate_update(new, old),
        *objectmeta.validate(new, row.namespaced, row.strategy.validate_name),
        *(() if row.strategy.judges_changes else _own(call, row, new)),
        *row.strategy.validate_update(new, old),
    ]
    if found:
        raise call.invalid(_distinct(found))
    _warn(call, new, old)


def status_update(call: Call, new: Obj, old: Obj) -> None:
    """Raises Invalid."""
    found = [*objectmeta.validate_update(new, old), *call.row.strategy.validate_status_update(new, old)]
    if found:
        raise call.invalid(found)


def update_metadata(call: Call, new: Obj, old: Obj) -> None:
    """For doors whose part is judged by the kind's own ``validate``. Raises Invalid."""
    found = [*objectmeta.validate_update(new, old), *call.row.strategy.validate(new)]
    if found:
        raise call.invalid(found)


def _own(call: Call, row: Kind, obj: Obj) -> Sequence[FieldError]:
    if row.strategy.validate is not _NO_JUDGE:
        return row.strategy.validate(obj)
    return [wrong for wrong in call.context.schemas.validate(row.definition, obj) if not _is_list(call, row, wrong)]


def _is_list(call: Call, row: Kind, wrong: FieldError) -> bool:
    """Is it a list that is missing? To Go's decoder it is empty."""
    schemas = call.context.schemas
    node = schemas.field(row.definition, *(step.partition("[")[0] for step in wrong.path.split(".")))
    return node is not None and schemas.resolve(node).get("type") == "array"


def _distinct(found: Sequence[FieldError]) -> Sequence[FieldError]:
    return list(dict.fromkeys(found))


def _warn(call: Call, obj: Obj, old: Obj | None) -> None:
    for text in call.row.strategy.warnings(obj, old):
        call.warn(text)
