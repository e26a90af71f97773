from __future__ import annotations

from typing import Any

import pytest

from pybernetes.control.actions import After, Ask, Create, Delete, Event, Patch, Update
from pybernetes.controllers.job import indexes, orphans, policies
from pybernetes.controllers.job.sync import CONTROLLER
from pybernetes.controllers.job.view import FINALIZER
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

from . import build
from .build import NOW, ago


def job(*, status: Obj | None = None, **spec: Any) -> Obj:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": build.metadata("web", generation=1),
        "spec": {
            "parallelism": 1,
            "completions": 1,
            "backoffLimit": 6,
            "completionMode": "NonIndexed",
            "selector": {"matchLabels": {"app": "web"}},
            "template": build.template(),
            **spec,
        },
        "status": status or {},
    }


def pod(name: str, owner: Obj, phase: str = "Running", *, index: int | None = None, **more: Any) -> Obj:
    made = build.pod(name, owner, phase=phase, metadata__finalizers=[FINALIZER], **more)
    if index is not None:
        made["metadata"].setdefault("annotations", {})[indexes.INDEX] = str(index)
    if phase == "Failed":
        state = {"terminated": {"exitCode": 42, "finishedAt": ago(1)}}
        made["status"]["containerStatuses"] = [{"name": "main", "state": state}]
    return made


def plan(owner: Obj, *pods: Obj, now: float = NOW) -> list[Any]:
    snapshot = build.Snapshot(pods=pods, **{"jobs.batch": [owner]})
    return list(CONTROLLER.plan(snapshot, build.key(), now))


def only(plan: list[Any], kind: Any) -> list[Any]:
    return [action for action in plan if isinstance(action, kind)]


def status_of(plan: list[Any]) -> Obj:
    (update,) = only(plan, Update)
    assert update.subresource == "status"
    found: Obj = update.obj["status"]
    return found


def condition(plan: list[Any], type_: str) -> tuple[str, str]:
    found = objects.condition({"status": status_of(plan)}, type_) or {}
    return found.get("reason", ""), found.get("message", "")


def started(**more: Any) -> Obj:
    return {"startTime": ago(60), "uncountedTerminatedPods": {}, "ready": 0, "terminating": 0, **more}


# ── pods ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_job_notes_its_start_and_makes_pods_that_bear_the_finalizer() -> None:
    actions = plan(job(parallelism=2, completions=5))
    assert status_of(actions) == started(startTime=ago(0))
    creates = only(actions, Create)
    assert len(creates) == 2
    assert creates[0].obj["metadata"]["finalizers"] == [FINALIZER]
    assert creates[0].obj["metadata"]["generateName"] == "web-"


def test_no_more_pods_are_made_than_are_still_needed() -> None:
    owner = job(parallelism=5, completions=6, status=started(succeeded=4))
    assert len(only(plan(owner), Create)) == 2


def test_without_a_number_the_first_success_stops_the_making() -> None:
    owner = job(parallelism=3, completions=None, status=started())
    done, running = pod("a", owner, "Succeeded"), pod("b", owner)
    actions = plan(owner, done, running)
    assert not only(actions, Create)
    assert not objects.condition({"status": status_of(actions)}, "SuccessCriteriaMet")


def test_an_indexed_pod_learns_its_index_in_four_ways() -> None:
    owner = job(parallelism=2, completions=3, completionMode="Indexed", status=started(completedIndexes="0"))
    first, second = (create.obj for create in only(plan(owner), Create))
    assert first["metadata"]["generateName"] == "web-1-"
    assert first["spec"]["hostname"] == "web-1"
    assert first["metadata"]["annotations"] == {indexes.INDEX: "1"}
    assert first["metadata"]["labels"] == {"app": "web", indexes.INDEX: "1"}
    env = first["spec"]["containers"][0]["env"][0]
    assert env["name"] == "JOB_COMPLETION_INDEX"
    assert env["valueFrom"]["fieldRef"]["fieldPath"] == f"metadata.labels['{indexes.INDEX}']"
    assert second["metadata"]["annotations"][indexes.INDEX] == "2"


