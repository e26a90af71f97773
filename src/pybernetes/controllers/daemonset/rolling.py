"""RollingUpdate: old pods are replaced, node by node.

Rule 1: with ``maxUnavailable`` an old pod is deleted while so few eligible nodes lack an available one; an old pod that
        is not available goes at once.
Rule 2: with ``maxSurge`` a new pod comes beside the old one on so many nodes, and the old one goes when the new one is
        available.
"""

from __future__ import annotations

from collections.abc import Iterable

from pybernetes.control.actions import Action
from pybernetes.controllers import replicas
from pybernetes.controllers.daemonset import placing
from pybernetes.controllers.daemonset.view import View, living
from pybernetes.meta.objects import Obj


def roll(view: View) -> Iterable[Action]:
    return _surge(view) if view.max_surge else _replace(view)


def _pair(view: View, node: str) -> tuple[Obj | None, Obj | None]:
    """The new and the old pod of a node."""
    found = living(view.on(node))
    new = next((pod for pod in found if view.is_new(pod)), None)
    return new, next((pod for pod in found if not view.is_new(pod)), None)


def _replace(view: View) -> Iterable[Action]:
    unavailable, broken, whole = 0, list[Obj](), list[Obj]()
    for node in sorted(view.eligible):
        new, old = _pair(view, node)
        if not any(view.is_available(pod) for pod in (new, old) if pod is not None):
            unavailable += 1
        if old is not None and new is None:
            (whole if view.is_available(old) else broken).append(old)
    spare = max(0, view.max_unavailable - unavailable)
    for pod in [*broken, *whole[:spare]][: placing.BURST]:
        yield replicas.delete(view.owner, pod)


def _surge(view: View) -> Iterable[Action]:
    surging, broken, whole = 0, list[str](), list[str]()
    for node in sorted(view.eligible):
        new, old = _pair(view, node)
        if old is None:
            continue
        if new is not None or len(view.on(node)) > 1:
            surging += 1
        elif view.is_available(old):
            whole.append(node)
        else:
            broken.append(node)
    spare = max(0, view.max_surge - surging)
    yield from placing.create(view, [(node, 0) for node in [*broken, *whole[:spare]]])
