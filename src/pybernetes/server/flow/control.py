"""Seats for requests: which level a request belongs to, and waiting for a seat there.

Theory of operation. FlowSchemas and levels are followed in the watch cache. To which schema a request belongs is kept
by who asks what, so that a request for which there is a seat costs a look-up and two additions. Components in this
process do not come here, nor does what lasts (exec, a log, a proxied connection); of a watch its beginning counts.
Neighbours: ``chain.py`` has the link; ``level.py``, ``queues.py`` and ``matching.py`` decide.
"""

from __future__ import annotations

import asyncio
from typing import Final

from pybernetes.client.client import Client
from pybernetes.lib.clock import Clock
from pybernetes.lib.metrics import Metrics, Value
from pybernetes.lib.tasks import Tasks
from pybernetes.meta import errors, objects, times
from pybernetes.meta.objects import Obj
from pybernetes.server.context import Info, Request
from pybernetes.server.flow import bootstrap, matching, queues
from pybernetes.server.flow.level import Level, shares_of
from pybernetes.server.live import Live
from pybernetes.storage import codec
from pybernetes.storage.port import Compacted

SEATS: Final = 600
"""Of the whole server: upstream's --max-requests-inflight and --max-mutating-requests-inflight."""
WAIT_SECONDS: Final = 15.0
"""A quarter of upstream's --request-timeout."""
_LASTING: Final = frozenset(("log", "exec", "attach", "portforward", "proxy"))
_KEPT: Final = 8192
_PREFIX: Final = codec.prefix(bootstrap.GROUP, "").rstrip("/") + "/"
_MANDATORY: Final = ("exempt", "catch-all")


class Refused(Exception):
    """There is no seat; the text is upstream's name of the reason."""


class Schema:
    """A FlowSchema with its level and what it tells clients."""

    __slots__ = ("dispatched", "headers", "level", "obj")

    def __init__(self, obj: Obj, level: Level, dispatched: Value) -> None:
        self.obj, self.level, self.dispatched = obj, level, dispatched
        self.headers = (
            ("X-Kubernetes-PF-FlowSchema-UID", objects.uid(obj)),
            ("X-Kubernetes-PF-PriorityLevel-UID", level.uid),
        )

    def flow(self, request: Request) -> str:
        """What tells this request's flow from others of the schema."""
        assert request.user is not None
        assert request.info is not None
        match objects.get(self.obj, "spec", "distinguisherMethod", "type"):
            case "ByUser":
                return request.user.name
            case "ByNamespace":
                return request.info.namespace
        return ""


