"""What a cluster of an earlier release lacks is given to it; what its users made of the defaults stays."""

from pybernetes.cluster import bootstrap
from pybernetes.meta.objects import Obj

READ: Obj = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
WRITE: Obj = {"apiGroups": [""], "resources": ["pods"], "verbs": ["create"]}
OWN: Obj = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}


def role(*rules: Obj, update: str = "true") -> Obj:
    return {"metadata": {"name": "r", "annotations": {bootstrap.AUTO_UPDATE: update}}, "rules": list(rules)}


def test_a_default_role_gets_the_rules_of_a_later_release_and_keeps_its_own() -> None:
    assert bootstrap.completed(role(READ, OWN), role(READ, WRITE))["rules"] == [READ, OWN, WRITE]


def test_a_role_that_lacks_nothing_is_left_alone() -> None:
    old = role(READ, WRITE)
    assert bootstrap.completed(old, role(WRITE)) is old


def test_a_role_whose_owner_wants_no_updates_is_left_alone() -> None:
    old = role(READ, update="false")
    assert bootstrap.completed(old, role(READ, WRITE)) is old
