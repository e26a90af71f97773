"""Telling the API of one pod's status, beside the work: a server that is away holds up no container.

Rule: only the newest status is sent, and only what differs from what the API has. A refusal that time may heal is
tried again with growing pauses; one that it will not is logged, and the next status is a new try.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pybernetes.client.client import Client
from pybernetes.lib.clock import Clock
from pybernetes.lib.log import Log
from pybernetes.lib.tasks import Tasks
from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj
from pybernetes.node import podspec, statuspatch

_log = Log("node.podreport")
_FIRST_SECONDS: Final = 0.5
_MOST_SECONDS: Final = 10.0
HEALED_BY_TIME: Final = (
    errors.ServiceUnavailable, errors.Timeout, errors.TooManyRequests, errors.InternalError, errors.Forbidden,
)  # fmt: skip


class Reporter:
    """``current`` is the pod as the API was last seen to have it, if it has it; ``adopt`` gets its answers."""

    def __init__(
        self,
        client: Client,
        clock: Clock,
        tasks: Tasks,
        current: Callable[[], Obj | None],
        adopt: Callable[[Obj], None],
    ) -> None:
        self._client, self._clock, self._tasks = client, clock, tasks
        self._current, self._adopt = current, adopt
        self._wanted: Obj | None = None
        self._sending = False

    def tell(self, status: Obj) -> None:
        """Have the API know ``status``, soon."""
        self._wanted, pod = status, self._current()
        if pod is not None and not self._sending and statuspatch.changes(pod, status) is not None:
            self._sending = True
            self._tasks.start(self._send_all(podspec.reference(pod)), f"status of {podspec.reference(pod)}")

    async def tell_now(self, status: Obj) -> None:
        """The same, done when this returns. Raises ApiError; a pod that is gone needs no status."""
        self._wanted = None
        await self._send(status)

    async def _send_all(self, reference: str) -> None:
        pause = _FIRST_SECONDS
        try:
            while (status := self._wanted) is not None:
                try:
                    await self._send(status)
                except HEALED_BY_TIME as error:
                    if pause == _FIRST_SECONDS:
                        _log.warning("a status waits for the API", pod=reference, why=error)
                    await self._clock.sleep(pause)
                    pause = min(pause * 2, _MOST_SECONDS)
                    continue
                except errors.ApiError as error:
                    _log.error("the API refuses a pod's status", pod=reference, why=error)
                if self._wanted is status:
                    self._wanted = None
        finally:
            self._sending = False

    async def _send(self, status: Obj) -> None:
        pod = self._current()
        patch = statuspatch.changes(pod, status) if pod is not None else None
        if pod is None or patch is None:
            return
        try:
            answer = await self._client.patch(
                "pods", objects.name(pod), patch, kind="strategic",
                namespace=objects.namespace(pod), subresource="status",
            )  # fmt: skip
        except (errors.NotFound, errors.Conflict):
            return  # it is gone or another one now has its name: the watch will tell
        self._adopt(answer)
