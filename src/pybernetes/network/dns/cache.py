"""Answers that can be given again: to the same question, byte for byte but for its number.

Rule: what the world said is kept as long as it says, and never longer than ``SECONDS_MAX`` (a refusal shorter); what
the cluster's own zone said is kept until the zone changes. A full cache forgets its oldest.
Neighbours: ``server.py`` asks it first; ``wire.py`` reads how long an answer holds.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from pybernetes.lib.clock import Clock

SECONDS_MAX: Final = 30.0
"""CoreDNS's ``cache 30``."""
FAILURE_SECONDS: Final = 5.0
ENTRIES_MAX: Final = 9984


class Kept(NamedTuple):
    answer: bytes
    """Without its number."""
    until: float
    type: str
    code: str


class AnswerCache:
    """``most`` answers, each found by the question's bytes and the way it came."""

    def __init__(self, clock: Clock, most: int = ENTRIES_MAX) -> None:
        self._clock, self._most = clock, most
        self._kept: dict[tuple[bytes, bool], Kept] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, question: bytes, *, udp: bool) -> Kept | None:
        found = self._kept.get((question[2:], udp))
        if found is not None and found.until <= self._clock.monotonic():
            del self._kept[question[2:], udp]
            return None
        return found

    def keep(self, question: bytes, answer: bytes, *, udp: bool, seconds: float, type: str, code: str) -> None:
        """Remember an answer; for no time at all where ``seconds`` is 0."""
        if seconds <= 0:
            return
        if len(self._kept) >= self._most:
            del self._kept[next(iter(self._kept))]
        self._kept[question[2:], udp] = Kept(answer[2:], self._clock.monotonic() + seconds, type, code)

    def clear(self) -> None:
        self._kept.clear()
