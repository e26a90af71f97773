"""``controller.Snapshot`` over caches: one view of everything that a controller watches.

Rule: it is a view and no copy. A plan is a plain function without an ``await``, so nothing changes while it looks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pybernetes.control.cache import Cache
from pybernetes.meta import selectors
from pybernetes.meta.objects import Obj


class CacheSnapshot:
    """Asking for a resource without a cache raises LookupError: whoever reads a resource must watch it."""

    def __init__(self, caches: Mapping[str, Cache]) -> None:
        self._caches = caches

    def get(self, resource: str, namespace: str, name: str) -> Obj | None:
        """See ``controller.Snapshot``."""
        return self._of(resource).get(namespace, name)

    def list(self, resource: str, namespace: str | None = None) -> Sequence[Obj]:
        """See ``controller.Snapshot``."""
        return self._of(resource).list(namespace)

    def owned(self, resource: str, uid: str) -> Sequence[Obj]:
        """See ``controller.Snapshot``."""
        return self._of(resource).owned(uid)

    def select(self, resource: str, namespace: str, selector: Obj | None) -> Sequence[Obj]:
        """See ``controller.Snapshot``."""
        return self._of(resource).select(namespace, selectors.from_label_selector(selector))

    def _of(self, resource: str) -> Cache:
        cache = self._caches.get(resource)
        if cache is None:
            raise LookupError(f"{resource} is read but not watched: make it an input")
        return cache
