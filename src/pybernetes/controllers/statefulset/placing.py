"""The row is filled from its beginning, and what is beyond it goes from the end.

Rule 1: in an ordered set a pod is made when all before it are available, and one goes when all pods that stay are; only
        the first that is not healthy may go before it becomes so.
Rule 2: a pod that has ended is deleted, and made again under its name when it is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pybernetes.control.actions import Action, Create, Delete, Event, Patch
from pybernetes.controllers import history, pods
from pybernetes.controllers.statefulset import claims, identity
from pybernetes.controllers.statefulset.view import View
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj


@dataclass(slots=True)
class Placing:
    """What is to be done; ``is_settled`` tells that nobody has to be waited for."""

    first: list[Action] = field(default_factory=list)
    """Claims, and what is told or mended."""
    pods: list[Action] = field(default_factory=list)
    is_settled: bool = True

    @property
    def actions(self) -> Sequence[Action]:
        return [*self.first, *self.pods]


def settle(view: View) -> Placing:
    out = Placing()
    for ordinal in view.ordinals:
        if not _place(view, ordinal, out) and view.is_ordered:
            out.is_settled = False
            return out
    for pod in view.condemned:
        out.first += claims.retained(view, pod, condemned=True)
    for pod in view.condemned:
        _dismiss(view, pod, out)
        if view.is_ordered:
            out.is_settled = False
            return out
    return out


def _place(view: View, ordinal: int, out: Placing) -> bool:
    """Settle one place of the row; False when those behind it have to wait."""
    pod = view.by_ordinal.get(ordinal)
    if pod is None:
        if not claims.are_going(view, ordinal):
            out.first += claims.missing(view, ordinal)
            out.pods.append(_create(view, ordinal))
        return False
    if pods.phase(pod) in pods.FINISHED:
        if not objects.is_deleting(pod):
            out.first.append(_ended(view.owner, pod))
            out.pods.append(delete(view.owner, pod))
        return False
    if pods.phase(pod) == "Pending":
        out.first += claims.missing(view, ordinal)
    if objects.is_deleting(pod) or (view.is_ordered and not view.is_available(pod)):
        return False
    out.first += _identified(view, pod, ordinal)
    out.first += claims.retained(view, pod, condemned=False)
    return True


def _dismiss(view: View, pod: Obj, out: Placing) -> None:
    """Let a pod beyond the row go."""
    if objects.is_deleting(pod):
        return
    if view.is_ordered and not view.is_available(pod) and objects.name(pod) != view.first_unhealthy:
        return
    out.pods.append(delete(view.owner, pod))


def _identified(view: View, pod: Obj, ordinal: int) -> list[Action]:
    """Give a pod that was taken in the labels that it lacks."""
    wanted = {identity.POD_NAME: identity.name(view.owner, ordinal)}
    if wanted.items() <= objects.labels(pod).items():
        return []
    patch = {"metadata": {"uid": objects.uid(pod), "labels": identity.labels(view.owner, ordinal)}}
    told = _told(view.owner, objects.name(pod), "update", "SuccessfulUpdate")
    return [Patch("pods", objects.namespace(pod), objects.name(pod), patch, ok_if_missing=True, event=told)]


def _create(view: View, ordinal: int) -> Create:
    owner, revision = view.owner, view.revision_of(ordinal)
    name = identity.name(owner, ordinal)
    failed = f"create Pod {name} in StatefulSet {objects.name(owner)} failed error: {{error}}"
    return Create(
        "pods", identity.pod(owner, history.template(revision), objects.name(revision), ordinal),
        event=_told(owner, name, "create", "SuccessfulCreate"),
        failure_event=Event(owner, "Warning", "FailedCreate", failed),
    )  # fmt: skip


def delete(owner: Obj, pod: Obj) -> Delete:
    name = objects.name(pod)
    failed = f"delete Pod {name} in StatefulSet {objects.name(owner)} failed error: {{error}}"
    return Delete(
        "pods", objects.namespace(pod), name, uid=objects.uid(pod),
        event=_told(owner, name, "delete", "SuccessfulDelete"),
        failure_event=Event(owner, "Warning", "FailedDelete", failed),
    )  # fmt: skip


def _told(owner: Obj, pod: str, verb: str, reason: str) -> Event:
    return Event(owner, "Normal", reason, f"{verb} Pod {pod} in StatefulSet {objects.name(owner)} successful")


def _ended(owner: Obj, pod: Obj) -> Event:
    where, name = f"{objects.namespace(owner)}/{objects.name(owner)}", objects.name(pod)
    if pods.phase(pod) == "Failed":
        text = f"StatefulSet {where} is recreating failed Pod {name}"
        return Event(owner, "Warning", "RecreatingFailedPod", text)
    text = f"StatefulSet {where} is recreating terminated Pod {name}"
    return Event(owner, "Normal", "RecreatingTerminatedPod", text)
