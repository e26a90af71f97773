from __future__ import annotations

from collections.abc import Callable

import pytest

from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj
from pybernetes.testing.cluster import Cluster

from . import workloads

BUDGETS = "poddisruptionbudgets.policy"


def budget(name: str, **spec: object) -> Obj:
    metadata = {"name": name, "namespace": "default"}
    selector = {"matchLabels": {"app": "web"}}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata,
            "spec": {"selector": selector, **spec}}  # fmt: skip


async def evict(cluster: Cluster, name: str) -> None:
    eviction = {
        "apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": "default"},
    }  # fmt: skip
    await cluster.client.create("pods", eviction, parent=name, subresource="eviction")


def allows(count: int) -> Callable[[Obj], bool]:
    def holds(obj: Obj) -> bool:
        return bool(objects.get(obj, "status", "disruptionsAllowed", default=0) == count)

    return holds


async def test_an_evicted_pod_says_why_it_goes_and_is_given_back_when_another_is_ready(cluster: Cluster) -> None:
    await cluster.create("deployments.apps", workloads.deployment(replicas=3))
    await cluster.until("deployments.apps", "web", workloads.is_ready(3))
    await cluster.create(BUDGETS, budget("web", maxUnavailable=1))
    await cluster.until(BUDGETS, "web", allows(1))
    victim = objects.name((await cluster.list("pods"))[0])
    await cluster.patch("pods", victim, {"metadata": {"finalizers": ["example.com/hold"]}})
    await evict(cluster, victim)
    gone = await cluster.until("pods", victim, objects.is_deleting)
    assert (objects.condition(gone, "DisruptionTarget") or {})["reason"] == "EvictionByEvictionAPI"
    await cluster.until_all("pods", lambda pods: sum(objects.condition_is(pod, "Ready") for pod in pods) == 3)
    await cluster.until(BUDGETS, "web", allows(1))


async def test_a_budget_that_allows_nothing_keeps_its_pods(cluster: Cluster) -> None:
    await cluster.create("deployments.apps", workloads.deployment(replicas=2))
    await cluster.until("deployments.apps", "web", workloads.is_ready(2))
    await cluster.create(BUDGETS, budget("web", minAvailable=2))
    await cluster.until(BUDGETS, "web", lambda obj: objects.condition(obj, "DisruptionAllowed"))
    with pytest.raises(errors.TooManyRequests, match="would violate the pod's disruption budget") as refused:
        await evict(cluster, objects.name((await cluster.list("pods"))[0]))
    assert refused.value.causes[0].message == "The disruption budget web needs 2 healthy pods and has 2 currently"
