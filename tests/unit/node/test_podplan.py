from __future__ import annotations

from typing import Any

import pytest

from pybernetes.node import podstatus
from pybernetes.node.podactions import (
    CreateSandbox,
    EnsureImage,
    Forget,
    Observed,
    Plan,
    Prepare,
    Release,
    Remove,
    RemoveSandbox,
    Report,
    Start,
    Stop,
    StopSandbox,
)
from pybernetes.node.podnotes import Failure, Notes, Pulling
from pybernetes.node.podplan import plan
from pybernetes.node.podspec import container_hash
from pybernetes.node.restart import Backoff
from pybernetes.node.runtime.port import CONTAINER_HASH, Container

from .build import NOW, deleted, exited, main, noted, pod, running, sandbox, seen


def actions(planned: Plan) -> list[object]:
    return list(planned.actions)


def restart_on(operator: str, *codes: int) -> dict[str, Any]:
    return {"action": "Restart", "exitCodes": {"operator": operator, "values": list(codes)}}


def test_a_new_pod_is_prepared_then_gets_a_sandbox_then_its_image_then_its_container() -> None:
    obj = pod()
    assert actions(plan(obj, Observed(), Notes(), NOW)) == [Prepare()]
    assert actions(plan(obj, Observed(), noted(), NOW)) == [CreateSandbox(0)]
    assert actions(plan(obj, seen(), noted(), NOW)) == [EnsureImage("c")]
    assert actions(plan(obj, seen(), noted("c"), NOW)) == [Start("c", 0, "s0", "sha256:1")]
    assert plan(obj, seen(running()), noted(), NOW) == Plan()


def test_the_images_of_all_containers_are_asked_for_together() -> None:
    obj = pod(main("a"), main("b"))
    assert actions(plan(obj, seen(), noted(), NOW)) == [EnsureImage("a"), EnsureImage("b")]
    waiting = noted("b", images={"a": Pulling()})
    assert actions(plan(obj, seen(), waiting, NOW)) == [Start("b", 0, "s0", "sha256:1")]


def test_an_agent_that_starts_among_running_containers_prepares_and_touches_nothing() -> None:
    obj = pod()
    assert actions(plan(obj, seen(running()), Notes(), NOW)) == [Prepare()]
    assert plan(obj, seen(running()), noted(), NOW) == Plan()


def test_a_failed_step_waits_for_its_time() -> None:
    failure = Failure("FailedMount", "no", NOW - 1, NOW + 4)
    assert plan(pod(), Observed(), noted(prepared=False, step=failure), NOW) == Plan(wake_at=NOW + 4)
    assert actions(plan(pod(), Observed(), noted(prepared=False, step=failure), NOW + 4)) == [Prepare()]


def test_a_failed_pull_waits_for_its_time() -> None:
    notes = noted(images={"c": Failure("ErrImagePull", "no", NOW - 5, NOW + 5)})
    assert plan(pod(), seen(), notes, NOW) == Plan(wake_at=NOW + 5)
    assert actions(plan(pod(), seen(), notes, NOW + 5)) == [EnsureImage("c")]


def test_the_first_restart_is_at_once_and_the_next_waits_ten_seconds() -> None:
    first = plan(pod(), seen(exited(code=1)), noted("c"), NOW)
    assert actions(first) == [Start("c", 1, "s0", "sha256:1", Backoff(10, NOW))]
    notes = noted("c", backoffs={"c": Backoff(10, NOW - 3)})
    assert plan(pod(), seen(exited(attempt=1, code=1, ago=2)), notes, NOW) == Plan(wake_at=NOW + 8)
    later = plan(pod(), seen(exited(attempt=1, code=1, ago=2)), notes, NOW + 8)
    assert actions(later) == [Start("c", 2, "s0", "sha256:1", Backoff(20, NOW + 8))]


@pytest.mark.parametrize(
    ("own", "code", "again"),
    [
        ({"restartPolicy": "Always"}, 0, True),
        ({"restartPolicy": "Never"}, 1, False),
        ({"restartPolicy": "Never", "restartPolicyRules": [restart_on("In", 42)]}, 42, True),
        ({"restartPolicy": "Never", "restartPolicyRules": [restart_on("In", 42)]}, 1, False),
        ({"restartPolicy": "Never", "restartPolicyRules": [restart_on("NotIn", 42)]}, 1, True),
    ],
)
def test_a_container_may_have_a_restart_policy_of_its_own(own: dict[str, Any], code: int, again: bool) -> None:
    obj = pod(main(**own), main("other"), policy="Never")
    planned = plan(obj, seen(exited(code=code), running("other")), noted("c"), NOW)
    assert bool(planned.actions) is again
    told = podstatus.status(obj, seen(exited(code=code), running("other")), noted("c"), NOW, ("192.0.2.1",))
    assert told["phase"] == "Running"


