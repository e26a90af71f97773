"""Whether and when an ended container runs again: restart policy and crash-loop back-off. Pure.

The back-off is the kubelet's: the first restart is at once, then 10 s after the end, doubling up to 5 minutes, and
forgotten once a container has stayed up for twice the longest wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pybernetes.meta.protobuf.forms import duration_text
from pybernetes.node.runtime.port import Container

INITIAL_SECONDS: Final = 10.0
MAX_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class Backoff:
    """``seconds`` is the wait that follows the next failure, ``since`` when it was last raised (Unix seconds)."""

    seconds: float
    since: float


def following(entry: Backoff | None, event_at: float, now: float) -> Backoff:
    """The back-off after one more start, whose cause happened at ``event_at``."""
    if entry is None or _expired(entry, event_at):
        return Backoff(INITIAL_SECONDS, now)
    return Backoff(min(entry.seconds * 2, MAX_SECONDS), now)


def remaining(entry: Backoff | None, event_at: float, now: float) -> float:
    """Seconds still to wait after what happened at ``event_at``; 0 when nothing is in the way."""
    if entry is None or _expired(entry, event_at):
        return 0.0
    return max(0.0, event_at + entry.seconds - now)


def _expired(entry: Backoff, event_at: float) -> bool:
    return event_at - entry.since > 2 * MAX_SECONDS


def wanted(container: Container, policy: str, definition_hash: str, recorded_hash: str) -> bool:
    """Whether an ended container is to run again under ``policy``."""
    if recorded_hash and recorded_hash != definition_hash:
        return True
    return policy == "Always" or (policy == "OnFailure" and container.exit_code != 0)


def message(entry: Backoff, container: str, pod: str) -> str:
    """The kubelet's sentence; ``pod`` is ``podspec.reference``."""
    return f"back-off {duration_text(int(entry.seconds * 1e9))} restarting failed container={container} pod={pod}"
