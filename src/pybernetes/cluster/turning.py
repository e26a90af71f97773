"""The door by which a cluster's clock is told and turned: ``/pybernetes/clock`` of the API server.

GET answers ``{"time": RFC 3339, "aheadSeconds": how far it has been turned, "virtual": can it be turned}``; POST takes
``{"advanceSeconds": number}``, lets that time pass with all that is due in it, and answers the same.
Rule 1: it is no resource, so RBAC lets nobody in but administrators (``system:masters``, and who may do everything).
Rule 2: only a clock of simulated nodes can be turned: what runs in real containers lives in the machine's time, and so
do certificates.
Rule 3: how far it has been turned outlives the process, in a file: no object is ever younger than its past.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import orjson

from pybernetes.lib.clock import Clock, TurnedClock
from pybernetes.meta import errors, times
from pybernetes.server.context import Request, Response
from pybernetes.storage.port import Store
from pybernetes.storage.sqlite.store import SqliteStore

PATH: Final = "/pybernetes/clock"
_ADVANCE_SECONDS_MAX: Final = 366 * 24 * 3600.0


class Door:
    """``file`` keeps how far ``clock`` is ahead."""

    def __init__(self, clock: Clock, file: Path) -> None:
        self._clock, self._file = clock, file

    async def handle(self, request: Request) -> Response:
        """Raises BadRequest and MethodNotSupported."""
        if request.method == "POST":
            await self._advance(_seconds(request.body))
        elif request.method != "GET":
            raise errors.BadRequest(f"{PATH} is read with GET and turned with POST")
        return Response(body=orjson.dumps(self._told()))

    async def _advance(self, seconds: float) -> None:
        if not isinstance(self._clock, TurnedClock):
            raise errors.BadRequest("this cluster goes by the machine's clock; see 'pybernetes up --clock virtual'")
        await self._clock.advance(seconds)
        keep(self._file, self._clock.ahead)

    def _told(self) -> dict[str, Any]:
        virtual, turned = isinstance(self._clock, TurnedClock), round(ahead(self._clock), 3)
        return {"time": times.render(self._clock.time()), "aheadSeconds": turned, "virtual": virtual}


def keep(file: Path, ahead: float) -> None:
    """Write it whole or not at all."""
    temporary = file.with_suffix(".new")
    temporary.write_bytes(orjson.dumps(ahead))
    temporary.replace(file)


def kept(file: Path) -> float:
    """How far the clock had been turned; 0 where it never was."""
    try:
        return float(orjson.loads(file.read_bytes()))
    except FileNotFoundError:
        return 0.0


def outside(clock: Clock) -> Clock:
    """The clock of those who know nothing of ours: of certificates and of connections."""
    return clock.real if isinstance(clock, TurnedClock) else clock


def ahead(clock: Clock) -> float:
    """How far a clock has been turned."""
    return clock.ahead if isinstance(clock, TurnedClock) else 0.0


def watch(clock: Clock, store: Store) -> None:
    """Let no time pass while the store's thread writes."""
    if isinstance(clock, TurnedClock) and isinstance(store, SqliteStore):
        clock.elsewhere = store.rest


def _seconds(body: bytes) -> float:
    try:
        asked = orjson.loads(body)["advanceSeconds"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise errors.BadRequest('the body must be {"advanceSeconds": number}') from error
    if isinstance(asked, bool) or not isinstance(asked, int | float) or not 0 <= asked <= _ADVANCE_SECONDS_MAX:
        raise errors.BadRequest(f"advanceSeconds must be a number from 0 to {_ADVANCE_SECONDS_MAX:g}")
    return float(asked)
