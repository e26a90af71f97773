"""How ``up`` and ``down`` tell what they are doing: a line for each step with the time it took, as it happens."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from pybernetes.lib.clock import Clock


class Steps:
    """Writes to ``out``; on a terminal the running step is shown before it is done."""

    def __init__(self, clock: Clock, out: TextIO | None = None) -> None:
        self._clock = clock
        self._out = out or sys.stderr
        self._begin = clock.monotonic()
        self._terminal = self._out.isatty()

    @contextmanager
    def step(self, what: str) -> Iterator[list[str]]:
        """One step; texts appended to the yielded list are shown behind it."""
        begin = self._clock.monotonic()
        notes: list[str] = []
        if self._terminal:
            self._out.write(f"  … {what}")
            self._out.flush()
        try:
            yield notes
        except BaseException:
            self._line("✗", what, "", begin)
            raise
        self._line("✓", what, " ".join(notes), begin)

    def say(self, text: str = "") -> None:
        self._out.write(f"{text}\n")
        self._out.flush()

    def elapsed(self) -> float:
        """Seconds since the first step could begin."""
        return self._clock.monotonic() - self._begin

    def _line(self, mark: str, what: str, note: str, begin: float) -> None:
        seconds = self._clock.monotonic() - begin
        self._out.write(("\r" if self._terminal else "") + f"  {mark} {what:<28} {seconds:6.2f} s  {note}\n")
        self._out.flush()
