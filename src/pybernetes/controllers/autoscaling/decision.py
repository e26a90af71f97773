"""What an autoscaler decides, and how its status says why (horizontal.go's reconcileAutoscaler). Pure.

Rule 1: a target that somebody scaled to zero is left alone. One out of bounds comes back without any metric.
Rule 2: of several metrics the one that asks for most counts. Where one cannot be had, the target may still grow by the
        others, but not shrink.
Neighbours: ``row.py`` asks and writes; ``metrics.py``, ``limits.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from pybernetes.control.actions import Event
from pybernetes.controllers.autoscaling import limits
from pybernetes.controllers.autoscaling.calculator import Tolerance
from pybernetes.controllers.autoscaling.limits import Bounds, Reason
from pybernetes.controllers.autoscaling.memory import Memory
from pybernetes.controllers.autoscaling.metrics import Failed, Result
from pybernetes.meta import objects, quantity, times
from pybernetes.meta.objects import Obj

Kind = Literal["AbleToScale", "ScalingActive", "ScalingLimited"]
_TOLERANCE: Final = 0.1


@dataclass(slots=True)
class Draft:
    """One look at an autoscaler; what it comes to is filled in."""

    hpa: Obj
    memory: Memory
    now: float
    current: int = 0
    desired: int = 0
    reason: str = ""
    """Why the target is rescaled."""
    failed: bool = False
    """Nothing can be decided."""
    is_known: bool = False
    """Is the target's scale?"""
    rescaled: bool = False
    shown: list[Obj] | None = None
    """The metrics' values; None: as they were."""
    events: list[Event] = field(default_factory=list)
    _conditions: list[Obj] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._conditions = list(objects.get(self.hpa, "status", "conditions", default=[]))

    @property
    def bounds(self) -> Bounds:
        least = self.hpa["spec"].get("minReplicas")
        return Bounds(1 if least is None else least, self.hpa["spec"]["maxReplicas"])

    def set(self, kind: Kind, told: Reason) -> None:
        """Set a condition."""
        status = "True" if told.holds else "False"
        place = next((n for n, c in enumerate(self._conditions) if c["type"] == kind), len(self._conditions))
        before = self._conditions[place] if place < len(self._conditions) else {}
        since = before.get("lastTransitionTime") if before.get("status") == status else times.render(self.now)
        made = {
            "type": kind, "status": status, "lastTransitionTime": since, "reason": told.reason, "message": told.message,
        }  # fmt: skip
        self._conditions[place : place + 1] = [made]

    def warn(self, reason: str, message: str) -> None:
        self.events.append(Event(self.hpa, "Warning", reason, message))

    def status(self) -> Obj:
        """The autoscaler's status as it is now."""
        before = self.hpa.get("status") or {}
        shown = before.get("currentMetrics") if self.shown is None else self.shown
        told = {
            "observedGeneration": objects.meta(self.hpa).get("generation"),
            "lastScaleTime": times.render(self.now) if self.rescaled else before.get("lastScaleTime"),
            "currentReplicas": self.current if self.is_known else before.get("currentReplicas"),
            "currentMetrics": shown,
            "conditions": self._conditions,
        }
        kept = {key: value for key, value in told.items() if value}
        return kept | {"desiredReplicas": self.desired if self.is_known else before.get("desiredReplicas", 0)}


def tolerance(hpa: Obj) -> Tolerance:
    """By how much metrics may be off their targets (KEP-4951)."""
    rules = hpa["spec"].get("behavior") or {}
    said = [objects.get(rules, direction, "tolerance") for direction in ("scaleUp", "scaleDown")]
    up, down = (_TOLERANCE if text is None else float(quantity.parse(text)) for text in said)
    return Tolerance(up, down)


# ── without a decision ───────────────────────────────────────────────────────────────────────────────────


def no_scale(draft: Draft, why: str) -> None:
    draft.failed = True
    draft.warn("FailedGetScale", why)
    text = f"the HPA controller was unable to get the target's current scale: {why}"
    draft.set("AbleToScale", Reason(False, "FailedGetScale", text))


def no_selector(draft: Draft) -> None:
    draft.failed = True
    draft.warn("SelectorRequired", "selector is required")
    draft.set("ScalingActive", Reason(False, "InvalidSelector", "the HPA target's scale is missing a selector"))
    draft.warn("FailedComputeMetricsReplicas", "selector is required")


# ── decisions ────────────────────────────────────────────────────────────────────────────────────────────


def begin(draft: Draft, current: int) -> None:
    """The target has ``current`` replicas."""
    draft.current = draft.desired = current
    draft.is_known = True
    draft.memory.begin(current, draft.now)
    text = "the HPA controller was able to get the target's current scale"
    draft.set("AbleToScale", Reason(True, "SucceededGetScale", text))


def by_bounds(draft: Draft) -> bool:
    """Is it decided without any metric?"""
    least, most = draft.bounds
    if draft.current == 0 and least != 0:
        text = "scaling is disabled since the replica count of the target is zero"
        draft.set("ScalingActive", Reason(False, "ScalingDisabled", text))
    elif draft.current > most:
        draft.desired, draft.reason = most, "Current number of replicas above Spec.MaxReplicas"
    elif draft.current < least:
        draft.desired, draft.reason = least, "Current number of replicas below Spec.MinReplicas"
    else:
        return False
    return True


def by_metrics(draft: Draft, results: Sequence[Result | Failed]) -> None:
    """Decide by what the metrics propose."""
    good = [each for each in results if isinstance(each, Result)]
    bad = [each for each in results if isinstance(each, Failed)]
    draft.shown = [each.status for each in good]
    for each in bad:
        draft.warn(each.reason, each.message)
    best = max(good, key=lambda each: each.replicas, default=None)
    summary = ""
    if bad:
        summary = f"invalid metrics ({len(bad)} invalid out of {len(results)}), first error is: {bad[0].summary}"
    if best is None or (bad and best.replicas < draft.current):
        draft.failed = True
        if bad:
            text = f"the HPA was unable to compute the replica count: {bad[0].message}"
            draft.set("ScalingActive", Reason(False, bad[0].reason, text))
        draft.warn("FailedComputeMetricsReplicas", summary)
        return
    text = f"the HPA was able to successfully calculate a replica count from {best.name}"
    draft.set("ScalingActive", Reason(True, "ValidMetricFound", text))
    draft.reason = f"{best.name} above target" if best.replicas > draft.current else "All metrics below target"
    _limit(draft, best.replicas)


def _limit(draft: Draft, wanted: int) -> None:
    behavior = draft.hpa["spec"].get("behavior")
    if behavior is None:
        found = limits.plain(draft.memory, draft.current, wanted, draft.bounds, draft.now)
    else:
        found = limits.by_behavior(draft.memory, draft.current, wanted, draft.bounds, behavior, draft.now)
    draft.set("AbleToScale", found.able)
    draft.set("ScalingLimited", found.limited)
    draft.desired = found.replicas


def rescaled(draft: Draft) -> None:
    """The target was told its new size."""
    draft.rescaled = True
    text = f"the HPA controller was able to update the target scale to {draft.desired}"
    draft.set("AbleToScale", Reason(True, "SucceededRescale", text))