@pytest.mark.parametrize(
    ("policy", "code", "again"),
    [("Always", 0, True), ("Always", 1, True), ("OnFailure", 0, False), ("OnFailure", 1, True), ("Never", 1, False)],
)
def test_the_restart_policy_decides_whether_an_ended_container_runs_again(policy: str, code: int, again: bool) -> None:
    planned = plan(pod(policy=policy), seen(exited(code=code)), noted("c"), NOW)
    assert any(isinstance(a, Start) for a in planned.actions) is again


def test_a_pod_whose_containers_ended_for_good_gives_up_its_sandbox_and_volumes() -> None:
    obj = pod(policy="Never")
    assert actions(plan(obj, seen(exited()), noted(), NOW)) == [StopSandbox("s0")]
    down = (sandbox(ready=False),)
    assert actions(plan(obj, seen(exited(), sandboxes=down), noted(), NOW)) == [Release()]
    assert plan(obj, seen(exited(), sandboxes=down), noted(cleaned=True), NOW) == Plan()


def test_init_containers_run_one_by_one_before_the_main_ones() -> None:
    obj = pod(inits=(main("i1"), main("i2")))
    notes = noted("i1", "i2", "c")
    assert actions(plan(obj, seen(), notes, NOW)) == [Start("i1", 0, "s0", "sha256:1")]
    assert actions(plan(obj, seen(running("i1")), notes, NOW)) == []
    assert actions(plan(obj, seen(exited("i1")), notes, NOW)) == [Start("i2", 0, "s0", "sha256:1")]
    assert actions(plan(obj, seen(exited("i1"), exited("i2")), notes, NOW)) == [Start("c", 0, "s0", "sha256:1")]
    assert plan(obj, seen(exited("i1"), exited("i2"), running()), notes, NOW) == Plan()


def test_a_failed_init_container_is_retried_unless_the_pod_never_restarts() -> None:
    ended = seen(exited("i", code=1))
    assert actions(plan(pod(inits=(main("i"),)), ended, noted("i"), NOW)) == [
        Start("i", 1, "s0", "sha256:1", Backoff(10, NOW))
    ]
    assert actions(plan(pod(inits=(main("i"),), policy="Never"), ended, noted("i"), NOW)) == [StopSandbox("s0")]


def test_a_sidecar_starts_before_the_main_containers_and_keeps_running() -> None:
    obj = pod(inits=(main("side", restartPolicy="Always"),))
    notes = noted("side", "c")
    assert actions(plan(obj, seen(), notes, NOW)) == [Start("side", 0, "s0", "sha256:1")]
    assert actions(plan(obj, seen(running("side")), notes, NOW)) == [Start("c", 0, "s0", "sha256:1")]
    restarted = plan(obj, seen(running(), exited("side")), notes, NOW)
    assert actions(restarted) == [Start("side", 1, "s0", "sha256:1", Backoff(10, NOW))]


def test_a_dead_sandbox_is_replaced_and_init_containers_run_again_in_the_new_one() -> None:
    obj = pod(inits=(main("i"),))
    ended = (exited("i"), exited(code=137))
    assert actions(plan(obj, seen(*ended, sandboxes=(sandbox(ready=False),)), noted(), NOW)) == [CreateSandbox(1)]
    both = (sandbox("s1", attempt=1), sandbox(ready=False))
    assert actions(plan(obj, seen(*ended, sandboxes=both), noted("i"), NOW)) == [Start("i", 1, "s1", "sha256:1", None)]


def test_a_container_left_in_a_dead_sandbox_is_stopped_first() -> None:
    planned = plan(pod(), seen(running(), sandboxes=(sandbox(ready=False),)), noted(), NOW)
    assert actions(planned) == [Stop("c0", "c", 30, "Stopping container c")]