class FlowControl:
    """``seats`` is how many requests are carried out at a time, those of exempt levels besides."""

    def __init__(self, live: Live, clock: Clock, metrics: Metrics, *, seats: int = SEATS) -> None:
        self._live, self._clock, self._seats = live, clock, seats
        self._levels: dict[str, Level] = {}
        self._schemas: list[Schema] = []
        self._known: dict[object, Schema] = {}
        self._waiting = 0
        self._tasks = Tasks()
        labels = ("priority_level", "flow_schema")
        self._dispatched = metrics.counter(
            "apiserver_flowcontrol_dispatched_requests_total",
            "Number of requests executed by API Priority and Fairness subsystem", labels,
        )  # fmt: skip
        self._rejected = metrics.counter(
            "apiserver_flowcontrol_rejected_requests_total",
            "Number of requests rejected by API Priority and Fairness subsystem", (*labels, "reason"),
        )  # fmt: skip
        metrics.gauge(
            "apiserver_flowcontrol_current_inqueue_requests",
            "Number of requests currently pending in queues of the API Priority and Fairness subsystem",
            lambda: self._waiting,
        )
        metrics.gauge(
            "apiserver_flowcontrol_current_executing_seats",
            "Concurrency (number of seats) occupied by the currently executing requests in the API Priority and"
            " Fairness subsystem", lambda: sum(level.seated for level in self._levels.values()),
        )  # fmt: skip
        self._configure()

    def start(self, client: Client) -> None:
        """Follow the configuration; ``client`` writes the conditions of FlowSchemas."""
        revision = self._live.cache.revision
        self._configure()
        self._tasks.start(self._follow(revision, client), "flow control")

    async def stop(self) -> None:
        await self._tasks.stop()

    # ── requests ─────────────────────────────────────────────────────────────────────────────────────────

    @staticmethod
    def concerns(info: Info) -> bool:
        return info.subresource not in _LASTING

    def schema(self, request: Request) -> Schema:
        """The schema to which a request belongs: of those that match, that of the first precedence."""
        user, info = request.user, request.info
        assert user is not None
        assert info is not None
        what = (info.group, info.resource, info.subresource, info.namespace) if info.is_resource else info.path
        key = (user.name, user.groups, info.verb, what)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            every = (schema for schema in self._schemas if matching.matches(schema.obj, user, info))
            found = self._known[key] = next(every, self._schemas[-1])
        return found

    async def seat(self, schema: Schema, request: Request) -> None:
        """Take a seat, perhaps after a wait; ``rise`` afterwards. Raises Refused."""
        level = schema.level
        if level.exempt or (not level.waiting.length and level.may_seat(self._levels.values())):
            level.seated += 1
        else:
            await self._wait(schema, level, request)
        schema.dispatched.add()

    def rise(self, level: Level) -> None:
        level.seated -= 1
        if self._waiting:
            self._serve()

    async def _wait(self, schema: Schema, level: Level, request: Request) -> None:
        if not level.queues:
            raise self._refused(schema, "concurrency-limit")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        hand = queues.dealt(
            queues.hashed(objects.name(schema.obj), schema.flow(request)), level.queues, level.hand
        )  # fmt: skip
        if not level.waiting.enter(turn, hand, level.length):
            raise self._refused(schema, "queue-full")
        self._waiting += 1
        timer = self._clock.call_later(WAIT_SECONDS, turn.cancel)
        try:
            await asyncio.wait((turn,))
        except asyncio.CancelledError:
            self._give_up(level, turn)
            raise
        finally:
            timer.cancel()
        if turn.cancelled():
            self._give_up(level, turn)
            raise self._refused(schema, "time-out")

    def _give_up(self, level: Level, turn: asyncio.Future[None]) -> None:
        if turn.done() and not turn.cancelled():
            self.rise(level)
        else:
            level.waiting.leave(turn)
            self._waiting -= 1

    def _serve(self) -> None:
        """Give free seats to those who wait."""
        levels = self._levels.values()
        for level in levels:
            while level.waiting.length and (level.exempt or level.may_seat(levels)):
                turn = level.waiting.next()
                self._waiting -= 1
                if not turn.done():
                    level.seated += 1
                    turn.set_result(None)

    def _refused(self, schema: Schema, reason: str) -> Refused:
        self._rejected.labels(schema.level.name, objects.name(schema.obj), reason).add()
        return Refused(reason)

    # ── configuration ────────────────────────────────────────────────────────────────────────────────────

    def _configure(self) -> None:
        """What FlowSchemas and levels say now; the mandatory ones are there even if nobody stored them."""
        stored = [obj for _, obj in bootstrap.objects() if objects.name(obj) in _MANDATORY]
        levels = {objects.name(obj): obj for obj in stored if obj["kind"] == "PriorityLevelConfiguration"}
        schemas = {objects.name(obj): obj for obj in stored if obj["kind"] == "FlowSchema"}
        levels |= {objects.name(obj): obj for obj in self._live.list(bootstrap.GROUP, "prioritylevelconfigurations")}
        schemas |= {objects.name(obj): obj for obj in self._live.list(bootstrap.GROUP, "flowschemas")}
        shares = sum(map(shares_of, levels.values()))
        self._levels = {name: self._levels.get(name) or Level(name) for name in levels}
        for name, level in self._levels.items():
            level.configure(levels[name], self._seats, shares)
        self._schemas = [
            Schema(obj, self._levels[_level_name(obj)], self._dispatched.labels(_level_name(obj), objects.name(obj)))
            for obj in sorted(schemas.values(), key=_precedence)
            if _level_name(obj) in self._levels
        ]
        self._known = {}
        self._serve()

    async def _follow(self, revision: int, client: Client) -> None:
        while True:
            await self._tell(client)
            changes = self._live.cache.subscribe(_PREFIX, revision)
            try:
                async for _ in changes:
                    self._configure()
                    await self._tell(client)
            except Compacted:
                revision = self._live.cache.revision
                self._configure()
            finally:
                changes.close()

    async def _tell(self, client: Client) -> None:
        """Say in each FlowSchema whether its level is there."""
        for schema in self._live.list(bootstrap.GROUP, "flowschemas"):
            condition = _dangling(_level_name(schema), there=_level_name(schema) in self._levels)
            old = objects.condition(schema, "Dangling") or {}
            if all(old.get(key) == value for key, value in condition.items()):
                continue
            condition["lastTransitionTime"] = times.render(self._clock.time())
            try:
                told = objects.evolve(schema, ("status",), {"conditions": [condition]})
                await client.update(bootstrap.SCHEMAS, told, subresource="status")
            except (errors.Conflict, errors.NotFound):
                continue  # its change comes here as well


def _level_name(schema: Obj) -> str:
    return str(objects.get(schema, "spec", "priorityLevelConfiguration", "name", default=""))


def _precedence(schema: Obj) -> tuple[int, str]:
    return int((schema.get("spec") or {}).get("matchingPrecedence") or 0), objects.name(schema)


def _dangling(level: str, *, there: bool) -> Obj:
    about = f'This FlowSchema references the PriorityLevelConfiguration object named "{level}"'
    if there:
        return {"type": "Dangling", "status": "False", "reason": "Found", "message": f"{about} and it exists"}
    text = f"{about} but there is no such object"
    return {"type": "Dangling", "status": "True", "reason": "NotFound", "message": text}
