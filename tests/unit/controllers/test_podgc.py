from __future__ import annotations

from typing import Any

import pytest

from pybernetes.control.actions import After, Ask, Delete, Get, Patch
from pybernetes.controllers import podgc
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj

from . import build

NODE = {"metadata": {"name": "n1"}}


def plan(pod: Obj, *nodes: Obj) -> list[Any]:
    return list(podgc.controller().plan(build.Snapshot(pods=[pod], nodes=nodes), build.key("a"), build.NOW))


def test_a_pod_on_a_node_that_is_there_is_left_alone() -> None:
    assert plan(build.pod("a"), NODE) == []


def test_a_pod_on_a_node_that_is_gone_fails_and_is_deleted_without_grace_after_forty_seconds_if_the_api_agrees() -> (
    None
):
    row, snapshot = podgc.controller(), build.Snapshot(pods=[build.pod("a")])
    assert row.plan(snapshot, build.key("a"), build.NOW) == [After(40.0)]
    (ask,) = row.plan(snapshot, build.key("a"), build.NOW + 40)
    assert isinstance(ask, Ask)
    assert ask.questions == [Get("nodes", "", "n1")]
    assert ask.then([NODE]) == ()
    patch, delete = ask.then([None])
    assert isinstance(patch, Patch)
    assert patch.patch["status"]["phase"] == "Failed"
    assert patch.patch["status"]["conditions"][0]["message"] == "PodGC: node no longer exists"
    assert delete == Delete("pods", "default", "a", uid="uid-a", grace_period_seconds=0)
    with pytest.raises(errors.ServiceUnavailable):
        ask.then([errors.ServiceUnavailable("away")])


def test_a_pod_that_is_deleted_before_it_had_a_node_goes_at_once() -> None:
    pod = build.pod("a", spec={}, metadata__deletionTimestamp=build.ago(1))
    assert [type(action) for action in plan(pod)] == [Delete]
    assert plan(build.pod("a", spec={})) == []


def test_the_end_of_a_node_wakes_its_pods() -> None:
    snapshot = build.Snapshot(pods=[build.pod("a"), build.pod("b", spec={"nodeName": "n2"})])
    keys = podgc.controller().inputs[1].keys
    assert list(keys(snapshot, NODE, None)) == [build.key("a")]
    assert list(keys(snapshot, None, NODE)) == []


def test_a_node_that_came_back_meanwhile_is_missed_anew() -> None:
    row, snapshot = podgc.controller(), build.Snapshot(pods=[build.pod("a")])
    row.plan(snapshot, build.key("a"), build.NOW)
    row.inputs[1].keys(snapshot, None, NODE)
    assert row.plan(snapshot, build.key("a"), build.NOW + 40) == [After(40.0)]


def test_pods_that_are_to_go_from_a_node_out_of_service_are_gone() -> None:
    taint = {"key": podgc.OUT_OF_SERVICE, "effect": "NoExecute"}
    dead = {**NODE, "spec": {"taints": [taint]}, "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}
    ending = build.pod("a", metadata__deletionTimestamp=build.ago(9))
    patch, delete = plan(ending, dead)
    assert patch.patch["status"]["conditions"][0]["message"] == "PodGC: node is out of service"
    assert isinstance(delete, Delete)
    assert plan(build.pod("a"), dead) == []
    alive = {**dead, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    assert plan(ending, alive) == []
    keys = podgc.controller().inputs[1].keys
    assert list(keys(build.Snapshot(pods=[ending]), NODE, dead)) == [build.key("a")]
