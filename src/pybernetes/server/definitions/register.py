"""The rows that definitions have put into the kind table, and what reads and documents them.

Rule: a definition's rows are replaced together and only when something in it has changed that they are made of, so that
compiled schemas and documents live as long as possible.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pybernetes.kinds.kind import Kind
from pybernetes.kinds.table import KindTable
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.meta.schema import Schemas


@dataclass(frozen=True, slots=True)
class _Served:
    made_of: Any
    rows: tuple[Kind, ...]
    definitions: tuple[str, ...]


class Register:
    def __init__(self, kinds: KindTable, schemas: Schemas) -> None:
        self._kinds, self._schemas = kinds, schemas
        self._served: dict[str, _Served] = {}

    def serve(self, crd: Obj) -> None:
        """Serve what an established definition defines, as it says now."""
        name, made_of = objects.name(crd), _made_of(crd)
        known = self._served.get(name)
        if known is not None and known.made_of == made_of:
            return
        from pybernetes.kinds.custom import rows

        made = rows.versions(crd, self._schemas)
        self.forget(name)
        served = [_ending(version.row) if objects.is_deleting(crd) else version.row for version in made]
        for version in made:
            self._schemas.add(version.definitions, version.row.definition, version.shape)
        for row in served:
            self._kinds.add(row)
        told = tuple(definition for version in made for definition in version.definitions)
        self._served[name] = _Served(made_of, tuple(served), told)

    def forget(self, name: str) -> None:
        """Serve nothing of a definition any more."""
        known = self._served.pop(name, None)
        if known is not None:
            for row in known.rows:
                self._kinds.remove(row)
            self._schemas.remove(*known.definitions)

    def names(self) -> tuple[str, ...]:
        """The definitions that are served."""
        return tuple(self._served)

    def row(self, name: str) -> Kind | None:
        """The preferred row of a definition."""
        known = self._served.get(name)
        return known.rows[0] if known is not None and known.rows else None


def _made_of(crd: Obj) -> Any:
    status = crd.get("status") or {}
    return crd["spec"], status.get("acceptedNames"), status.get("storedVersions"), objects.is_deleting(crd)


def _ending(row: Kind) -> Kind:
    """Objects of a definition that is being deleted may do everything but come."""
    return replace(row, verbs=tuple(verb for verb in row.verbs if verb != "create"))
