"""``/containerLogs``: which container's log is meant, and what of it. Pure.

Rule: the pod's status says which container of a name is the current one and which the one before, as it says to people.
The sentences are the kubelet's, since kubectl shows them (validateContainerLogStatus).
Neighbours: ``logs.py`` reads, ``server.py`` answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj
from pybernetes.node.logs import LogOptions

_WAITS: Final = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}
_STREAMS: Final = {"": "", "All": "", "Stdout": "stdout", "Stderr": "stderr"}


class NoLog(Exception):
    """There is no such log; the message is for the client."""


def options(query: Mapping[str, Sequence[str]], now: float) -> LogOptions:
    """PodLogOptions as a query says them. Raises ValueError with the parameter that is wrong."""

    def read(name: str, convert: Callable[[str], Any]) -> Any:
        text = (query.get(name) or [""])[0]
        try:
            return convert(text) if text else None
        except (ValueError, KeyError) as error:
            raise ValueError(f"{name}: {text!r} is not what it should be") from error

    seconds = read("sinceSeconds", int)
    return LogOptions(
        follow=bool(read("follow", _boolean)),
        tail_lines=read("tailLines", int),
        since=now - seconds if seconds is not None else read("sinceTime", times.parse),
        timestamps=bool(read("timestamps", _boolean)),
        limit_bytes=read("limitBytes", int),
        stream=read("stream", _STREAMS.__getitem__) or "",
    )


def _boolean(text: str) -> bool:
    if text.lower() not in ("1", "t", "true", "0", "f", "false"):
        raise ValueError(text)
    return text.lower() in ("1", "t", "true")


def container_id(pod: Obj, name: str, *, previous: bool) -> str:
    """The runtime's id of the container whose log is meant. Raises NoLog."""
    status = next((s for s in _statuses(pod) if s.get("name") == name), None)
    where = f'"{name}" in pod "{objects.name(pod)}"'
    if status is None:
        raise NoLog(f"container {where} is not available")
    state, last = status.get("state") or {}, objects.get(status, "lastState", "terminated", "containerID", default="")
    if previous:
        if not last:
            raise NoLog(f"previous terminated container {where} not found")
        return _bare(last)
    waiting = state.get("waiting")
    found = last if waiting else (state.get("terminated") or status).get("containerID") or last
    if found:
        return _bare(found)
    if waiting:
        reason = waiting.get("reason", "")
        raise NoLog(f"container {where} is waiting to start: {_WAITS.get(reason, reason)}")
    if "terminated" in state:
        raise NoLog(f"container {where} is terminated")
    raise NoLog(f"container {where} is waiting to start - no logs yet")


def _statuses(pod: Obj) -> list[Obj]:
    status = pod.get("status") or {}
    keys = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
    return [entry for key in keys for entry in status.get(key) or ()]


def _bare(id: str) -> str:
    """``containerd://abc`` → ``abc``."""
    return id.rpartition("://")[2]