def test_of_two_pods_of_one_index_one_is_removed_and_does_not_count() -> None:
    owner = job(parallelism=2, completions=2, completionMode="Indexed", status=started())
    actions = plan(owner, pod("a", owner, index=0), pod("b", owner, index=0))
    assert len(only(actions, Patch)) == len(only(actions, Delete)) == 1
    assert not only(actions, Create)


def test_a_failed_pod_is_replaced_after_a_back_off_that_doubles() -> None:
    owner = job(status=started())
    assert After(9) in plan(owner, pod("a", owner, "Failed"))
    assert After(19) in plan(owner, pod("a", owner, "Failed"), pod("b", owner, "Failed"))
    assert only(plan(owner, pod("a", owner, "Failed"), now=NOW + 9), Create)


def test_a_suspended_job_removes_its_pods_without_counting_them() -> None:
    owner = job(suspend=True, status=started(active=1))
    actions = plan(owner, pod("a", owner))
    assert condition(actions, "Suspended") == ("JobSuspended", "Job suspended")
    assert [e.message for e in only(actions, Event)] == ["Job suspended"]
    assert [type(action) for action in actions[-2:]] == [Patch, Delete]


def test_a_job_that_goes_on_starts_its_clock_anew() -> None:
    suspended = {"type": "Suspended", "status": "True", "reason": "JobSuspended"}
    owner = job(status=started(conditions=[suspended]), activeDeadlineSeconds=30)
    owner["status"].pop("startTime")
    actions = plan(owner)
    assert condition(actions, "Suspended") == ("JobResumed", "Job resumed")
    assert status_of(actions)["startTime"] == ago(0)
    assert only(actions, Create)


def test_where_only_the_failed_are_replaced_a_dying_pod_holds_its_place() -> None:
    owner = job(podReplacementPolicy="Failed", status=started())
    dying = pod("a", owner, metadata__deletionTimestamp=ago(1))
    assert not only(plan(owner, dying), Create | Patch)
    assert status_of(plan(owner, dying))["terminating"] == 1
    other = job(podReplacementPolicy="TerminatingOrFailed", status=started())
    assert only(plan(other, dying), Create)


@pytest.mark.parametrize("manager", ["example.com/other", "kubernetes.io/job-controller"])
def test_a_job_that_somebody_else_manages_is_left_alone(manager: str) -> None:
    assert bool(plan(job(managedBy=manager))) == (manager == "kubernetes.io/job-controller")


# ── counting ─────────────────────────────────────────────────────────────────────────────────────────────


def test_an_ended_pod_is_noted_before_its_finalizer_goes() -> None:
    owner = job(completions=2, status=started())
    actions = plan(owner, pod("a", owner, "Succeeded"))
    assert status_of(actions)["uncountedTerminatedPods"] == {"succeeded": ["uid-a"]}
    assert "succeeded" not in status_of(actions)
    assert isinstance(actions[0], Update)
    assert actions[1].patch["metadata"] == {"uid": "uid-a", "$deleteFromPrimitiveList/finalizers": [FINALIZER]}


@pytest.mark.parametrize("is_there", [True, False])
def test_a_noted_pod_counts_once_its_finalizer_is_gone(is_there: bool) -> None:
    owner = job(completions=2, status=started(uncountedTerminatedPods={"succeeded": ["uid-a"]}))
    counted = pod("a", owner, "Succeeded")
    counted["metadata"].pop("finalizers")
    actions = plan(owner, *([counted] if is_there else []))
    assert status_of(actions)["uncountedTerminatedPods"] == {}
    assert status_of(actions)["succeeded"] == 1


def test_a_pod_that_was_counted_is_not_counted_again() -> None:
    owner = job(completions=2, status=started(succeeded=1, active=1))
    counted = pod("a", owner, "Succeeded")
    counted["metadata"].pop("finalizers")
    assert plan(owner, counted, pod("b", owner)) == []


# ── the end ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_job_is_complete_when_all_is_counted() -> None:
    owner = job(status=started(uncountedTerminatedPods={"succeeded": ["uid-a"]}))
    actions = plan(owner)
    reached = ("CompletionsReached", "Reached expected number of succeeded pods")
    assert condition(actions, "SuccessCriteriaMet") == condition(actions, "Complete") == reached
    assert status_of(actions)["completionTime"] == ago(0)
    assert [(e.type, e.reason, e.message) for e in only(actions, Event)] == [("Normal", "Completed", "Job completed")]