def test_a_changed_image_replaces_the_running_container_whatever_the_policy() -> None:
    old = {CONTAINER_HASH: container_hash(main(image="i:0"))}
    obj = pod(policy="Never")
    planned = plan(obj, seen(running(annotations=old)), noted(), NOW)
    assert actions(planned) == [Stop("c0", "c", 30, "Container c definition changed, will be restarted")]
    stopped = plan(obj, seen(exited(code=137, annotations=old)), noted("c"), NOW)
    assert actions(stopped) == [Start("c", 1, "s0", "sha256:1", Backoff(10, NOW))]


def test_a_container_that_was_created_but_never_started_is_removed() -> None:
    assert actions(plan(pod(), seen(running(state="created")), noted("c"), NOW)) == [Remove("c0", "c")]


def test_of_each_container_the_last_two_attempts_are_kept() -> None:
    history = (running(attempt=3), exited(attempt=2), exited(attempt=1), exited(attempt=0))
    assert actions(plan(pod(), seen(*history), noted(), NOW)) == [Remove("c1", "c"), Remove("c0", "c")]


def test_an_old_sandbox_goes_once_nothing_kept_is_in_it() -> None:
    boxes = (sandbox("s1", attempt=1), sandbox(ready=False))
    current = running(attempt=2, sandbox_id="s1")
    assert actions(plan(pod(), seen(current, exited(attempt=1), sandboxes=boxes), noted(), NOW)) == []
    both = seen(current, exited(attempt=1, sandbox_id="s1"), sandboxes=boxes)
    assert actions(plan(pod(), both, noted(), NOW)) == [RemoveSandbox("s0")]


def test_a_count_of_restarts_survives_a_runtime_that_lost_its_containers() -> None:
    told = {"containerStatuses": [{"name": "c", "restartCount": 4, "state": {"running": {"startedAt": "x"}}}]}
    assert actions(plan(pod(status=told), seen(), noted("c"), NOW)) == [Start("c", 5, "s0", "sha256:1")]


def test_a_deleted_pod_stops_its_containers_then_sandbox_then_volumes_then_reports() -> None:
    obj = deleted(pod(), grace=30)
    assert actions(plan(obj, seen(running()), noted(), NOW)) == [Stop("c0", "c", 30, "Stopping container c")]
    assert actions(plan(obj, seen(exited()), noted(), NOW)) == [StopSandbox("s0")]
    down = seen(exited(), sandboxes=(sandbox(ready=False),))
    assert actions(plan(obj, down, noted(), NOW)) == [Release()]
    assert actions(plan(obj, down, noted(cleaned=True), NOW)) == [Report()]
    assert plan(obj, down, noted(cleaned=True, reported=True), NOW) == Plan()
    gone = noted(cleaned=True, reported=True, gone=True)
    assert actions(plan(obj, down, gone, NOW)) == [RemoveSandbox("s0"), Forget()]


def test_a_deleted_pod_gets_what_is_left_of_its_grace() -> None:
    obj = deleted(pod(), grace=30)
    assert actions(plan(obj, seen(running()), noted(), NOW + 12.5)) == [Stop("c0", "c", 18, "Stopping container c")]
    assert actions(plan(obj, seen(running()), noted(), NOW + 99)) == [Stop("c0", "c", 1, "Stopping container c")]


def test_sidecars_of_a_deleted_pod_stop_after_the_main_containers_the_last_one_first() -> None:
    obj = deleted(pod(inits=(main("a", restartPolicy="Always"), main("b", restartPolicy="Always"))))

    def names(*live: Container) -> list[str]:
        return [a.container for a in plan(obj, seen(*live), noted(), NOW).actions if isinstance(a, Stop)]

    assert names(running("a"), running("b"), running()) == ["c"]
    assert names(running("a"), running("b")) == ["b"]
    assert names(running("a")) == ["a"]


def test_a_pod_past_its_deadline_is_stopped_and_before_that_the_plan_wakes_for_it() -> None:
    obj = pod(activeDeadlineSeconds=150)
    assert plan(obj, seen(running()), noted(), NOW) == Plan(wake_at=NOW + 50)
    assert actions(plan(obj, seen(running()), noted(), NOW + 50)) == [Stop("c0", "c", 30, "Stopping container c")]


def test_a_pod_that_the_api_lost_before_anything_ran_is_just_forgotten() -> None:
    assert actions(plan(pod(), Observed(), Notes(gone=True), NOW)) == [Release()]
    assert actions(plan(pod(), Observed(), Notes(gone=True, cleaned=True), NOW)) == [Forget()]
