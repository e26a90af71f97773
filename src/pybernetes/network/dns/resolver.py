"""The answer to a question: from what was said before, from the cluster's zone, or from whoever knows.

Rule: a question about the cluster's zone is answered at once from the caches, so the names that a search list makes up
cost nothing; a question about a stub domain goes to that domain's servers, any other about the world to ``upstream``;
and where nobody answers, SERVFAIL. Answers with several addresses are turned by one place each time, so that clients
which take the first share them; they are made anew each time, the others are kept until the zone changes.
Neighbours: ``server.py`` has the sockets, ``records.py`` the zone, ``cache.py`` and ``forward.py`` do their parts.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from pybernetes.lib.clock import Clock
from pybernetes.network.dns import records, wire
from pybernetes.network.dns.cache import FAILURE_SECONDS, SECONDS_MAX, AnswerCache
from pybernetes.network.dns.forward import Forwarder
from pybernetes.network.dns.measures import Measures
from pybernetes.network.dns.records import Answer, Record
from pybernetes.network.dns.settings import Address, Settings
from pybernetes.network.dns.wire import Question
from pybernetes.network.index import Delta, Key, ServiceIndex


class Resolver:
    """``upstream``: who knows the world where the settings name nobody."""

    def __init__(self, domain: str, upstream: Sequence[Address], own_address: str, clock: Clock) -> None:
        self._domain, self._own_address, self._clock = domain, own_address, clock
        self._default = upstream
        self._index = ServiceIndex()
        self._reverse: dict[str, dict[Key, str]] = {}
        self._addresses: dict[Key, Sequence[str]] = {}
        self._turn = itertools.count()
        self._zone, self._world = AnswerCache(clock), AnswerCache(clock)
        self.measures = Measures(lambda: len(self._zone) + len(self._world))
        self._settings = Settings()
        self._forwarders: dict[str, Forwarder] = {}
        self.set(self._settings)

    def set(self, settings: Settings) -> None:
        """Ask these from now on."""
        self._settings = settings
        self._world.clear()
        servers = {"": settings.upstream or tuple(self._default), **settings.stubs}
        self._forwarders = {
            domain: Forwarder([s for s in each if s[0] != self._own_address], self._clock, told=self.measures.forwarded)
            for domain, each in servers.items()
        }

    def changed(self, resource: str, deltas: Sequence[Delta]) -> None:
        """Services or EndpointSlices are others now."""
        self._zone.clear()
        for key in self._index.apply(resource, deltas):
            for address in self._addresses.pop(key, ()):
                self._reverse[address].pop(key, None)
                if not self._reverse[address]:
                    del self._reverse[address]
            names = records.reverse_names(self._index, self._domain, key)
            for address, name in names.items():
                self._reverse.setdefault(address, {})[key] = name
            if names:
                self._addresses[key] = tuple(names)

    def answer_at_once(self, data: bytes, *, udp: bool) -> bytes | None:
        """The answer where nobody else must be asked; empty for what is no question, None where somebody must."""
        begin = self._clock.monotonic()
        kept = self._zone.find(data, udp=udp) or self._world.find(data, udp=udp)
        if kept is not None:
            self.measures.answered(kept.type, kept.code, self._clock.monotonic() - begin, udp=udp, cached=True)
            return data[:2] + kept.answer
        question = wire.parse(data)
        if question is None:
            return b""
        found = self._of_zone(question)
        if found is None:
            return None
        answer, code = self._rendered(question, found, udp)
        if len(found.records) < 2:
            self._zone.keep(data, answer, udp=udp, seconds=math.inf, type=question.type, code=code)
        self.measures.answered(question.type, code, self._clock.monotonic() - begin, udp=udp, cached=False)
        return answer

    async def answer(self, data: bytes, *, udp: bool) -> bytes | None:
        """The answer, whoever has it; None for what is no question."""
        quick = self.answer_at_once(data, udp=udp)
        question = wire.parse(data) if quick is None else None
        if question is None:
            return quick or None
        begin = self._clock.monotonic()
        answer = await self._ask(question, data, udp)
        code, seconds = wire.holds(answer)
        seconds = min(seconds, FAILURE_SECONDS if code == "SERVFAIL" else SECONDS_MAX)
        self._world.keep(data, answer, udp=udp, seconds=seconds, type=question.type, code=code)
        self.measures.answered(question.type, code, self._clock.monotonic() - begin, udp=udp, cached=False)
        return answer

    # ── the cluster's zone ───────────────────────────────────────────────────────────────────────────────

    def _of_zone(self, question: Question) -> Answer | None:
        """What the cluster says, or None where the world must be asked."""
        if address := records.address_of(question.name):
            return self._named(question, address)
        found = records.lookup(self._index, self._domain, question.name, question.type)
        return None if found.status == "outside" or found.elsewhere else found

    def _named(self, question: Question, address: str) -> Answer | None:
        names = sorted(self._reverse.get(address, {}).values())
        if not names:
            return None if self._forwarder(question.name) else records.NXDOMAIN
        wanted = question.type in ("PTR", "ANY")
        return Answer("ok", [Record(question.name, "PTR", name) for name in names] if wanted else [])

    def _rendered(self, question: Question, found: Answer, udp: bool) -> tuple[bytes, str]:
        soa = () if found.records else (records.soa(self._domain),)
        code = "NXDOMAIN" if found.status == "nxdomain" else "NOERROR"
        rows = self._turned(found.records)
        answer = wire.render(question, rows, code=code, authority=soa, additional=found.additional, udp=udp)
        return answer, code

    def _turned(self, rows: Sequence[Record]) -> Sequence[Record]:
        if len(rows) < 2 or rows[0].type == "CNAME":
            return rows
        start = next(self._turn) % len(rows)
        return [*rows[start:], *rows[:start]]

    # ── the world ────────────────────────────────────────────────────────────────────────────────────────

    def _forwarder(self, name: str) -> Forwarder:
        return self._forwarders[self._settings.stub_of(name)]

    async def _ask(self, question: Question, data: bytes, udp: bool) -> bytes:
        found = records.lookup(self._index, self._domain, question.name, question.type)
        if found.elsewhere:
            told = await self._forwarder(found.elsewhere).ask(wire.query(question, found.elsewhere))
            return wire.render(question, [*found.records, *(wire.answers(told) if told else ())], udp=udp)
        told = await self._forwarder(question.name).ask(data, tcp=not udp)
        return told if told is not None else wire.render(question, code="SERVFAIL", is_authority=False, udp=udp)
