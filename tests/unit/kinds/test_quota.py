"""What objects count for against quotas."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.kinds.quota import amounts, evaluator, pods, table
from pybernetes.meta import times
from pybernetes.meta.objects import Obj

NOW = 1_700_000_000.0


def pod(requests: Obj | None = None, limits: Obj | None = None, **more: Any) -> Obj:
    container = {"name": "c", "resources": {"requests": requests or {}, "limits": limits or {}}}
    spec = {"containers": [container], **more.pop("spec", {})}
    return {"metadata": {"name": "p", "namespace": "ns", **more.pop("metadata", {})}, "spec": spec, **more}


def quota(*scopes: str, terms: list[Obj] | None = None, **hard: str) -> Obj:
    spec: Obj = {"hard": {name.replace("__", "/").replace("_", "."): value for name, value in hard.items()}}
    if scopes:
        spec["scopes"] = list(scopes)
    if terms:
        spec["scopeSelector"] = {"matchExpressions": terms}
    return {"metadata": {"name": "q", "namespace": "ns"}, "spec": spec}


def told(plural: str, obj: Obj, group: str = "") -> dict[str, str]:
    row = table.evaluator(group, plural)
    assert row is not None
    return amounts.rendered(row.usage(obj, NOW))


# ── sums ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_sum_is_told_in_the_format_it_began_with() -> None:
    half, zero = amounts.parse({"memory": "0.5Gi"}), {"memory": amounts.ZERO}
    assert amounts.told(amounts.add(zero, half)) == "memory=512Mi"
    assert amounts.told(amounts.add(half, amounts.parse({"memory": "0.8Gi", "cpu": "100m"}))) == (
        "cpu=100m,memory=1395864371200m"
    )
    assert amounts.growth(half, half) == {}


# ── pods ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_pod_counts_for_what_it_asks_and_may_use() -> None:
    found = told("pods", pod({"cpu": "100m", "memory": "1Mi", "example.com/gpu": "2"}, {"cpu": "1"}))
    assert found == {
        "count/pods": "1", "pods": "1", "cpu": "100m", "requests.cpu": "100m", "memory": "1Mi",
        "requests.memory": "1Mi", "requests.example.com/gpu": "2", "limits.cpu": "1",
    }  # fmt: skip


def test_init_containers_count_where_they_need_more_and_sidecars_beside_the_others() -> None:
    init = [
        {"name": "s", "restartPolicy": "Always", "resources": {"requests": {"cpu": "1", "memory": "1Mi"}}},
        {"name": "i", "resources": {"requests": {"cpu": "1", "memory": "9Mi"}}},
    ]
    found = told("pods", pod({"cpu": "2", "memory": "2Mi"}, spec={"initContainers": init, "overhead": {"cpu": "1m"}}))
    assert (found["requests.cpu"], found["requests.memory"]) == ("3001m", "10Mi")


@pytest.mark.parametrize(
    "more",
    [
        {"status": {"phase": "Succeeded"}},
        {"metadata": {"deletionTimestamp": times.render(NOW - 31), "deletionGracePeriodSeconds": 30}},
    ],
)
def test_a_pod_that_has_ended_or_is_overdue_counts_as_stored_only(more: Obj) -> None:
    assert told("pods", pod({"cpu": "1"}, **more)) == {"count/pods": "1"}


def test_a_pod_that_is_being_deleted_counts_until_its_grace_is_over() -> None:
    overdue = pod({"cpu": "1"}, metadata={"deletionTimestamp": times.render(NOW), "deletionGracePeriodSeconds": 30})
    assert told("pods", overdue)["pods"] == "1"


def test_every_container_must_say_what_a_quota_counts() -> None:
    two = pod({"cpu": "1"})
    two["spec"]["containers"].append({"name": "b", "resources": {"limits": {"memory": "1Mi"}}})
    assert pods.lacking(["requests.cpu", "limits.memory", "pods"], two) == (
        "must specify limits.memory for: c; requests.cpu for: b"
    )
    two["spec"]["resources"] = {"requests": {"cpu": "1"}, "limits": {"memory": "1Mi"}}
    assert pods.lacking(["requests.cpu", "limits.memory"], two) == ""
    assert pods.lacking(["pods"], pod()) == ""


OTHERS = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"namespaces": ["other"]}]}}


@pytest.mark.parametrize(
    ("scope", "inside", "outside"),
    [
        ("Terminating", pod(spec={"activeDeadlineSeconds": 5}), pod()),
        ("NotTerminating", pod(), pod(spec={"activeDeadlineSeconds": 5})),
        ("BestEffort", pod(), pod({"cpu": "1"})),
        ("NotBestEffort", pod({"cpu": "1"}), pod()),
        ("PriorityClass", pod(spec={"priorityClassName": "high"}), pod()),
        ("CrossNamespacePodAffinity", pod(spec={"affinity": OTHERS}), pod(spec={"affinity": {"podAffinity": {}}})),
    ],
)
def test_a_scope_narrows_what_a_quota_counts(scope: str, inside: Obj, outside: Obj) -> None:
    row = pods.EVALUATOR
    assert row.matches(quota(scope, pods="1"), inside)
    assert not row.matches(quota(scope, pods="1"), outside)


@pytest.mark.parametrize(
    ("term", "counted"),
    [
        ({"operator": "In", "values": ["high", "low"]}, ["high"]),
        ({"operator": "NotIn", "values": ["high"]}, ["", "mid"]),
        ({"operator": "Exists"}, ["high", "mid"]),
        ({"operator": "DoesNotExist"}, [""]),
    ],
)
def test_a_scope_selector_chooses_priority_classes(term: Obj, counted: list[str]) -> None:
    made = quota(terms=[{"scopeName": "PriorityClass", **term}], pods="1")
    found = [n for n in ("", "high", "mid") if pods.EVALUATOR.matches(made, pod(spec={"priorityClassName": n}))]
    assert found == counted


# ── other resources ──────────────────────────────────────────────────────────────────────────────────────


def test_a_claim_counts_in_all_and_for_its_class() -> None:
    claim = {"metadata": {}, "spec": {"storageClassName": "gold", "resources": {"requests": {"storage": "1Gi"}}}}
    assert told("persistentvolumeclaims", claim) == {
        "count/persistentvolumeclaims": "1", "persistentvolumeclaims": "1", "requests.storage": "1Gi",
        "gold.storageclass.storage.k8s.io/persistentvolumeclaims": "1",
        "gold.storageclass.storage.k8s.io/requests.storage": "1Gi",
    }  # fmt: skip
    row = table.evaluator("", "persistentvolumeclaims")
    assert row is not None
    assert not row.matches(quota("VolumeAttributesClass", persistentvolumeclaims="1"), claim)
    claim["spec"]["volumeAttributesClassName"] = "fast"
    assert row.matches(quota("VolumeAttributesClass", persistentvolumeclaims="1"), claim)


@pytest.mark.parametrize(
    ("spec", "node_ports", "balancers"),
    [
        ({"type": "ClusterIP", "ports": [{}]}, "0", "0"),
        ({"type": "NodePort", "ports": [{}, {}]}, "2", "0"),
        ({"type": "LoadBalancer", "ports": [{}]}, "1", "1"),
        (
            {"type": "LoadBalancer", "ports": [{}, {"nodePort": 30000}], "allocateLoadBalancerNodePorts": False},
            "1",
            "1",
        ),
    ],
)
def test_a_service_counts_for_the_ports_and_balancers_it_takes(spec: Obj, node_ports: str, balancers: str) -> None:
    found = told("services", {"metadata": {}, "spec": spec})
    assert (found["services.nodeports"], found["services.loadbalancers"], found["services"]) == (
        node_ports, balancers, "1",
    )  # fmt: skip


def test_whatever_is_stored_can_be_counted_by_number() -> None:
    assert told("deployments", {}, "apps") == {"count/deployments.apps": "1"}
    assert told("configmaps", {}) == {"count/configmaps": "1", "configmaps": "1"}
    assert told("widgets", {}, "example.com") == {"count/widgets.example.com": "1"}
    assert table.evaluator("", "events") is None


def test_devices_count_by_their_class_and_alternatives_by_the_greatest() -> None:
    requests = [
        {"name": "a", "exactly": {"deviceClassName": "gpu", "allocationMode": "ExactCount", "count": 2}},
        {"name": "b", "firstAvailable": [{"deviceClassName": "gpu", "count": 4}, {"deviceClassName": "tpu"}]},
    ]
    found = told("resourceclaims", {"spec": {"devices": {"requests": requests}}}, "resource.k8s.io")
    assert found == {
        "count/resourceclaims.resource.k8s.io": "1", "gpu.deviceclass.resource.k8s.io/devices": "6",
        "tpu.deviceclass.resource.k8s.io/devices": "1",
    }  # fmt: skip


def test_the_use_of_a_quota_tells_zero_of_what_nobody_uses() -> None:
    made = quota("BestEffort", pods="5", services="1")
    found = evaluator.used(made, pods.EVALUATOR, [pod(), pod({"cpu": "1"})], NOW)
    assert amounts.rendered(found) == {"pods": "1"}
    row = table.evaluator("", "services")
    assert row is not None
    assert amounts.rendered(evaluator.used(made, row, [{"spec": {}}], NOW)) == {"services": "0"}
