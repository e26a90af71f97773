"""What the cells of many tables have in common: names, ages, label texts and upstream's words for "nothing".

Rule: a column is a pure function of the object and ``now`` (Unix seconds); what only ``-o wide`` shows has priority 1.
Neighbours: one file per family of kinds lists its columns as a tuple; the row files name those tuples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from pybernetes.kinds.kind import Column
from pybernetes.meta import errors, objects, selectors, times
from pybernetes.meta.objects import Obj

NONE: Final = "<none>"
UNSET: Final = "<unset>"
UNKNOWN: Final = "<unknown>"


def since(moment: str | None, now: float) -> str:
    """How long ago: ``5m``; ``<unknown>`` for a time that is not there."""
    return times.human_duration(now - times.parse(moment)) if moment else UNKNOWN


def text(name: str, *path: str, default: Any = "", priority: int = 0) -> Column:
    """A column that shows one field."""
    return Column(name, lambda obj, _: _present(objects.get(obj, *path), default), priority=priority)


def number(name: str, *path: str, priority: int = 0) -> Column:
    """A column that shows one number; missing is 0."""
    return Column(name, lambda obj, _: objects.get(obj, *path, default=0), "integer", priority=priority)


def computed(name: str, value: Callable[[Obj], Any], type_: Any = "string", priority: int = 0) -> Column:
    """A column that needs no clock."""
    return Column(name, lambda obj, _: value(obj), type_, priority=priority)


def wide(column: Column) -> Column:
    return Column(column.name, column.value, column.type, column.format, column.description, 1)


def _present(value: Any, default: Any) -> Any:
    return default if value in (None, "") else value


NAME: Final = Column("Name", lambda obj, _: objects.name(obj), format="name")
AGE: Final = Column("Age", lambda obj, now: since(objects.meta(obj).get("creationTimestamp"), now))
CREATED_AT: Final = Column("Created At", lambda obj, _: objects.meta(obj).get("creationTimestamp") or "", "date")


def labels(values: Mapping[str, str] | None) -> str:
    """``a=1,b=2`` in order of the keys."""
    return ",".join(f"{key}={value}" for key, value in sorted((values or {}).items())) or NONE


def selector(value: Obj | None) -> str:
    """A metav1.LabelSelector as text (metav1.FormatLabelSelector)."""
    if not value or not (value.get("matchLabels") or value.get("matchExpressions")):
        return NONE
    try:
        return str(selectors.from_label_selector(value))
    except errors.BadRequest:
        return "<error>"


def some(items: Sequence[str], most: int = 3, *, empty: str = NONE) -> str:
    """The first few of a list: ``a,b,c + 2 more...``."""
    shown = ",".join(items[:most])
    if len(items) > most:
        return f"{shown} + {len(items) - most} more..."
    return shown or empty


def flag(value: bool | None) -> str:
    """A boolean in Go's words; ``<unset>`` where nobody said."""
    return UNSET if value is None else ("true" if value else "false")


def containers(spec: Obj | None) -> tuple[str, str]:
    """(names, images) of a pod spec's containers, with commas."""
    found: Iterable[Obj] = (spec or {}).get("containers") or ()
    pairs = [(container.get("name", ""), container.get("image", "")) for container in found]
    return ",".join(name for name, _ in pairs), ",".join(image for _, image in pairs)