def test_a_job_that_failed_stops_what_runs_and_is_failed_afterwards() -> None:
    owner = job(parallelism=2, completions=4, backoffLimit=0, status=started(active=2))
    actions = plan(owner, pod("a", owner, "Failed"), pod("b", owner))
    told = ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
    assert condition(actions, "FailureTarget") == told
    assert [action.name for action in only(actions, Delete)] == ["b"]
    assert not objects.condition({"status": status_of(actions)}, "Failed")
    target = [{"type": "FailureTarget", "status": "True", "reason": told[0], "message": told[1]}]
    ended = plan(job(status=started(failed=2, conditions=target)))
    assert condition(ended, "Failed") == told
    assert [(e.type, e.reason) for e in only(ended, Event)] == [("Warning", "BackoffLimitExceeded")]


def test_an_ended_job_asks_for_nothing() -> None:
    assert plan(job(status={"conditions": [{"type": "Complete", "status": "True"}]})) == []


def test_a_job_that_takes_too_long_fails() -> None:
    owner = job(activeDeadlineSeconds=60, status=started())
    told = ("DeadlineExceeded", "Job was active longer than specified deadline")
    assert condition(plan(owner, pod("a", owner)), "FailureTarget") == told
    assert After(30) in plan(job(activeDeadlineSeconds=90, status=started()), pod("a", owner))


def test_containers_that_start_again_and_again_reach_the_limit_too() -> None:
    owner = job(backoffLimit=2, status=started())
    owner["spec"]["template"]["spec"]["restartPolicy"] = "OnFailure"
    restarting = pod("a", owner)
    restarting["status"]["containerStatuses"] = [{"name": "main", "restartCount": 2}]
    assert condition(plan(owner, restarting), "FailureTarget")[0] == "BackoffLimitExceeded"


# ── policies ─────────────────────────────────────────────────────────────────────────────────────────────


def rule(action: str, *codes: int, operator: str = "In", **more: Any) -> Obj:
    return {"action": action, "onExitCodes": {"operator": operator, "values": [*codes], **more}}


def with_rules(*rules: Obj, **spec: Any) -> Obj:
    more = {"podFailurePolicy": {"rules": [*rules]}, "podReplacementPolicy": "Failed", **spec}
    return job(status=started(), **more)


def test_a_code_that_cannot_be_mended_ends_the_job() -> None:
    owner = with_rules(rule("Ignore", 1), rule("FailJob", 42))
    told = "Container main for pod default/a failed with exit code 42 matching FailJob rule at index 1"
    assert condition(plan(owner, pod("a", owner, "Failed")), "FailureTarget") == ("PodFailurePolicy", told)


def test_an_ignored_failure_is_let_go_uncounted() -> None:
    disrupted = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    owner = with_rules(disrupted)
    failed = pod("a", owner, "Failed")
    failed["status"]["conditions"] = [{"type": "DisruptionTarget", "status": "True"}]
    actions = plan(owner, failed)
    assert only(actions, Patch)
    assert not only(actions, Update)


@pytest.mark.parametrize(
    ("rules", "action"),
    [
        ([], "Count"),
        ([rule("FailJob", 1, 2, operator="NotIn")], "FailJob"),
        ([rule("FailJob", 42, operator="NotIn")], "Count"),
        ([rule("FailJob", 42, containerName="other"), rule("Ignore", 42, containerName="main")], "Ignore"),
        ([rule("Count", 42), rule("FailJob", 42)], "Count"),
    ],
)
def test_the_first_rule_that_matches_decides(rules: list[Obj], action: str) -> None:
    owner = with_rules(*rules)
    assert policies.judge(owner, pod("a", owner, "Failed")).action == action


@pytest.mark.parametrize(
    ("rules", "completed", "number"),
    [
        ([{"succeededIndexes": "0,2"}], {0, 2}, 0),
        ([{"succeededIndexes": "0-2"}], {0, 2}, None),
        ([{"succeededCount": 3}, {"succeededIndexes": "0-3", "succeededCount": 1}], {1}, 1),
        ([{"succeededCount": 2}], {3, 4}, 0),
    ],
)
def test_enough_successes_are_enough(rules: list[Obj], completed: set[int], number: int | None) -> None:
    owner = job(completions=5, completionMode="Indexed", successPolicy={"rules": rules})
    assert policies.enough(owner, completed) == number


