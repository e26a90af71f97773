"""The row of ``events.k8s.io/v1``: the core group's events in their newer form."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds import convert, fields
from pybernetes.kinds.columns import cluster
from pybernetes.kinds.kind import Kind
from pybernetes.kinds.row import maker
from pybernetes.kinds.strategy import event

_row = maker("events.k8s.io", "v1", "io.k8s.api.events")

KINDS: Final[tuple[Kind, ...]] = (
    _row(
        "Event",
        "events",
        "ev",
        storage_of="v1 events",
        convert=convert.EVENT,
        strategy=event.STRATEGY,
        columns=cluster.EVENTS,
        fields=fields.EVENTS_V1,
    ),
)
