"""Objects are read without fear of missing fields, and changed without changing what is shared."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from pybernetes.meta import objects

POD: Any = {"metadata": {"name": "p", "labels": {"a": "1"}}, "spec": {"containers": [{"name": "c"}]}}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("metadata", "name"), "p"), (("spec", "containers", 0, "name"), "c"), (("spec", "containers", 1), "?"),
        (("spec", "none", "deeper"), "?"), (("metadata", "name", "deeper"), "?"), (("spec", 0), "?"),
    ],
)  # fmt: skip
def test_a_path_is_followed_as_far_as_it_goes(path: Any, value: Any) -> None:
    assert objects.get(POD, *path, default="?") == value


def test_a_change_copies_only_what_leads_to_it() -> None:
    before = copy.deepcopy(POD)
    changed = objects.evolve(POD, ("metadata", "annotations", "x"), "y")
    assert objects.annotations(changed) == {"x": "y"}
    assert changed["spec"] is POD["spec"]
    assert before == POD


def test_taking_away_what_is_not_there_answers_the_object_itself() -> None:
    assert objects.without(POD, ("status", "phase")) is POD
    assert objects.without(POD, ("metadata", "labels", "a"))["metadata"] == {"name": "p", "labels": {}}


def test_an_object_without_metadata_has_no_properties() -> None:
    empty: Any = {"metadata": {"labels": None}}
    assert (objects.name(empty), objects.namespace({}), objects.uid({})) == ("", "", "")
    assert (objects.labels(empty), objects.finalizers({}), objects.owners({})) == ({}, [], [])
    assert objects.resource_version({}) == 0
    assert not objects.is_deleting({})


def test_the_controller_is_the_owner_that_controls() -> None:
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "r", "uid": "1"}}
    references = [objects.owner_reference(owner, controller=False), objects.owner_reference(owner)]
    controlled = {"metadata": {"ownerReferences": references}}
    assert objects.controller_of(controlled) == references[1]
    assert objects.controller_of({"metadata": {"ownerReferences": references[:1]}}) is None


def test_a_condition_is_found_by_its_type() -> None:
    pod = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}
    assert objects.condition_is(pod, "Ready", "False")
    assert not objects.condition_is(pod, "Ready")
    assert objects.condition(pod, "Initialized") is None
