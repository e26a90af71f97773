"""Rows of ``batch/v1``."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.kind import Kind
from pybernetes.kinds.row import maker

_row = maker("batch", "v1", "io.k8s.api.batch")
_ALL = ("all",)

KINDS: Final[tuple[Kind, ...]] = (
    _row("CronJob", "cronjobs", "cj", categories=_ALL, status=True),
    _row("Job", "jobs", categories=_ALL, status=True),
)
