"""Decisions follow from the roles and bindings that are stored at the moment of the question."""

from __future__ import annotations

import pytest

from pybernetes.meta import errors
from pybernetes.server import requestinfo
from pybernetes.server.authn import claims
from pybernetes.server.context import Info, Request, User

from ..build import ADMIN, JANE, RBAC, Cluster, binding, role, rule

ROLES, BINDINGS = f"roles.{RBAC}", f"rolebindings.{RBAC}"
CLUSTER_ROLES, CLUSTER_BINDINGS = f"clusterroles.{RBAC}", f"clusterrolebindings.{RBAC}"
ANONYMOUS = User("system:anonymous", groups=("system:unauthenticated",))


def asks(line: str) -> Info:
    method, path = line.split()
    return requestinfo.of(Request(method, path))


async def may(cluster: Cluster, user: User, line: str) -> bool:
    return (await cluster.authorizer.decide(user, asks(line))).allowed


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("GET /api/v1/namespaces/default/pods",
         'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"'),
        ("GET /apis/apps/v1/namespaces/a/deployments/d/scale",
         'deployments.apps "d" is forbidden: User "jane" cannot get resource "deployments/scale" in API group "apps"'
         ' in the namespace "a"'),
        ("GET /api/v1/nodes",
         'nodes is forbidden: User "jane" cannot list resource "nodes" in API group "" at the cluster scope'),
        ("GET /metrics", 'forbidden: User "jane" cannot get path "/metrics"'),
    ],
)  # fmt: skip
async def test_a_refusal_says_who_may_not_do_what(line: str, message: str) -> None:
    with pytest.raises(errors.Forbidden) as refused:
        await Cluster().authorizer.check(JANE, asks(line))
    assert refused.value.message == message


async def test_masters_may_do_everything_whatever_is_stored() -> None:
    assert await may(Cluster(), ADMIN, "DELETE /api/v1/nodes")


async def test_a_role_binding_holds_in_its_namespace_only() -> None:
    cluster = Cluster()
    await cluster.put(ROLES, role("reader", rule("list", "pods"), namespace="a"))
    await cluster.put(BINDINGS, binding("b", "Role reader", "Group developers", namespace="a"))
    assert await may(cluster, JANE, "GET /api/v1/namespaces/a/pods")
    assert not await may(cluster, JANE, "GET /api/v1/namespaces/b/pods")
    assert not await may(cluster, JANE, "GET /api/v1/pods")
    assert not await may(cluster, ANONYMOUS, "GET /api/v1/namespaces/a/pods")


async def test_a_change_counts_with_the_next_question() -> None:
    cluster = Cluster()
    line = "GET /api/v1/nodes"
    assert not await may(cluster, JANE, line)
    await cluster.put(CLUSTER_BINDINGS, binding("b", "ClusterRole nodes", "User jane"))
    decision = await cluster.authorizer.decide(JANE, asks(line))
    assert decision == (False, 'RBAC: clusterrole.rbac.authorization.k8s.io "nodes" not found')
    await cluster.put(CLUSTER_ROLES, role("nodes", rule("list", "nodes")))
    decision = await cluster.authorizer.decide(JANE, asks(line))
    assert decision == (True, 'RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "nodes" to User "jane"')
    await cluster.put(CLUSTER_ROLES, role("nodes", rule("get", "nodes")))
    assert not await may(cluster, JANE, line)
    await cluster.remove(CLUSTER_BINDINGS, "", "b")
    assert not await may(cluster, JANE, "GET /api/v1/nodes/n")


async def test_a_cache_that_has_begun_anew_is_read_anew() -> None:
    cluster = Cluster()
    await cluster.bootstrap()
    assert await may(cluster, ANONYMOUS, "GET /readyz")
    revision = cluster.cache.revision + 1000
    cluster.cache.view.restore((), (), oldest=revision, revision=revision)
    assert not await may(cluster, ANONYMOUS, "GET /readyz")


async def test_a_service_account_is_bound_by_its_namespace() -> None:
    cluster = Cluster()
    await cluster.put(CLUSTER_ROLES, role("reader", rule("list", "pods")))
    await cluster.put(BINDINGS, binding("b", "ClusterRole reader", "ServiceAccount ci/builder", namespace="a"))
    builder = User("system:serviceaccount:ci:builder", groups=claims.account_groups("ci"))
    assert await may(cluster, builder, "GET /api/v1/namespaces/a/pods")
    assert not await may(cluster, User("system:serviceaccount:a:builder"), "GET /api/v1/namespaces/a/pods")


async def test_an_aggregated_role_grants_what_its_parts_grant() -> None:
    cluster = Cluster()
    label = {"matchLabels": {"to-view": "true"}}
    await cluster.put(CLUSTER_ROLES, role("view", aggregationRule={"clusterRoleSelectors": [label]}))
    await cluster.put(CLUSTER_BINDINGS, binding("b", "ClusterRole view", "User jane"))
    assert not await may(cluster, JANE, "GET /apis/example.com/v1/namespaces/a/widgets")
    part = role("widgets", rule("list", "widgets", "example.com"))
    part["metadata"]["labels"] = {"to-view": "true"}
    await cluster.put(CLUSTER_ROLES, part)
    assert await may(cluster, JANE, "GET /apis/example.com/v1/namespaces/a/widgets")


@pytest.mark.parametrize(
    ("user", "line", "allowed"),
    [
        (ANONYMOUS, "GET /readyz", True),
        (ANONYMOUS, "GET /api", False),
        (ANONYMOUS, "GET /api/v1/pods", False),
        (JANE, "GET /apis/apps/v1", True),
        (JANE, "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews", True),
        (JANE, "GET /api/v1/pods", False),
        (User("system:kube-scheduler"), "POST /api/v1/namespaces/a/pods/p/binding", True),
        (User("system:kube-scheduler"), "POST /api/v1/namespaces/a/pods", False),
        (User("system:node:n", groups=("system:nodes",)), "PATCH /api/v1/nodes/n/status", True),
        (User("system:node:n", groups=("system:nodes",)), "GET /apis/discovery.k8s.io/v1/endpointslices", True),
        (User("system:node:n", groups=("system:nodes",)), "DELETE /apis/apps/v1/namespaces/a/deployments/d", False),
    ],
)
async def test_the_default_roles_let(user: User, line: str, allowed: bool) -> None:
    cluster = Cluster()
    await cluster.bootstrap()
    assert await may(cluster, user, line) is allowed


async def test_edit_may_write_workloads_but_no_roles_and_view_reads_no_secrets() -> None:
    cluster = Cluster()
    await cluster.bootstrap()
    await cluster.put(BINDINGS, binding("e", "ClusterRole edit", "User ed", namespace="a"))
    await cluster.put(BINDINGS, binding("v", "ClusterRole view", "User vi", namespace="a"))
    ed, vi = User("ed"), User("vi")
    assert await may(cluster, ed, "POST /apis/apps/v1/namespaces/a/deployments")
    assert not await may(cluster, ed, f"POST /apis/{RBAC}/v1/namespaces/a/roles")
    assert await may(cluster, vi, "GET /api/v1/namespaces/a/pods/p/log")
    assert not await may(cluster, vi, "GET /api/v1/namespaces/a/secrets")
