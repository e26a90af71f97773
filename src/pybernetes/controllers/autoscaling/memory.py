"""What is remembered of one autoscaler: recent recommendations, and changes that were made. After a restart nothing.

Rule: a change counts when the target is seen to have it; what the API refused was never made.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

KEPT_SECONDS: Final = 3600.0
"""No window and no period is longer (stabilization; a policy's period is half of it at most)."""


class Recommended(NamedTuple):
    at: float
    replicas: int


class Changed(NamedTuple):
    """``by`` replicas: more than 0 for more, less than 0 for fewer."""

    at: float
    by: int


@dataclass(slots=True)
class Memory:
    recommended: list[Recommended] = field(default_factory=list)
    changed: list[Changed] = field(default_factory=list)
    _ordered: tuple[int, Changed] | None = None

    def begin(self, current: int, now: float) -> None:
        """See what the target has now; forget what is too long ago."""
        if self._ordered is not None and self._ordered[0] == current:
            self.changed.append(self._ordered[1])
        self._ordered = None
        if not self.recommended:
            self.recommended.append(Recommended(now, current))
        self.recommended = [each for each in self.recommended if each.at > now - KEPT_SECONDS]
        self.changed = [each for each in self.changed if each.at > now - KEPT_SECONDS]

    def recommend(self, replicas: int, now: float) -> None:
        self.recommended.append(Recommended(now, replicas))

    def order(self, current: int, wanted: int, now: float) -> None:
        """The target is told to have ``wanted`` instead of ``current``."""
        self._ordered = wanted, Changed(now, wanted - current)

    def since(self, moment: float) -> Iterable[int]:
        """Recommendations after a moment."""
        return (each.replicas for each in self.recommended if each.at > moment)

    def change_since(self, moment: float) -> int:
        """By how much the target has grown since a moment."""
        return sum(each.by for each in self.changed if each.at > moment)
