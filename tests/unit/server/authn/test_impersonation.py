"""Acting as somebody else is a right of its own."""

from __future__ import annotations

import pytest

from pybernetes.meta import errors
from pybernetes.server.authn.impersonation import impersonated
from pybernetes.server.context import Request, User

from ..build import ADMIN, JANE, RBAC, Cluster, binding, role, rule


async def acting(who: User, cluster: Cluster | None = None, **headers: str) -> User:
    named = {f"impersonate-{name.replace('_', '-')}": value for name, value in headers.items()}
    return await impersonated(Request("GET", "/", headers=named), who, (cluster or Cluster()).authorizer)


async def test_without_headers_everybody_is_themselves() -> None:
    assert await acting(JANE) is JANE


async def test_masters_act_as_anybody() -> None:
    other = await acting(ADMIN, user="jane", group="a,b", extra_scopes="view")
    assert other == User("jane", groups=("a", "b", "system:authenticated"), extra={"scopes": ("view",)})


async def test_a_service_account_brings_its_groups() -> None:
    other = await acting(ADMIN, user="system:serviceaccount:ci:builder")
    assert other.groups == ("system:serviceaccounts", "system:serviceaccounts:ci", "system:authenticated")


async def test_each_part_needs_its_right() -> None:
    cluster = Cluster()
    await cluster.put(f"clusterroles.{RBAC}", role("as-bob", rule("impersonate", "users", names="bob")))
    await cluster.put(f"clusterrolebindings.{RBAC}", binding("b", "ClusterRole as-bob", "User jane"))
    assert (await acting(JANE, cluster, user="bob")).name == "bob"
    with pytest.raises(errors.Forbidden, match='groups "system:masters" is forbidden: User "jane" cannot impersonate'):
        await acting(JANE, cluster, user="bob", group="system:masters")
    with pytest.raises(errors.Forbidden, match='users "eve" is forbidden'):
        await acting(JANE, cluster, user="eve")


async def test_a_group_alone_names_nobody() -> None:
    with pytest.raises(errors.InternalError, match="without impersonating a user"):
        await acting(ADMIN, group="a")
