"""The way to an etcd of several members: calls go to one of them, and on to the next when it fails.

Rule 1: a member that is away, has no leader or does not answer in time costs one attempt; only when all that was tried
        for ``PATIENCE_SECONDS`` failed is the caller told.
Rule 2: a failed attempt may have happened nevertheless; an answer tells how many it took, and the caller judges.
Rule 3: a stream that breaks is the caller's to open again, for it alone knows from where.
Neighbours: ``messages.py`` is the table that calls are encoded by, ``store.py`` the caller.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

# gRPC would watch over forks and log that it cannot; the processes started here all become other programs at once.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")

import grpc
from grpc import aio

from pybernetes.lib.clock import Clock
from pybernetes.meta.objects import Obj
from pybernetes.meta.protobuf.codec import Codec
from pybernetes.storage.etcd.messages import MESSAGES

ATTEMPT_SECONDS: Final = 3.0
PATIENCE_SECONDS: Final = 10.0
PAUSE_SECONDS: Final = 0.05
_NO_SPACE: Final = "database space exceeded"
_TOO_LATE: Final = "context deadline exceeded"
"""The time was up where it ran, a moment before it was here: comes as UNKNOWN."""
_RETRIED: Final = (
    grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED,
)  # fmt: skip
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # A member behind a broken network says nothing at all. etcd tolerates a ping every five seconds.
    ("grpc.keepalive_time_ms", 6000),
    ("grpc.keepalive_timeout_ms", 3000),
    ("grpc.enable_http_proxy", 0),
)
_LIVE_MEMBER: Final = (("hasleader", "true"),)
"""A stream from a member that the others have lost ends, instead of keeping silent."""


class LinkError(Exception):
    """etcd refused, or could not be reached; ``code`` is gRPC's (``OUT_OF_RANGE``)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer:
    body: Obj
    attempts: int

    @property
    def revision(self) -> int:
        """etcd's revision as it answered."""
        return int(self.body["header"].get("revision", 0))


class Link:
    """``endpoints`` are ``host:port``. Connects when first used, and again whenever a member returns."""

    def __init__(self, endpoints: Sequence[str], clock: Clock) -> None:
        self._endpoints, self._clock = tuple(endpoints), clock
        self._channels = [aio.insecure_channel(endpoint, options=_OPTIONS) for endpoint in self._endpoints]
        self._codec = Codec(MESSAGES)
        self._methods: dict[tuple[int, str], Any] = {}
        self._at = 0

    def __str__(self) -> str:
        return f"etcd at {','.join(self._endpoints)}"

    async def call(self, service: str, method: str, message: str, request: Obj) -> Answer:
        """The answer of whichever member gives one. ``message`` names the pair (``Txn``). Raises LinkError."""
        end, attempts, data = (
            self._clock.monotonic() + PATIENCE_SECONDS,
            0,
            self._codec.encode(f"{message}Request", request),
        )
        while True:
            at, attempts = self._at, attempts + 1
            try:
                body = await self._method(at, service, method, message)(data, timeout=ATTEMPT_SECONDS)
            except aio.AioRpcError as error:
                if not _is_passing(error) or self._clock.monotonic() > end:
                    raise self._failure(error) from error
                self.turn(at)
            else:
                return Answer(body, attempts)
            await self._clock.sleep(PAUSE_SECONDS)

    async def stream(self, request: Obj) -> AsyncIterator[Obj]:
        """What a watch says, until it breaks. Raises LinkError, having turned to the next member."""
        at = self._at
        watch = self._channels[at].stream_stream(
            "/etcdserverpb.Watch/Watch",
            request_serializer=partial(self._codec.encode, "WatchRequest"),
            response_deserializer=partial(self._codec.decode, "WatchResponse"),
        )
        call = watch(metadata=_LIVE_MEMBER)
        try:
            await call.write(request)
            async for answer in call:
                yield answer
        except aio.AioRpcError as error:
            self.turn(at)
            raise self._failure(error) from error
        finally:
            call.cancel()

    def turn(self, away_from: int) -> None:
        """Use the next member, unless somebody has turned away from this one already."""
        if self._at == away_from:
            self._at = (away_from + 1) % len(self._channels)

    async def close(self) -> None:
        for channel in self._channels:
            await channel.close()

    def _method(self, at: int, service: str, method: str, message: str) -> Any:
        found = self._methods.get((at, method))
        if found is None:
            found = self._methods[at, method] = self._channels[at].unary_unary(
                f"/etcdserverpb.{service}/{method}",
                response_deserializer=partial(self._codec.decode, f"{message}Response"),
            )
        return found

    def _failure(self, error: aio.AioRpcError) -> LinkError:
        code, details = error.code().name, error.details() or "it gave no reason"
        if _NO_SPACE in details:
            details += "; defragment it and disarm its alarm, or raise its --quota-backend-bytes"
        elif _is_passing(error):
            details += "; check that most of its members run and can be reached"
        return LinkError(code, f"{self}: {details}")


def _is_passing(error: aio.AioRpcError) -> bool:
    """May another member, or the same a little later, do it?"""
    details = error.details() or ""
    return (error.code() in _RETRIED or _TOO_LATE in details) and _NO_SPACE not in details
