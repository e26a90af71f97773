"""PodDisruptionBudgets, as preemption respects them: as far as it can. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pybernetes.meta import objects, selectors
from pybernetes.meta.objects import Obj
from pybernetes.scheduler.podinfo import PodInfo


def violations(pods: Iterable[PodInfo], budgets: Sequence[Obj]) -> frozenset[str]:
    """The uids of those that no budget has room for, when the pods are taken away one after the other. A pod whose
    disruption a budget knows of already costs it nothing (preemption.filterPodsWithPDBViolation)."""
    allowed = [objects.get(budget, "status", "disruptionsAllowed", default=0) for budget in budgets]
    found = set()
    for pod in pods:
        for index, budget in enumerate(budgets):
            if _covers(budget, pod) and pod.name not in objects.get(budget, "status", "disruptedPods", default={}):
                allowed[index] -= 1
                if allowed[index] < 0:
                    found.add(pod.uid)
    return frozenset(found)


def _covers(budget: Obj, pod: PodInfo) -> bool:
    if objects.namespace(budget) != pod.namespace or not pod.labels:
        return False
    selector = selectors.from_label_selector(objects.get(budget, "spec", "selector"))
    return bool(selector) and selector.matches(pod.labels)
