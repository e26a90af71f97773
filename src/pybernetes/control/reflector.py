"""List, then watch, for ever: how a cache follows the API.

Theory of operation. ``State`` is where the loop stands: the resourceVersion from which it watches, none before the
first list, and how often in a row it has failed. A list sets the version and each event and bookmark moves it, so a
watch that ends goes on where it was. ``Expired`` (or ``Gone``) takes the version away, which means a list. Failures
are waited out: 0.1 s, doubled up to 30 s, with jitter.
Neighbours: ``informer.py`` is its target.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from pybernetes.client.client import Client
from pybernetes.lib import log
from pybernetes.lib.clock import Clock
from pybernetes.lib.entropy import Entropy
from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj

BACKOFF_SECONDS: Final = 0.1
BACKOFF_SECONDS_MAX: Final = 30.0
SHORT_SECONDS: Final = 1.0
"""A watch that ends sooner than this and brought nothing counts as a failure, or the loop would spin."""

_log = log.Log("control.reflector")


@dataclass(frozen=True, slots=True)
class State:
    """``version`` is empty where a list is needed; ``failures`` are counted in a row."""

    version: str = ""
    failures: int = 0

    def listed(self, version: str) -> State:
        """A list came. Only a watch that works ends a row of failures, since each round begins with a list."""
        return replace(self, version=version)

    def heard(self, version: str) -> State:
        """Events came, the last of them of that resourceVersion."""
        return State(version or self.version)

    def failed(self, error: errors.ApiError) -> State:
        """The list or the watch was refused."""
        forgotten = isinstance(error, errors.Expired | errors.Gone)
        return State("" if forgotten else self.version, self.failures + 1)

    def ended(self, seconds: float) -> State:
        """The server ended a watch of so many ``seconds`` that had brought nothing."""
        return replace(self, failures=self.failures + 1 if seconds < SHORT_SECONDS else 0)

    def backoff_seconds(self, jitter: float) -> float:
        """How long to wait before the next try; ``jitter`` is of 0 to 1 and adds up to as much again."""
        if not self.failures:
            return 0.0
        return float(min(BACKOFF_SECONDS * 2 ** min(self.failures - 1, 20), BACKOFF_SECONDS_MAX)) * (1 + jitter)


class Target(Protocol):
    def replaced(self, found: Sequence[Obj], version: int) -> None:
        """A list came; its items carry no apiVersion and kind."""
        ...

    def changed(self, events: Sequence[tuple[str, Obj]], version: int) -> None:
        """A batch of a watch came; bookmarks are in it."""
        ...


class Reflector:
    """Follows one resource; ``fields`` and ``namespace`` narrow it."""

    def __init__(
        self, client: Client, resource: str, target: Target, clock: Clock, entropy: Entropy, *,
        fields: str = "", namespace: str = "",
    ) -> None:  # fmt: skip
        self._client, self._resource, self._target = client, resource, target
        self._clock, self._entropy = clock, entropy
        self._fields, self._namespace = fields, namespace
        self.state = State()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                if not self.state.version:
                    await self._list()
                await self._watch()
            except errors.ApiError as error:
                self._failed(error)
            except Exception as error:  # a fault in one event must not end the following; a list makes it good
                _log.error("a resource is listed again after a fault", error, resource=self._resource)
                self.state = State("", self.state.failures + 1)
            if wait := self.state.backoff_seconds(self._entropy.uniform(0, 1)):
                await self._clock.sleep(wait)

    def _failed(self, error: errors.ApiError) -> None:
        before, self.state = self.state, self.state.failed(error)
        if self.state.failures > before.failures == 0:
            _log.warning("cannot follow a resource; trying again", resource=self._resource, reason=error.message)

    async def _list(self) -> None:
        found = await self._client.list(self._resource, self._namespace, fields=self._fields)
        version = objects.meta(found).get("resourceVersion", "")
        self._target.replaced(found.get("items") or (), int(version or 0))
        self.state = self.state.listed(version)

    async def _watch(self) -> None:
        began = self._clock.monotonic()
        events = self._client.watch(
            self._resource, self._namespace, resource_version=self.state.version, fields=self._fields
        )
        if not await self._hear(events):
            self.state = self.state.ended(self._clock.monotonic() - began)

    async def _hear(self, events: AsyncIterator[Sequence[tuple[str, Obj]]]) -> bool:
        heard = False
        try:
            async for batch in events:
                if not batch:
                    continue
                heard = True
                version = objects.meta(batch[-1][1]).get("resourceVersion", "")
                self._target.changed(batch, int(version or 0))
                self.state = self.state.heard(version)
        finally:
            close = getattr(events, "aclose", None)
            if close is not None:
                await close()
        return heard
