"""What a probe's outcomes prove, and what is true of a container before they prove anything. Pure.

Rule 1: an outcome counts only in a row as long as its threshold; one that could not be told counts for nothing.
Rule 2: until its startup probe has succeeded a container has not started; its other probes wait for that.
Rule 3: what the API was told of the very same container still holds when an agent comes back: a container that is
ready stays so until a probe proves otherwise.
Neighbours: ``prober.py`` asks, ``podplan.py`` and ``containerstatus.py`` read the ``Health`` in the notes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from pybernetes.meta.objects import Obj
from pybernetes.node.podnotes import Health

STARTUP: Final = "startupProbe"
LIVENESS: Final = "livenessProbe"
READINESS: Final = "readinessProbe"
NAMES: Final[Mapping[str, str]] = {STARTUP: "Startup", LIVENESS: "Liveness", READINESS: "Readiness"}
"""A probe's field in the container → its name in messages."""
_DEFAULTS: Final = {
    "initialDelaySeconds": 0, "periodSeconds": 10, "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one try. ``succeeded`` is None where it could not be told; ``output`` is what to say of it."""

    succeeded: bool | None
    output: str = ""
    warned: bool = False
    """It succeeded, and yet its output is worth an event."""


@dataclass(frozen=True, slots=True)
class Streak:
    """How often in a row a probe has come out the same."""

    succeeded: bool = True
    length: int = 0

    def after(self, succeeded: bool) -> Streak:
        return Streak(succeeded, self.length + 1 if succeeded == self.succeeded else 1)

    def proves(self, probe: Obj) -> bool | None:
        """Success or failure, once its threshold is reached."""
        needed = number(probe, "successThreshold" if self.succeeded else "failureThreshold")
        return self.succeeded if self.length >= needed else None


def number(probe: Obj, field: str) -> int:
    """A number of a probe, or its default."""
    given = probe.get(field)
    return _DEFAULTS[field] if given is None else int(given)


def first_health(spec: Obj, container_id: str, reported: Mapping[str, Any]) -> Health:
    """Of a running container that no probe has looked at yet; ``reported`` is its entry in the API's status."""
    same = reported.get("containerID") == container_id
    return Health(
        started=STARTUP not in spec or (same and bool(reported.get("started"))),
        ready=READINESS not in spec or (same and bool(reported.get("ready"))),
    )


def wanted(spec: Obj, health: Health, *, ending: bool) -> list[str]:
    """The probes that have to run now; of an ending pod only readiness is of interest to anybody."""
    if health.failed:
        return []
    if not health.started:
        return [] if ending else [STARTUP]
    return [kind for kind in (LIVENESS, READINESS) if kind in spec and not (ending and kind == LIVENESS)]


def proven(health: Health, kind: str, succeeded: bool) -> Health:
    """What a verdict of one probe makes of a container's health."""
    if kind == READINESS:
        return replace(health, ready=succeeded)
    if not succeeded:
        return replace(health, failed=NAMES[kind].lower(), started=health.started and kind != STARTUP)
    return replace(health, started=True)
