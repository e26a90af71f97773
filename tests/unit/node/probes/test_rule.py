from __future__ import annotations

from typing import Any

import pytest

from pybernetes.node.podnotes import Health
from pybernetes.node.probes import rule
from pybernetes.node.probes.rule import LIVENESS, READINESS, STARTUP, Streak

PROBE = {"failureThreshold": 3, "successThreshold": 2}


@pytest.mark.parametrize(
    ("outcomes", "proven"),
    [
        ("f", None), ("ff", None), ("fff", False), ("ffs", None), ("ffsf", None), ("ffsfff", False),
        ("s", None), ("ss", True), ("sfs", None), ("sss", True),
    ],
)  # fmt: skip
def test_only_a_row_of_equal_outcomes_proves_something(outcomes: str, proven: bool | None) -> None:
    streak = Streak()
    for outcome in outcomes:
        streak = streak.after(outcome == "s")
    assert streak.proves(PROBE) is proven


def test_the_defaults_are_three_failures_or_one_success() -> None:
    assert Streak(False, 2).proves({}) is None
    assert Streak(False, 3).proves({}) is False
    assert Streak(True, 1).proves({}) is True


def test_the_other_probes_wait_for_the_startup_probe() -> None:
    spec: dict[str, Any] = {STARTUP: {}, LIVENESS: {}, READINESS: {}}
    before = rule.first_health(spec, "containerd://1", {})
    assert before == Health(started=False, ready=False)
    assert rule.wanted(spec, before, ending=False) == [STARTUP]
    after = rule.proven(before, STARTUP, True)
    assert rule.wanted(spec, after, ending=False) == [LIVENESS, READINESS]


def test_a_failed_startup_or_liveness_probe_ends_all_probing_of_the_container() -> None:
    spec: dict[str, Any] = {STARTUP: {}, LIVENESS: {}}
    for kind, name in ((STARTUP, "startup"), (LIVENESS, "liveness")):
        health = rule.proven(Health(started=kind != STARTUP), kind, False)
        assert health.failed == name
        assert rule.wanted(spec, health, ending=False) == []


def test_readiness_comes_and_goes() -> None:
    health = rule.proven(Health(ready=False), READINESS, True)
    assert health.ready
    assert not rule.proven(health, READINESS, False).ready


def test_an_ending_pod_is_only_asked_whether_it_is_ready() -> None:
    spec: dict[str, Any] = {STARTUP: {}, LIVENESS: {}, READINESS: {}}
    assert rule.wanted(spec, Health(), ending=True) == [READINESS]
    assert rule.wanted(spec, Health(started=False), ending=True) == []


def test_a_container_that_was_ready_stays_so_when_the_agent_comes_back() -> None:
    spec: dict[str, Any] = {STARTUP: {}, READINESS: {}}
    told = {"containerID": "containerd://1", "started": True, "ready": True}
    assert rule.first_health(spec, "containerd://1", told) == Health()
    assert rule.first_health(spec, "containerd://2", told) == Health(started=False, ready=False)
