"""Every eligible node gets a pod, every other node loses its own; what has ended is replaced.

Rule: a pod that failed is replaced after 1 s, doubled with each that failed before it, up to 15 minutes. How many did
is handed on from each to its successor, which is why the two are deleted and made in one plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pybernetes.control.actions import Action, After, Event
from pybernetes.controllers import pods, podtemplate, replicas
from pybernetes.controllers.daemonset import daemonpod
from pybernetes.controllers.daemonset.view import View, living
from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj

BURST: Final = 250
"""Most pods that one plan makes or deletes."""
BACKOFF_SECONDS_MAX: Final = 900.0


def settle(view: View) -> Iterable[Action]:
    """What is missing and what is too much; nothing but waits when all is in its place."""
    told: list[Action] = []
    doomed: list[Obj] = []
    missing: list[tuple[str, int]] = []
    for node in sorted({*view.by_node, *view.eligible}):
        found = view.on(node)
        if node not in view.allowed:
            doomed += [pod for pod in living(found) if node in view.known or (node and not pods.node(pod))]
        elif found:
            _settle_node(view, node, told, doomed, missing)
        elif node in view.eligible:
            missing.append((node, 0))
    yield from told
    yield from (replicas.delete(view.owner, pod) for pod in doomed[:BURST])
    yield from create(view, missing)


def create(view: View, wanted: Sequence[tuple[str, int]]) -> Iterable[Action]:
    """Make the pods of nodes; with each the number of those that failed there before."""
    for node, failures in wanted[:BURST]:
        yield podtemplate.create(view.owner, daemonpod.made(view.owner, view.hash, node, failures))


def _settle_node(
    view: View, node: str, told: list[Action], doomed: list[Obj], missing: list[tuple[str, int]]
) -> None:  # fmt: skip
    running: list[Obj] = []
    for pod in living(view.on(node)):
        if pods.phase(pod) not in pods.FINISHED:
            running.append(pod)
            continue
        wait = backoff(pod, view.now) if pods.phase(pod) == "Failed" else 0.0
        if wait > 0:
            told.append(After(wait))
            continue
        told.append(_ended(view.owner, pod, node))
        doomed.append(pod)
        if node in view.eligible and len(view.on(node)) == 1:
            missing.append((node, _failures(pod) + 1 if pods.phase(pod) == "Failed" else 0))
    doomed += _doubled(view, running)


def _doubled(view: View, running: Sequence[Obj]) -> Sequence[Obj]:
    """Pods beyond one; a surge may have a new one beside the old one until it is available."""
    if not view.max_surge or not view.is_rolling:
        return running[1:]
    new = [pod for pod in running if view.is_new(pod)]
    old = [pod for pod in running if not view.is_new(pod)]
    doomed = [*new[1:], *old[1:]]
    if new and old and (not pods.is_ready(old[0]) or view.is_available(new[0])):
        doomed.append(old[0])
    return doomed


def _ended(owner: Obj, pod: Obj, node: str) -> Event:
    where = f"daemon pod {objects.namespace(pod)}/{objects.name(pod)} on node {node}"
    if pods.phase(pod) == "Failed":
        return Event(owner, "Warning", "FailedDaemonPod", f"Found failed {where}, will try to kill it")
    return Event(owner, "Normal", "SucceededDaemonPod", f"Found succeeded {where}, will try to delete it")


def backoff(pod: Obj, now: float) -> float:
    """Seconds until a failed pod may be replaced."""
    before = _failures(pod)
    if before == 0:
        return 0.0
    wait: float = min(2.0 ** min(before - 1, 20), BACKOFF_SECONDS_MAX)
    return max(0.0, pods.ended_at(pod) + wait - now)


def _failures(pod: Obj) -> int:
    """Failures in a row before this pod; one that ran for long enough begins anew."""
    created = objects.meta(pod).get("creationTimestamp")
    ran = pods.ended_at(pod) - times.parse(created) if created else 0.0
    return 0 if ran > 2 * BACKOFF_SECONDS_MAX else daemonpod.failures(pod)