def test_a_job_with_enough_successes_stops_the_rest() -> None:
    owner = job(
        completions=3, parallelism=3, completionMode="Indexed", status=started(),
        successPolicy={"rules": [{"succeededIndexes": "1"}]},
    )  # fmt: skip
    actions = plan(owner, pod("a", owner, index=0), pod("b", owner, "Succeeded", index=1))
    assert condition(actions, "SuccessCriteriaMet") == ("SuccessPolicy", "Matched rules at index 0")
    assert status_of(actions)["completedIndexes"] == "1"
    assert [action.name for action in only(actions, Delete)] == ["a"]


# ── indexes that fail for themselves ─────────────────────────────────────────────────────────────────────


def per_index(limit: int, **spec: Any) -> Obj:
    return job(
        completions=2, parallelism=2, completionMode="Indexed", backoffLimit=2**31 - 1, backoffLimitPerIndex=limit,
        status=started(), **spec,
    )  # fmt: skip


def test_a_failed_pod_keeps_its_finalizer_until_its_index_has_another() -> None:
    owner = per_index(1)
    failed, other = pod("a", owner, "Failed", index=0), pod("b", owner, index=1)
    actions = plan(owner, failed, other)
    assert not only(actions, Patch | Create)
    assert After(9) in actions
    (create,) = only(plan(owner, failed, other, now=NOW + 20), Create)
    assert create.obj["metadata"]["annotations"]["batch.kubernetes.io/job-index-failure-count"] == "1"
    again = pod("c", owner, index=0)
    again["metadata"]["annotations"]["batch.kubernetes.io/job-index-failure-count"] = "1"
    assert only(plan(owner, failed, other, again), Patch)


def test_an_index_beyond_its_limit_is_given_up_and_the_others_go_on() -> None:
    owner = per_index(0)
    failed, other = pod("a", owner, "Failed", index=0), pod("b", owner, index=1)
    actions = plan(owner, failed, other)
    assert status_of(actions)["failedIndexes"] == "0"
    assert not objects.condition({"status": status_of(actions)}, "FailureTarget")
    ended = plan(owner, failed, pod("b", owner, "Succeeded", index=1))
    assert condition(ended, "FailureTarget") == ("FailedIndexes", "Job has failed indexes")


def test_too_many_failed_indexes_end_the_job() -> None:
    owner = per_index(0, maxFailedIndexes=0)
    actions = plan(owner, pod("a", owner, "Failed", index=0), pod("b", owner, index=1))
    assert condition(actions, "FailureTarget")[0] == "MaxFailedIndexesExceeded"


def test_a_rule_gives_an_index_up_at_once() -> None:
    owner = per_index(5, podFailurePolicy={"rules": [rule("FailIndex", 42)]})
    assert status_of(plan(owner, pod("a", owner, "Failed", index=1)))["failedIndexes"] == "1"


@pytest.mark.parametrize("text", ["", "0", "0,1", "1,3-5,8,9", "0-2"])
def test_indexes_as_text_are_read_and_told_alike(text: str) -> None:
    assert indexes.render(indexes.parse(text, 100)) == text


# ── pods without a Job ───────────────────────────────────────────────────────────────────────────────────


def test_the_pod_of_a_job_that_is_gone_is_let_go_when_the_api_says_so_too() -> None:
    owner = job()
    left = pod("a", owner)
    snapshot = build.Snapshot(pods=[left])
    assert list(orphans.CONTROLLER.inputs[0].keys(snapshot, None, left)) == [build.key("a")]
    (ask,) = orphans.CONTROLLER.plan(snapshot, build.key("a"), NOW)
    assert isinstance(ask, Ask)
    assert list(ask.then([owner])) == []
    assert isinstance(ask.then([None])[0], Patch)


def test_the_pod_of_a_job_that_runs_is_nobodys_business() -> None:
    owner = job()
    snapshot = build.Snapshot(pods=[pod("a", owner)], **{"jobs.batch": [owner]})
    assert orphans.CONTROLLER.plan(snapshot, build.key("a"), NOW) == ()
