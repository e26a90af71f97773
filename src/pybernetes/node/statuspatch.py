"""The smallest patch that makes the API's status of a pod what the node says it is. Pure.

Rule: it is a strategic merge patch, so conditions that others own stay; addresses are merged by ``ip``, so an old one
has to be taken away by name. The uid is in it: a new pod of the same name is never hit.
"""

from __future__ import annotations

from typing import Any, Final

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.node import resize

_PASSING: Final = (resize.PENDING, resize.IN_PROGRESS)
"""Conditions of the node's that come and go."""


def changes(pod: Obj, status: Obj) -> Obj | None:
    """The patch from what ``pod`` has to ``status``; None where nothing differs."""
    known = pod.get("status") or {}
    out: Obj = {key: None for key in ("reason", "message") if known.get(key) and not status.get(key)}
    for key, value in status.items():
        if key == "conditions":
            found = [p for c in value if (p := _condition(objects.condition(pod, c["type"]), c))]
            kept = {c["type"] for c in value}
            found += [{"$patch": "delete", "type": t} for t in _PASSING if t not in kept and objects.condition(pod, t)]
            if found:
                out[key] = found
        elif _plain(known.get(key)) != _plain(value):
            out[key] = _addresses(known.get(key) or [], value) if key in ("podIPs", "hostIPs") else value
    return {"metadata": {"uid": objects.uid(pod)}, "status": out} if out else None


def _condition(known: Obj | None, wanted: Obj) -> Obj | None:
    if known is not None and _plain(known) == _plain({**_others(known, wanted), **wanted}):
        return None
    return {**{key: None for key in ("reason", "message") if key in (known or {})}, **wanted}


def _others(known: Obj, wanted: Obj) -> Obj:
    """What is no business of the node's in a condition (``observedGeneration``)."""
    return {k: v for k, v in known.items() if k not in wanted and k not in ("reason", "message")}


def _addresses(known: list[Obj], wanted: list[Obj]) -> list[Obj]:
    kept = {entry["ip"] for entry in wanted}
    return [*wanted, *({"$patch": "delete", "ip": e["ip"]} for e in known if e["ip"] not in kept)]


def _plain(value: Any) -> Any:
    """Without what means nothing: nulls, and the empty things that an API may leave out."""
    if isinstance(value, dict):
        return {k: p for k, v in value.items() if (p := _plain(v)) not in (None, {}, "", [])}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value
