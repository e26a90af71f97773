"""The queues of one priority level: shuffle sharding and fair queuing. Pure.

Rule 1: a flow is dealt a hand of queues by its hash, and a request of it enters the shortest of them: two flows seldom
        share all their queues.
Rule 2: the queue that has been served least goes next. One that was empty begins where the service is now, so that
        nobody saves up turns.
Source: apiserver/pkg/util/{shufflesharding,flowcontrol/fairqueuing}; there the length of requests counts too.
"""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


def hashed(schema: str, flow: str) -> int:
    """Of a flow: a FlowSchema and what tells its flows apart."""
    return int.from_bytes(hashlib.sha256(f"{schema}\0{flow}".encode()).digest()[:8], "little")


def dealt(hash_: int, deck: int, hand: int) -> list[int]:
    """``hand`` different cards of ``deck``."""
    cards: list[int] = []
    for already in range(min(hand, deck)):
        hash_, card = divmod(hash_, deck - already)
        for earlier in sorted(cards):
            card += card >= earlier
        cards.append(card)
    return cards


@dataclass(slots=True)
class _Queue(Generic[T]):
    waiting: deque[T] = field(default_factory=deque)
    served: float = 0.0


class Queues(Generic[T]):
    """Only queues in which somebody waits take room."""

    def __init__(self) -> None:
        self._queues: dict[int, _Queue[T]] = {}
        self._served = 0.0
        self.length = 0

    def enter(self, one: T, hand: list[int], most: int) -> bool:
        """Wait in the shortest queue of a hand; False where that holds ``most`` already."""
        lengths = {card: len(self._queues[card].waiting) if card in self._queues else 0 for card in hand}
        card = min(hand, key=lambda card: lengths[card])
        if lengths[card] >= most:
            return False
        queue = self._queues.get(card)
        if queue is None:
            queue = self._queues[card] = _Queue(served=self._served)
        queue.waiting.append(one)
        self.length += 1
        return True

    def next(self) -> T:
        """Who is served next; there must be one."""
        card, queue = min(self._queues.items(), key=lambda of: of[1].served)
        self._served = queue.served
        queue.served += 1.0
        one = queue.waiting.popleft()
        self._left(card, queue)
        return one

    def leave(self, one: T) -> None:
        """Somebody waits no longer."""
        for card, queue in self._queues.items():
            if one in queue.waiting:
                queue.waiting.remove(one)
                self._left(card, queue)
                return

    def _left(self, card: int, queue: _Queue[T]) -> None:
        self.length -= 1
        if not queue.waiting:
            del self._queues[card]
