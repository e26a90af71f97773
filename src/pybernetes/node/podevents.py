"""What the node says about a pod in events. Deciding which a new status calls for is pure.

Neighbours: ``control/events.py`` counts repeats together; ``images.py``, ``podperform.py`` and ``podstarts.py`` speak
where they act.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Protocol, TypeAlias

from pybernetes.control.actions import Event
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.node import podspec

EventType: TypeAlias = Literal["Normal", "Warning"]


class Recorder(Protocol):
    def emit(self, event: Event) -> None: ...


class Voice:
    """Speaks about a pod, or about one container of it."""

    def __init__(self, recorder: Recorder, pod: Obj, container: str = "") -> None:
        self._recorder, self._pod, self._field_path = recorder, pod, ""
        if container:
            self._field_path = f"spec.{podspec.field_of(pod, container) or 'containers'}{{{container}}}"

    def say(self, type: EventType, reason: str, message: str) -> None:
        self._recorder.emit(Event(self._pod, type, reason, message, field_path=self._field_path))


def of_change(pod: Obj, before: Obj, after: Obj) -> Iterator[tuple[str, EventType, str, str]]:
    """(container, type, reason, message) for each wait that begins between two statuses."""
    if after.get("reason") == "DeadlineExceeded" and before.get("reason") != "DeadlineExceeded":
        yield "", "Normal", "DeadlineExceeded", after["message"]
    for field in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
        earlier = {s["name"]: _waiting(s) for s in before.get(field) or ()}
        for status in after.get(field) or ():
            name, reason = status["name"], _waiting(status)
            if reason != earlier.get(name):
                yield from ((name, *event) for event in _of_wait(pod, name, reason))


def _waiting(status: Obj) -> str:
    return str(objects.get(status, "state", "waiting", "reason", default=""))


def _of_wait(pod: Obj, name: str, reason: str) -> Iterator[tuple[EventType, str, str]]:
    if reason == "CrashLoopBackOff":
        text = f"Back-off restarting failed container {name} in pod {podspec.reference(pod)}"
        yield "Warning", "BackOff", text
    elif reason == "ImagePullBackOff":
        image = (podspec.container(pod, name) or {}).get("image", "")
        yield "Normal", "BackOff", f'Back-off pulling image "{image}"'
        yield "Warning", "Failed", "Error: ImagePullBackOff"
