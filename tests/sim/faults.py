"""What can go wrong between a component: requests and replies are lost, watches are cut, disks are slow."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pybernetes.client.client import Client
from pybernetes.client.transport import Query, Transport
from pybernetes.lib.clock import Clock
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj
from pybernetes.server.api import Api
from pybernetes.server.context import User
from pybernetes.storage.memory import MemoryStore


@dataclass
class Faults:
    """Chances from 0 to 1; none where ``on`` is false."""

    chance: random.Random
    clock: Clock
    lost_request: float
    lost_reply: float
    cut_watch: float
    slow_write: float
    slowest_seconds: float = 0.5
    on: bool = False

    def strike(self, chance: float) -> bool:
        return self.on and self.chance.random() < chance

    async def drag(self) -> None:
        """Take a while, now and then."""
        if self.strike(self.slow_write):
            await self.clock.sleep(self.chance.uniform(0, self.slowest_seconds))


class FaultyTransport:
    """``Transport`` over another one."""

    def __init__(self, inner: Transport, faults: Faults) -> None:
        self._inner, self._faults = inner, faults

    async def request(
        self, method: str, path: str, *, query: Query | None = None, body: Any = None,
        content_type: str = "application/json",
    ) -> Any:  # fmt: skip
        if self._faults.strike(self._faults.lost_request):
            raise errors.ServiceUnavailable("the request was lost")
        answer = await self._inner.request(method, path, query=query, body=body, content_type=content_type)
        if self._faults.strike(self._faults.lost_reply):
            raise errors.ServiceUnavailable("the reply was lost")
        return answer

    async def watch(self, path: str, *, query: Query | None = None) -> AsyncIterator[Sequence[tuple[str, Obj]]]:
        if self._faults.strike(self._faults.lost_request):
            raise errors.ServiceUnavailable("the request was lost")
        inner = self._inner.watch(path, query=query)
        try:
            async for batch in inner:
                if self._faults.strike(self._faults.cut_watch):
                    raise errors.ServiceUnavailable("the watch was cut")
                yield batch
        finally:
            await inner.aclose()  # type: ignore[attr-defined]

    async def close(self) -> None:
        await self._inner.close()


class FaultyApi:
    """The server as components see it: their clients are told of faults."""

    def __init__(self, api: Api, faults: Faults) -> None:
        self._api, self._faults = api, faults

    def client(self, user: User, manager: str = "") -> Client:
        made = self._api.client(user, manager)
        made.transport = FaultyTransport(made.transport, self._faults)
        return made


def faulty(api: Api, faults: Faults) -> Api:
    return cast("Api", FaultyApi(api, faults))


class SlowStore(MemoryStore):
    """A disk that takes its time."""

    def __init__(self, clock: Clock, faults: Faults) -> None:
        super().__init__(clock)
        self._faults = faults

    async def write(self, key: str, value: bytes, *, expect: int | None = None) -> int:
        await self._faults.drag()
        return await super().write(key, value, expect=expect)

    async def delete(self, key: str, *, expect: int | None = None) -> int:
        await self._faults.drag()
        return await super().delete(key, expect=expect)
