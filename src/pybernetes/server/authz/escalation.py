"""Nobody grants what they do not hold: the check on writing roles and bindings.

Source: pkg/registry/rbac/{role,clusterrole,rolebinding,clusterrolebinding}/policybased and rbac/validation. Upstream
does this in the storage of these resources; here it is a row among the admission plugins.
Rule: the verb ``escalate`` on the role, or ``bind`` on the role that is referred to, makes an exception.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj
from pybernetes.server.admission.attributes import Attributes, forbidden
from pybernetes.server.admission.plugin import Plugin, World
from pybernetes.server.authz import rules
from pybernetes.server.authz.authorizer import MASTERS, shown_groups
from pybernetes.server.authz.rbac import GROUP, PLURALS
from pybernetes.server.context import Info

_EVERYTHING: Final[Sequence[Obj]] = (
    {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]},
    {"verbs": ["*"], "nonResourceURLs": ["*"]},
)


async def validate(world: World, a: Attributes) -> None:
    """Raises Forbidden."""
    if a.obj is None or MASTERS in a.user.groups:
        return
    if a.kind.plural.endswith("bindings"):
        await _check_binding(world, a, a.obj)
    else:
        await _check_role(world, a, a.obj)


async def _check_role(world: World, a: Attributes, role: Obj) -> None:
    if a.old is not None and all(a.old.get(key) == role.get(key) for key in ("rules", "aggregationRule")):
        return
    if await _may(world, a, "escalate", a.kind.plural, objects.name(role)):
        return
    if objects.get(role, "aggregationRule") is not None and await _lacking(world, a, "", _EVERYTHING):
        raise forbidden(a, "must have cluster-admin privileges to use the aggregationRule")
    await _confirm(world, a, role.get("rules") or ())


async def _check_binding(world: World, a: Attributes, binding: Obj) -> None:
    if a.old is not None and all(a.old.get(key) == binding.get(key) for key in ("subjects", "roleRef")):
        return
    ref = binding.get("roleRef") or {}
    plural, name = ("clusterroles" if ref.get("kind") == "ClusterRole" else "roles"), str(ref.get("name", ""))
    if await _may(world, a, "bind", plural, name):
        return
    policy = await world.authorizer.policy()
    key = ("" if plural == "clusterroles" else a.namespace, name)
    if key not in policy.roles:
        raise errors.not_found(GROUP, plural.removesuffix("s"), name)
    await _confirm(world, a, policy.raw_rules(key))


async def _may(world: World, a: Attributes, verb: str, plural: str, name: str) -> bool:
    info = Info(True, verb, "", GROUP, "v1", a.namespace, plural, "", name)
    return (await world.authorizer.decide(a.user, info)).allowed


async def _lacking(world: World, a: Attributes, namespace: str, wanted: Sequence[Obj]) -> list[Obj]:
    return rules.missing(await world.authorizer.rules(a.user, namespace), wanted)


async def _confirm(world: World, a: Attributes, wanted: Sequence[Obj]) -> None:
    lacking = await _lacking(world, a, a.namespace, wanted)
    if lacking:
        told = "\n".join(sorted(rules.shown(obj) for obj in rules.compact(lacking)))
        raise forbidden(
            a,
            f'user "{a.user.name}" (groups={shown_groups(a.user.groups)}) is attempting to grant RBAC permissions'
            f" not currently held:\n{told}",
        )


PLUGIN: Final = Plugin(
    name="RBACEscalation",
    verbs=("create", "update"),
    resources=tuple(f"{plural}.{GROUP}" for plural in PLURALS),
    validate=validate,
)
