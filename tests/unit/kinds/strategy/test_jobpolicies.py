from __future__ import annotations

from typing import Any

import pytest

from pybernetes.kinds.strategy import jobpolicies

POD = {"template": {"spec": {"containers": [{"name": "c"}]}}}
INDEXED = {"completionMode": "Indexed", "completions": 5}
CODES = {"operator": "In", "values": [1, 42]}


def complaints(**spec: Any) -> list[str]:
    return [str(error) for error in jobpolicies.judge({**POD, **spec}, "spec")]


def failure(**rule: Any) -> Any:
    return {"podFailurePolicy": {"rules": [{"action": "FailJob", **rule}]}, "podReplacementPolicy": "Failed"}


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {**INDEXED, "backoffLimitPerIndex": 1, "maxFailedIndexes": 5},
        failure(onExitCodes=CODES),
        failure(onExitCodes={**CODES, "containerName": "c"}),
        failure(onPodConditions=[{"type": "DisruptionTarget", "status": "True"}]),
        {**INDEXED, "successPolicy": {"rules": [{"succeededIndexes": "0,2-4", "succeededCount": 4}]}},
        {**INDEXED, "successPolicy": {"rules": [{"succeededCount": 5}]}},
    ],
)
def test_what_makes_sense_is_let_through(spec: Any) -> None:
    assert complaints(**spec) == []


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"backoffLimitPerIndex": 1}, "spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"),
        (
            {**INDEXED, "maxFailedIndexes": 1},
            "spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified",
        ),
        (
            {**failure(onExitCodes=CODES), "podReplacementPolicy": "TerminatingOrFailed"},
            'spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"',
        ),
        (
            failure(action="FailIndex", onExitCodes=CODES),
            'spec.podFailurePolicy.rules[0].action: Invalid value: "FailIndex": '
            "requires the backoffLimitPerIndex to be set",
        ),
        (
            failure(onExitCodes={"operator": "In", "values": [0]}),
            "spec.podFailurePolicy.rules[0].onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator",
        ),
        (
            failure(onExitCodes={**CODES, "containerName": "x"}),
            'spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: "x": '
            "must be one of the container or initContainer names in the pod template",
        ),
        (
            {"successPolicy": {"rules": []}, **INDEXED},
            "spec.successPolicy.rules: Required value: at least one rules must be specified when the successPolicy is "
            "specified",
        ),
        (
            {"successPolicy": {"rules": [{"succeededIndexes": "0-9"}]}, **INDEXED},
            'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "0-9": '
            'error parsing succeededIndexes: too large index: "0-9"',
        ),
        (
            {"successPolicy": {"rules": [{}]}, **INDEXED},
            "spec.successPolicy.rules[0]: Required value: at least one of succeededCount or succeededIndexes must be "
            "specified",
        ),
    ],
)
def test_what_does_not_is_refused_in_words(spec: Any, words: str) -> None:
    assert complaints(**spec) == [words]


def test_a_rule_has_one_occasion() -> None:
    assert "specifying one of OnExitCodes and OnPodConditions is required" in complaints(**failure())[0]
    both = failure(onExitCodes=CODES, onPodConditions=[{"type": "Ready", "status": "True"}])
    assert "specifying both OnExitCodes and OnPodConditions is not supported" in complaints(**both)[0]
