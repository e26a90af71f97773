"""Rows of ``batch/v1``."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds import fields
from pybernetes.kinds.columns import workloads
from pybernetes.kinds.kind import Kind
from pybernetes.kinds.row import maker
from pybernetes.kinds.strategy import job

_row = maker("batch", "v1", "io.k8s.api.batch")
_ALL = ("all",)

KINDS: Final[tuple[Kind, ...]] = (
    _row(
        "CronJob",
        "cronjobs",
        "cj",
        categories=_ALL,
        status=True,
        strategy=job.CRON,
        columns=workloads.CRON_JOBS,
    ),
    _row(
        "Job",
        "jobs",
        categories=_ALL,
        status=True,
        strategy=job.STRATEGY,
        columns=workloads.JOBS,
        fields=fields.JOBS,
    ),
)
