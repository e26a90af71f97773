"""Services and the EndpointSlices that belong to them, kept together. Pure: told of changes, asked for a service.

Neighbours: ``proxy/loop.py`` and ``dns/server.py`` each feed one from informers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

SERVICES: Final = "services"
SLICES: Final = "endpointslices.discovery.k8s.io"
OWNER_LABEL: Final = "kubernetes.io/service-name"

Key: TypeAlias = tuple[str, str]
"""(namespace, name) of a Service."""
Delta: TypeAlias = tuple[Obj | None, Obj | None]
"""(old, new): None for what was not, or is no more."""


class ServiceIndex:
    def __init__(self) -> None:
        self._services: dict[Key, Obj] = {}
        self._slices: dict[Key, dict[str, Obj]] = {}

    def apply(self, resource: str, deltas: Iterable[Delta]) -> set[Key]:
        """Take in changes of services or slices; the services that they touch."""
        put = self._put_service if resource == SERVICES else self._put_slice
        return {key for old, new in deltas for key in put(old, new)}

    def service(self, key: Key) -> Obj | None:
        return self._services.get(key)

    def slices(self, key: Key) -> Sequence[Obj]:
        """The slices of a service in the order of their names."""
        found = self._slices.get(key, {})
        return [found[name] for name in sorted(found)]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._services)

    def _put_service(self, old: Obj | None, new: Obj | None) -> Iterator[Key]:
        told = new or old or {}
        key = (objects.namespace(told), objects.name(told))
        if new is None:
            self._services.pop(key, None)
        else:
            self._services[key] = new
        yield key

    def _put_slice(self, old: Obj | None, new: Obj | None) -> Iterator[Key]:
        before = owner(old) if old else None
        after = owner(new) if new else None
        if before and before != after:
            self._slices.get(before, {}).pop(objects.name(old or {}), None)
            yield before
        if after and new:
            self._slices.setdefault(after, {})[objects.name(new)] = new
            yield after


def owner(endpoint_slice: Obj) -> Key | None:
    """The service that a slice belongs to."""
    name = objects.labels(endpoint_slice).get(OWNER_LABEL)
    return (objects.namespace(endpoint_slice), name) if name else None
