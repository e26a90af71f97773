"""The autoscaler's row: every fifteen seconds its target's scale and its metrics are asked for, and the scale set.

Theory of operation. Nothing here is watched but autoscalers and pods: ask the scale; ask the metrics; decide; write the
scale, then the status. Without autoscalers nothing is asked. What a decision needs to know of earlier ones is in
``memory.py``, one memory for each autoscaler.
Source: pkg/controller/podautoscaler/horizontal.go. Neighbours: ``decision.py`` decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pybernetes.control.actions import Action, After, Answer, Ask, Event, Look, Plan, Update
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot
from pybernetes.controllers import keys, scales
from pybernetes.controllers.autoscaling import decision, metrics
from pybernetes.controllers.autoscaling.decision import Draft
from pybernetes.controllers.autoscaling.memory import Memory
from pybernetes.controllers.autoscaling.metrics import Case
from pybernetes.controllers.scales import NoScale, Reference
from pybernetes.kinds.table import KindTable
from pybernetes.meta import objects, selectors
from pybernetes.meta.errors import ApiError
from pybernetes.meta.objects import Obj

RESOURCE: Final = "horizontalpodautoscalers.autoscaling"
PERIOD_SECONDS: Final = 15.0


def controller(kinds: KindTable) -> Controller:
    """The row; ``kinds`` tells which targets have a scale."""
    memories: dict[str, Memory] = {}

    def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
        hpa = snapshot.get(RESOURCE, key.namespace, key.name)
        if hpa is None or objects.is_deleting(hpa):
            return ()
        draft = Draft(hpa, memories.setdefault(objects.uid(hpa), Memory()), now)
        try:
            path = scales.path(kinds, key.namespace, _target(hpa))
        except NoScale as error:
            decision.no_scale(draft, str(error))
            return list(_written(draft))
        return [Ask([Look(path)], lambda answers: _with_scale(kinds, snapshot, draft, answers[0]))]

    def keys_of(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
        """Its own status wakes no autoscaler."""
        if new is None:
            memories.pop(objects.uid(old or {}), None)
            return ()
        return (keys.of(new),) if old is None or old.get("spec") != new.get("spec") else ()

    return Controller(
        name="horizontal-pod-autoscaler",
        inputs=(Input(RESOURCE, keys_of), Input("pods", lambda snapshot, old, new: ())),
        outputs=(
            Output(f"{RESOURCE}/status", ("update",)),
            Output("*.*/scale", ("get", "update")),
            Output("pods.metrics.k8s.io", ("list",)),
            Output("*.custom.metrics.k8s.io", ("get", "list")),
            Output("*.external.metrics.k8s.io", ("get", "list")),
        ),
        plan=plan,
        workers=5,
    )


def _target(hpa: Obj) -> Reference:
    reference = hpa["spec"]["scaleTargetRef"]
    return reference.get("apiVersion", ""), reference["kind"], reference["name"]


def _with_scale(kinds: KindTable, snapshot: Snapshot, draft: Draft, scale: Answer) -> Plan:
    """Decide by bounds alone where they say enough, and go on to the metrics otherwise."""
    if isinstance(scale, ApiError) or scale is None:
        decision.no_scale(draft, scale.message if scale is not None else "")
        return list(_written(draft))
    decision.begin(draft, objects.get(scale, "spec", "replicas", default=0))
    if decision.by_bounds(draft):
        return list(_scaled(kinds, draft, scale))
    if not objects.get(scale, "status", "selector"):
        decision.no_selector(draft)
        return list(_written(draft))
    case = _case(kinds, snapshot, draft, scale)
    asked = draft.hpa["spec"].get("metrics") or []
    questions = [metrics.question(case, metric) for metric in asked]

    def then(answers: Sequence[Answer]) -> Plan:
        results = [metrics.result(case, *pair) for pair in zip(asked, answers, strict=True)]
        decision.by_metrics(draft, results)
        return list(_scaled(kinds, draft, scale))

    return [Ask(questions, then)]


def _case(kinds: KindTable, snapshot: Snapshot, draft: Draft, scale: Obj) -> Case:
    selector: str = scale["status"]["selector"]
    namespace, matcher = objects.namespace(draft.hpa), selectors.parse_labels(selector)
    found = [pod for pod in snapshot.list("pods", namespace) if matcher.matches(objects.labels(pod))]
    told = objects.get(scale, "status", "replicas", default=0)
    tolerance = decision.tolerance(draft.hpa)
    return Case(namespace, selector, found, draft.current, told, tolerance, draft.now, kinds)


def _scaled(kinds: KindTable, draft: Draft, scale: Obj) -> Iterable[Action]:
    if draft.desired != draft.current and not draft.failed:
        resource = scales.row_of(kinds, _target(draft.hpa)).resource
        text = f"New size: {draft.desired}; reason: {draft.reason}"
        draft.memory.order(draft.current, draft.desired, draft.now)
        yield Update(
            resource, objects.evolve(scale, ("spec", "replicas"), draft.desired), subresource="scale",
            event=Event(draft.hpa, "Normal", "SuccessfulRescale", text),
        )  # fmt: skip
        decision.rescaled(draft)
    yield from _written(draft)


def _written(draft: Draft) -> Iterable[Action]:
    yield from draft.events
    status = draft.status()
    if status != (draft.hpa.get("status") or {}):
        yield Update(RESOURCE, {**draft.hpa, "status": status}, subresource="status")
    yield After(PERIOD_SECONDS)
