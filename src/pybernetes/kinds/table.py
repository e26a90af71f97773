"""Every built-in kind, and the table through which the server, the clients and the caches find a kind's row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from pybernetes.kinds.kind import Kind


class KindTable:
    """Rows by the names under which they are asked for. A CRD adds and removes rows while the server runs."""

    def __init__(self, rows: Iterable[Kind] = ()) -> None:
        self._by_path: dict[tuple[str, str, str], Kind] = {}
        self._by_kind: dict[tuple[str, str, str], Kind] = {}
        self._by_resource: dict[str, Kind] = {}
        self._followers: list[Callable[[], None]] = []
        for row in rows:
            self.add(row)

    def add(self, row: Kind) -> None:
        """Serve a row. The first version added of a resource is its preferred one."""
        self._by_path[row.group, row.version, row.plural] = row
        self._by_kind[row.group, row.version, row.kind] = row
        self._by_resource.setdefault(row.resource, row)
        self._tell()

    def remove(self, row: Kind) -> None:
        self._by_path.pop((row.group, row.version, row.plural), None)
        self._by_kind.pop((row.group, row.version, row.kind), None)
        if self._by_resource.get(row.resource) is row:
            del self._by_resource[row.resource]
            for other in self._by_path.values():
                self._by_resource.setdefault(other.resource, other)
        self._tell()

    def subscribe(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call ``changed`` whenever rows have come or gone; answers how to end that."""
        self._followers.append(changed)
        return lambda: self._followers.remove(changed)

    def _tell(self) -> None:
        for changed in tuple(self._followers):
            changed()

    def by_path(self, group: str, version: str, plural: str) -> Kind | None:
        """The row served at ``/apis/<group>/<version>/<plural>``."""
        return self._by_path.get((group, version, plural))

    def by_kind(self, group: str, version: str, kind: str) -> Kind | None:
        return self._by_kind.get((group, version, kind))

    def by_resource(self, resource: str) -> Kind | None:
        """The preferred row of ``plural.group``."""
        return self._by_resource.get(resource)

    def stored(self, row: Kind) -> Kind:
        """The row in whose form objects of ``row`` are stored: ``row`` itself unless it names ``storage_of``."""
        if not row.storage_of:
            return row
        api_version, plural = row.storage_of.split(" ")
        group, _, version = api_version.rpartition("/")
        return self._by_path[group, version, plural]

    def __iter__(self) -> Iterator[Kind]:
        return iter(tuple(self._by_path.values()))


def builtin() -> KindTable:
    """A fresh table of all built-in kinds."""
    from pybernetes.kinds.groups import GROUPS

    return KindTable(row for rows in GROUPS for row in rows)
