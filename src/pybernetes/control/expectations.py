"""Has the cache seen what was written? Until it has, a key is not planned again.

Rule: what was created or changed is seen when the cache has reached its resourceVersion; what was deleted is seen
when the cache no longer holds that uid, or holds it with a deletionTimestamp. Five minutes end every wait, as
upstream's expectations do: better to plan on what is known than to stand still.
Neighbours: ``perform.py`` notes what it writes in a ``Written``; ``worker.py`` waits.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from pybernetes.control.cache import Cache
from pybernetes.lib.clock import Clock
from pybernetes.meta import objects

TIMEOUT_SECONDS: Final = 300.0

K = TypeVar("K", bound=Hashable)


@dataclass(slots=True)
class Written:
    """What one performance of a plan has written."""

    versions: dict[str, int] = field(default_factory=dict)
    """resource → the highest resourceVersion that was answered"""
    gone: dict[tuple[str, str, str], str] = field(default_factory=dict)
    """(resource, namespace, name) → uid"""

    def changed(self, resource: str, answer: Any) -> None:
        """An object was created or changed, and this is the answer."""
        version = objects.resource_version(answer) if isinstance(answer, dict) else 0
        if version > self.versions.get(resource, 0):
            self.versions[resource] = version

    def deleted(self, resource: str, namespace: str, name: str, uid: str) -> None:
        if uid:
            self.gone[resource, namespace, name] = uid


class Expectations(Generic[K]):
    """``caches`` are those that the plans read; writes to other resources need not be waited for."""

    def __init__(self, caches: Mapping[str, Cache], clock: Clock) -> None:
        self._caches, self._clock = caches, clock
        self._open: dict[K, tuple[Written, float]] = {}
        self._parked: dict[str, set[K]] = {}

    def expect(self, key: K, written: Written) -> None:
        """From now on the key waits for these writes."""
        if self._unseen(written) is not None:
            self._open[key] = (written, self._clock.monotonic() + TIMEOUT_SECONDS)

    def wait_seconds(self, key: K) -> float:
        """How long the key may have to wait still: 0 when its writes were seen. ``released`` tells when it may go."""
        found = self._open.get(key)
        if found is None:
            return 0.0
        written, until = found
        resource = self._unseen(written)
        left = until - self._clock.monotonic()
        if resource is None or left <= 0:
            del self._open[key]
            return 0.0
        self._parked.setdefault(resource, set()).add(key)
        return left

    def released(self, resource: str) -> Iterable[K]:
        """A cache has moved: the keys that wait no more, each told once."""
        parked = self._parked.pop(resource, None)
        if not parked:
            return ()
        return [key for key in parked if self.wait_seconds(key) == 0]

    def _unseen(self, written: Written) -> str | None:
        """A resource whose cache has yet to see something; what it has seen is forgotten."""
        for resource, version in list(written.versions.items()):
            cache = self._caches.get(resource)
            if cache is not None and cache.version < version:
                return resource
            del written.versions[resource]
        for resource, namespace, name in list(written.gone):
            if not self._is_gone(resource, namespace, name, written.gone[resource, namespace, name]):
                return resource
            del written.gone[resource, namespace, name]
        return None

    def _is_gone(self, resource: str, namespace: str, name: str, uid: str) -> bool:
        cache = self._caches.get(resource)
        found = cache.get(namespace, name) if cache is not None else None
        return found is None or objects.uid(found) != uid or objects.is_deleting(found)
