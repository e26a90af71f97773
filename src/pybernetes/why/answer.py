"""An explanation, and how it is told: what is so, because of what, and what would help."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_NAMES_MAX = 3


@dataclass(frozen=True, slots=True)
class Answer:
    what: str
    because: Sequence[str] = ()
    helps: Sequence[str] = ()
    """The smallest change first."""

    def __str__(self) -> str:
        lines = [self.what, *(f"  {line}" for text in self.because for line in text.split("\n"))]
        if self.helps:
            lines += ["What would help:", *(f"  - {text}" for text in self.helps)]
        return "\n".join(lines)

    def below(self, other: Answer) -> Answer:
        """This explanation with another one as its cause."""
        because = [*self.because, other.what, *(f"  {line}" for text in other.because for line in text.split("\n"))]
        return Answer(self.what, because, [*self.helps, *other.helps])


def some(names: Iterable[str]) -> str:
    """``a, b, c and 97 more``."""
    found = list(names)
    rest = len(found) - _NAMES_MAX
    return ", ".join(found[:_NAMES_MAX]) + (f" and {rest} more" if rest > 0 else "")


def table(rows: Sequence[tuple[str, str]]) -> list[str]:
    """Two columns; the right one may have several lines."""
    width = max((len(left) for left, _ in rows), default=0)
    return [
        f"{left if first else '':<{width}}  {line}"
        for left, right in rows
        for first, line in ((not number, line) for number, line in enumerate(right.split("\n")))
    ]
