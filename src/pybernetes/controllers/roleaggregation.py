"""ClusterRoles that are made of others: ``rules`` of a role with an ``aggregationRule`` are those of all roles that its
selectors match (pkg/controller/clusterroleaggregation).

Rule: parts come in order of their names, and each rule once; what stood in the role before is replaced.
Neighbours: the server's authorizer sums roles up by itself, so nobody waits for this; it is what people read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pybernetes.control.actions import Plan, Update
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot
from pybernetes.controllers import keys
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

ROLES: Final = "clusterroles.rbac.authorization.k8s.io"


def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
    role = snapshot.get(ROLES, "", key.name)
    if role is None or role.get("aggregationRule") is None or objects.is_deleting(role):
        return ()
    rules = summed(snapshot, role)
    return () if rules == (role.get("rules") or []) else [Update(ROLES, {**role, "rules": rules})]


def summed(snapshot: Snapshot, role: Obj) -> list[Obj]:
    """The rules of all parts."""
    parts: dict[str, Obj] = {}
    for selector in _selectors(role):
        parts |= {objects.name(part): part for part in snapshot.select(ROLES, "", selector)}
    parts.pop(objects.name(role), None)
    rules: list[Obj] = []
    for name in sorted(parts):
        rules += [rule for rule in parts[name].get("rules") or () if rule not in rules]
    return rules


def _selectors(role: Obj) -> list[Obj]:
    found: list[Obj] = objects.get(role, "aggregationRule", "clusterRoleSelectors", default=[])
    return found


def _of_role(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    """Any role may be a part of any that aggregates; there are few of those."""
    same = (
        old is not None
        and new is not None
        and all(old.get(field) == new.get(field) for field in ("rules", "aggregationRule"))
        and objects.labels(old) == objects.labels(new)
    )
    if same:
        return ()
    return [keys.of(role) for role in snapshot.list(ROLES) if role.get("aggregationRule") is not None]


CONTROLLER: Final = Controller(
    name="clusterrole-aggregation-controller",
    inputs=(Input(ROLES, _of_role),),
    outputs=(Output(ROLES, ("escalate", "update")),),
    plan=plan,
    workers=1,
)
