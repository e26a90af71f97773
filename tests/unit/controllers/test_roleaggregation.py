from __future__ import annotations

from typing import Any

from pybernetes.control.actions import Update
from pybernetes.control.controller import Key
from pybernetes.controllers import roleaggregation
from pybernetes.meta.objects import Obj

from . import build

READ: Obj = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
WRITE: Obj = {"apiGroups": [""], "resources": ["pods"], "verbs": ["update"]}


def role(name: str, *rules: Obj, aggregates: bool = False, **labels: str) -> Obj:
    made: Obj = {"metadata": {"name": name, "labels": labels}, "rules": list(rules)}
    if aggregates:
        made["aggregationRule"] = {"clusterRoleSelectors": [{"matchLabels": {"to": "whole"}}]}
    return made


def plan(*roles: Obj) -> list[Any]:
    snapshot = build.Snapshot(**{roleaggregation.ROLES: roles})
    return list(roleaggregation.CONTROLLER.plan(snapshot, Key("", "whole"), build.NOW))


PARTS = (role("b", WRITE, READ, to="whole"), role("a", READ, to="whole"), role("c", READ))


def test_a_role_is_the_sum_of_its_parts_in_their_order_and_each_rule_once() -> None:
    (update,) = plan(role("whole", {"verbs": ["*"]}, aggregates=True), *PARTS)
    assert isinstance(update, Update)
    assert update.obj["rules"] == [READ, WRITE]
    assert plan(update.obj, *PARTS) == []


def test_a_role_that_selects_itself_is_no_part_of_itself_and_one_without_a_rule_is_left_alone() -> None:
    assert plan(role("whole", READ, WRITE, aggregates=True, to="whole"), *PARTS) == []
    assert plan(role("whole", WRITE), *PARTS) == []


def test_a_changed_part_wakes_the_wholes() -> None:
    whole = role("whole", aggregates=True)
    snapshot = build.Snapshot(**{roleaggregation.ROLES: [whole, *PARTS]})
    keys = roleaggregation.CONTROLLER.inputs[0].keys
    assert list(keys(snapshot, PARTS[0], role("b", to="whole"))) == [Key("", "whole")]
    assert list(keys(snapshot, PARTS[0], PARTS[0])) == []
