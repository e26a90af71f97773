"""Completion indexes: of a pod, and many of them as text: ``1,3-5,8,9``."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Final

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

INDEX: Final = "batch.kubernetes.io/job-completion-index"
_RUN_MIN: Final = 3
"""Two neighbours are told one by one, three as a range."""


def of(pod: Obj) -> int | None:
    """The pod's index; None where it has none."""
    return number(objects.annotations(pod).get(INDEX))


def number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def parse(text: str, end: int) -> set[int]:
    """The indexes below ``end`` of a text that controllers write."""
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found.update(range(int(first), min(int(last or first) + 1, end)))
    return found


def render(indexes: Iterable[int]) -> str:
    ordered = sorted(indexes)
    runs = ([i for _, i in run] for _, run in groupby(enumerate(ordered), key=lambda pair: pair[1] - pair[0]))
    return ",".join(_run(run) for run in runs)


def _run(run: list[int]) -> str:
    return f"{run[0]}-{run[-1]}" if len(run) >= _RUN_MIN else ",".join(map(str, run))
