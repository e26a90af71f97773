"""The disruption controller's row: a budget's status, kept true as its pods come, go and become ready.

Rule: where it is not known how many pods there should be, none may go (``SyncFailed``).
Neighbours: ``counts.py`` and ``owners.py``; ``server/registry/eviction.py`` takes from ``disruptionsAllowed``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from pybernetes.control.actions import Action, After, Answer, Ask, Event, Look, Plan, Update
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot, own_key
from pybernetes.controllers import keys, scales, statuses
from pybernetes.controllers.disruption import counts, owners
from pybernetes.controllers.scales import NoScale
from pybernetes.kinds.table import KindTable
from pybernetes.meta import objects, selectors, times
from pybernetes.meta.errors import ApiError
from pybernetes.meta.objects import Obj

BUDGETS: Final = "poddisruptionbudgets.policy"
_ALWAYS: Final = ("currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods")


class _Case(NamedTuple):
    budget: Obj
    pods: Sequence[Obj]
    now: float


def controller(kinds: KindTable) -> Controller:
    """The row; ``kinds`` tells which owners have a scale."""

    def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
        budget = snapshot.get(BUDGETS, key.namespace, key.name)
        if budget is None or objects.is_deleting(budget):
            return ()
        case = _Case(budget, _pods(snapshot, budget), now)
        if not counts.needs_owners(budget):
            return list(_tell(case, 0))
        try:
            return _scaled(kinds, snapshot, case)
        except NoScale as error:
            return list(_fail(case, str(error)))

    return Controller(
        name="controllermanager",
        service_account="disruption-controller",
        inputs=(
            Input(BUDGETS, own_key),
            Input("pods", _of_pod),
            *(Input(resource, _of_owner) for resource in owners.CACHED.values()),
        ),
        outputs=(Output(f"{BUDGETS}/status", ("update",)), Output("*.*/scale", ("get",))),
        plan=plan,
        workers=2,
    )


def _scaled(kinds: KindTable, snapshot: Snapshot, case: _Case) -> Plan:
    """Tell the status by what the owners want, asking those that are not watched. Raises NoScale."""
    namespace = objects.namespace(case.budget)
    found = owners.references(snapshot, case.pods)
    known = {uid: owners.cached(snapshot, namespace, uid, reference) for uid, reference in found.items()}
    total = sum(scale for scale in known.values() if scale is not None)
    asked = [scales.path(kinds, namespace, found[uid]) for uid, scale in known.items() if scale is None]
    if not asked:
        return list(_tell(case, total))

    def then(answers: Sequence[Answer]) -> Plan:
        error = next((answer for answer in answers if isinstance(answer, ApiError)), None)
        if error is not None:
            return list(_fail(case, error.message))
        told = sum(objects.get(answer, "spec", "replicas", default=0) for answer in answers)
        return list(_tell(case, total + told))

    return [Ask([Look(path) for path in asked], then)]


def _tell(case: _Case, scale: int) -> Iterable[Action]:
    gone, overdue, wait = counts.disrupted(case.budget, case.pods, case.now)
    wanted = counts.wanted(case.budget, case.pods, scale)
    healthy = counts.healthy(case.pods, gone)
    allowed = max(0, healthy - wanted.healthy) if wanted.expected > 0 else 0
    status = {
        "currentHealthy": healthy, "desiredHealthy": wanted.healthy, "expectedPods": wanted.expected,
        "disruptionsAllowed": allowed, "disruptedPods": dict(gone),
        "observedGeneration": objects.meta(case.budget).get("generation", 0),
    }  # fmt: skip
    yield from _write(case, status, "SufficientPods" if allowed else "InsufficientPods", "", _complaints(case))
    for pod in overdue:
        namespace, name = objects.namespace(case.budget), objects.name(case.budget)
        text = f"Pod was expected by PDB {namespace}/{name} to be deleted but it wasn't"
        yield Event(pod, "Warning", "NotDeleted", text)
    if wait is not None:
        yield After(wait)


def _complaints(case: _Case) -> Iterable[Event]:
    """What is odd about the budget's pods."""
    if not case.pods:
        yield Event(case.budget, "Normal", "NoPods", "No matching pods found")
    if counts.needs_owners(case.budget) and owners.unmanaged(case.pods):
        selector = selectors.from_label_selector(objects.get(case.budget, "spec", "selector"))
        text = (
            f"Pods selected by this PodDisruptionBudget (selector: {selector}) were found to be unmanaged. As a "
            "result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. "
            'To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.'
        )
        yield Event(case.budget, "Warning", "UnmanagedPods", text)


def _fail(case: _Case, why: str) -> Iterable[Action]:
    status = {**(case.budget.get("status") or {}), "disruptionsAllowed": 0}
    text = f"Failed to calculate the number of expected pods: {why}"
    event = Event(case.budget, "Warning", "CalculateExpectedPodCountFailed", text)
    yield from _write(case, status, "SyncFailed", why, [event])


def _write(case: _Case, status: Obj, reason: str, message: str, events: Iterable[Event]) -> Iterable[Action]:
    """Write the status, and tell the events beside it, if it says anything new."""
    before = case.budget.get("status") or {}
    condition = _condition(case, reason, message)
    others = [c for c in before.get("conditions") or () if c.get("type") != condition["type"]]
    after = statuses.compact({**status, "conditions": [*others, condition]}, _ALWAYS)
    if before.get("conditions") and not statuses.differs(before, after):
        return
    yield from events
    yield Update(BUDGETS, {**case.budget, "status": after}, subresource="status")


def _condition(case: _Case, reason: str, message: str) -> Obj:
    status = "True" if reason == "SufficientPods" else "False"
    before = objects.condition(case.budget, "DisruptionAllowed") or {}
    since = before.get("lastTransitionTime") if before.get("status") == status else None
    return {
        "type": "DisruptionAllowed", "status": status, "reason": reason, "message": message,
        "observedGeneration": objects.meta(case.budget).get("generation", 0),
        "lastTransitionTime": since or times.render(case.now),
    }  # fmt: skip


# ── who wakes it ─────────────────────────────────────────────────────────────────────────────────────────


def _pods(snapshot: Snapshot, budget: Obj) -> Sequence[Obj]:
    return snapshot.select("pods", objects.namespace(budget), objects.get(budget, "spec", "selector"))


def _of_pod(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    """A pod wakes the budgets that select it, or did."""
    pod = new or old or {}
    budgets = snapshot.list(BUDGETS, objects.namespace(pod))
    return [keys.of(budget) for budget in budgets if _selects(budget, old) or _selects(budget, new)]


def _selects(budget: Obj, pod: Obj | None) -> bool:
    selector = selectors.from_label_selector(objects.get(budget, "spec", "selector"))
    return pod is not None and selector.matches(objects.labels(pod))


def _of_owner(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    """An owner of another size wakes the budgets around it."""
    sizes = [objects.get(owner, "spec", "replicas") for owner in (old, new)]
    if sizes[0] == sizes[1]:
        return ()
    return [keys.of(budget) for budget in snapshot.list(BUDGETS, objects.namespace(new or old or {}))]
