"""Nobody grants what they do not hold."""

from __future__ import annotations

import pytest

from pybernetes.meta import errors
from pybernetes.meta.objects import Obj
from pybernetes.server.admission.attributes import Verb
from pybernetes.server.admission.table import Admission
from pybernetes.server.context import User

from ..build import ADMIN, JANE, RBAC, Cluster, binding, role, rule

ROLES, BINDINGS = f"roles.{RBAC}", f"rolebindings.{RBAC}"
CLUSTER_ROLES, CLUSTER_BINDINGS = f"clusterroles.{RBAC}", f"clusterrolebindings.{RBAC}"
SECRETS = role("secrets", rule("get", "secrets"), namespace="a")


async def holding(*rules: Obj) -> Cluster:
    """A cluster in which jane holds these rules in namespace ``a``, and may write roles and bindings."""
    cluster = Cluster()
    await cluster.put(ROLES, role("jane", *rules, namespace="a"))
    await cluster.put(BINDINGS, binding("jane", "Role jane", "User jane", namespace="a"))
    return cluster


async def judged(cluster: Cluster, resource: str, obj: Obj, old: Obj | None = None, user: User = JANE) -> None:
    verb: Verb = "create" if old is None else "update"
    await Admission(cluster.world).validate(cluster.write(verb, resource, obj, old=old, user=user))


async def test_a_role_of_more_rights_than_ones_own_is_refused_with_what_is_lacking() -> None:
    cluster = await holding(rule("get", "pods"))
    with pytest.raises(errors.Forbidden) as refused:
        await judged(cluster, ROLES, SECRETS)
    assert refused.value.message == (
        'roles.rbac.authorization.k8s.io "secrets" is forbidden: user "jane" (groups=["developers"'
        ' "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n'
        '{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}'
    )


async def test_a_role_of_rights_that_one_holds_is_fine() -> None:
    await judged(await holding(rule("get list", "secrets pods")), ROLES, SECRETS)


async def test_masters_and_those_who_may_escalate_grant_anything() -> None:
    await judged(Cluster(), ROLES, SECRETS, user=ADMIN)
    await judged(await holding(rule("escalate", "roles", RBAC, "secrets")), ROLES, SECRETS)


async def test_an_update_that_leaves_the_rules_alone_is_fine() -> None:
    await judged(Cluster(), ROLES, {**SECRETS, "metadata": {"name": "secrets", "labels": {"a": "b"}}}, SECRETS)


async def test_a_binding_grants_what_its_role_grants() -> None:
    cluster = await holding(rule("get", "pods"))
    await cluster.put(ROLES, SECRETS)
    bound = binding("mine", "Role secrets", "User jane", namespace="a")
    with pytest.raises(errors.Forbidden, match="permissions not currently held"):
        await judged(cluster, BINDINGS, bound)
    await cluster.put(ROLES, role("jane", rule("bind", "roles", RBAC, "secrets"), namespace="a"))
    await judged(cluster, BINDINGS, bound)


async def test_a_binding_to_a_role_that_is_not_there_needs_the_right_to_bind() -> None:
    with pytest.raises(errors.NotFound, match=r'clusterrole.* "nope" not found'):
        await judged(Cluster(), CLUSTER_BINDINGS, binding("b", "ClusterRole nope", "User jane"))
    await judged(Cluster(), CLUSTER_BINDINGS, binding("b", "ClusterRole nope", "User jane"), user=ADMIN)


async def test_aggregation_is_for_those_who_hold_everything() -> None:
    aggregated = role("sum", aggregationRule={"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]})
    with pytest.raises(errors.Forbidden, match="must have cluster-admin privileges to use the aggregationRule"):
        await judged(Cluster(), CLUSTER_ROLES, aggregated)
