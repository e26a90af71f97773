"""What the processes write down: one line an event, quiet by default, made of a sentence and named values.

    2026-01-31T09:05:03Z ERROR server.chain: a request failed path=/api/v1/pods user=kubernetes-admin

Rule: a level below WARNING says nothing that a user must know; a refusal sent to a client is no event of ours.
"""

from __future__ import annotations

import logging
import sys
import time
from typing import Any, Final, TextIO

ROOT: Final = "pybernetes"


class Log:
    """A part's own voice; ``name`` is its dotted place (``server.chain``)."""

    __slots__ = ("_logger",)

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(f"{ROOT}.{name}")

    def debug(self, sentence: str, **values: Any) -> None:
        self._write(logging.DEBUG, sentence, None, values)

    def info(self, sentence: str, **values: Any) -> None:
        self._write(logging.INFO, sentence, None, values)

    def warning(self, sentence: str, error: BaseException | None = None, **values: Any) -> None:
        self._write(logging.WARNING, sentence, error, values)

    def error(self, sentence: str, error: BaseException | None = None, **values: Any) -> None:
        """``error`` adds its traceback."""
        self._write(logging.ERROR, sentence, error, values)

    def _write(self, level: int, sentence: str, error: BaseException | None, values: dict[str, Any]) -> None:
        if not self._logger.isEnabledFor(level):
            return
        told = " ".join((sentence, *(f"{key}={_shown(value)}" for key, value in values.items())))
        self._logger.log(level, "%s", told, exc_info=error)


def setup(level: str = "WARNING", stream: TextIO | None = None) -> None:
    """Write everything from ``level`` on to ``stream`` (standard error). A second call replaces the first."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_Formatter())
    root = logging.getLogger(ROOT)
    root.handlers[:] = [handler]
    root.setLevel(level)
    root.propagate = False


class _Formatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(part)s: %(message)s", "%Y-%m-%dT%H:%M:%SZ")
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        record.part = record.name.removeprefix(f"{ROOT}.")
        return super().format(record)


def _shown(value: Any) -> str:
    """A value on one line, quoted where it holds what would end it."""
    text = str(value)
    return repr(text) if not text or any(c.isspace() or c == '"' for c in text) else text
