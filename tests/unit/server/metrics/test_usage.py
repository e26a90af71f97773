from __future__ import annotations

from typing import Any

import pytest

from pybernetes.meta import times
from pybernetes.meta.objects import Obj
from pybernetes.server.metrics import usage
from pybernetes.server.metrics.usage import Usage

START = 1_700_000_000.0
MI = 1 << 20


def summary(at: float, **cores: float) -> Obj:
    """What a node tells: pod → CPU seconds used so far, by its one container, which has 10 Mi."""
    told = times.render_micro(START + at)
    return {
        "pods": [
            {
                "podRef": {"uid": name},
                "containers": [
                    {
                        "name": "main",
                        "cpu": {"time": told, "usageCoreNanoSeconds": round(used * 1e9)},
                        "memory": {"workingSetBytes": 10 * MI},
                    }
                ],
            }
            for name, used in cores.items()
        ]
    }


def between(before: Obj, after: Obj) -> dict[str, dict[str, Usage]]:
    return usage.between(usage.look(before), usage.look(after))


def test_a_rate_is_what_was_used_between_two_looks() -> None:
    found = between(summary(0, a=5.0), summary(0.5, a=5.25))
    assert found["a"]["main"].cpu == pytest.approx(0.5)
    assert found["a"]["main"].memory == 10 * MI


def test_what_was_seen_once_or_was_started_anew_is_not_told() -> None:
    assert between(summary(0, a=5.0), summary(1, a=0.1, b=3.0)) == {}
    assert between(summary(0, a=5.0), summary(0, a=5.0)) == {}


def pod(annotations: Any = None, **requests: str) -> Obj:
    containers: list[Obj] = [{"name": "a", "resources": {"requests": requests}}, {"name": "b"}]
    return {"metadata": {"annotations": annotations or {}}, "spec": {"containers": containers}}


def test_a_simulated_pod_uses_what_it_says_and_else_what_it_requests() -> None:
    assert usage.simulated_pod(pod(cpu="200m", memory="1Mi")) == {"a": Usage(0.2, MI), "b": Usage(0, 0)}
    said = {usage.USAGE_CPU: "500m"}
    assert usage.simulated_pod(pod(said, memory="1Mi")) == {"a": Usage(0.25, MI), "b": Usage(0.25, 0)}
    assert usage.simulated_pod(pod({usage.USAGE_CPU: "much"})) == {"a": Usage(0, 0), "b": Usage(0, 0)}


def test_a_simulated_node_uses_what_it_says_and_else_what_its_pods_use() -> None:
    pods = [{"a": Usage(0.5, 10)}, {"a": Usage(0.25, 20), "b": Usage(0.25, 0)}]
    assert usage.simulated_node({"metadata": {}}, pods) == Usage(1.0, 30)
    assert usage.simulated_node({"metadata": {"annotations": {usage.USAGE_MEMORY: "1Gi"}}}, pods) == Usage(1.0, 1 << 30)


def test_amounts_are_told_in_nanocores_and_ki() -> None:
    assert usage.rendered(Usage(0.25, 3 * MI)) == {"cpu": "250000000n", "memory": "3072Ki"}
