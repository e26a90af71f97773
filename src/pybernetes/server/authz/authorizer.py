"""May this user do that? A table of authorizers, the first that knows decides; nobody knowing means no.

Rule: a decision is kept with the policy from which it follows, and forgotten with it.
Neighbours: ``rbac.py`` (who holds which rules), ``nodes.py`` (what nodes may besides), ``chain.py`` and
``server/reviews.py`` (who ask).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeAlias

from pybernetes.meta import errors
from pybernetes.server.authz.nodes import Nodes, is_node
from pybernetes.server.authz.rbac import Policy, Rbac
from pybernetes.server.authz.rules import Rule
from pybernetes.server.context import Info, User
from pybernetes.server.live import Live
from pybernetes.storage.watchcache import WatchCache

MASTERS: Final = "system:masters"
_KEPT: Final = 8192


class Decision(NamedTuple):
    allowed: bool
    reason: str = ""


class Authorizer:
    """Answers from the policy of a watch cache."""

    def __init__(self, cache: WatchCache) -> None:
        self._rbac, self._nodes = Rbac(cache), Nodes(Live(cache))

    async def decide(self, user: User, info: Info) -> Decision:
        """``info`` says what is to be done; its ``version`` and ``tail`` do not count."""
        if is_node(user) and MASTERS not in user.groups:
            return await self._decide_for_node(user, info)
        return await self._decide_by_policy(user, info)

    async def _decide_for_node(self, user: User, info: Info) -> Decision:
        """What follows from a node's pods changes with them, so it is not kept; what RBAC grants besides, holds."""
        found = self._nodes.decide(user, info)
        if found is not None and found[0]:
            return Decision(True)
        decision = await self._decide_by_policy(user, info)
        return decision if decision.allowed or found is None else Decision(False, decision.reason or found[1])

    async def _decide_by_policy(self, user: User, info: Info) -> Decision:
        policy = await self._rbac.current()
        what = info.name if info.is_resource else info.path
        key = (user.name, user.groups, info.verb, info.group, info.resource, info.subresource, info.namespace, what)
        kept = policy.decided.get(key)
        if isinstance(kept, Decision):
            return kept
        if len(policy.decided) >= _KEPT:
            policy.decided.clear()
        decision = _decide(policy, user, info)
        policy.decided[key] = decision
        return decision

    async def check(self, user: User, info: Info) -> None:
        """Raises Forbidden in upstream's words."""
        decision = await self.decide(user, info)
        if not decision.allowed:
            raise refusal(user, info, decision.reason)

    async def policy(self) -> Policy:
        return await self._rbac.current()

    async def rules(self, user: User, namespace: str) -> list[Rule]:
        """Every rule that the user holds in a namespace (``""``: in the whole cluster)."""
        return rules_held(await self._rbac.current(), user, namespace)

    def close(self) -> None:
        self._rbac.close()


# ── the authorizers ──────────────────────────────────────────────────────────────────────────────────────

Opinion: TypeAlias = Callable[[Policy, User, Info], Decision | None]
"""None: no opinion."""


def _masters(policy: Policy, user: User, info: Info) -> Decision | None:
    """The group of last resort, which no policy can lock out (authorizerfactory.NewPrivilegedGroups)."""
    return Decision(True) if MASTERS in user.groups else None


def _rbac(policy: Policy, user: User, info: Info) -> Decision | None:
    absent = []
    for binding in policy.bindings_of(user, info.namespace):
        rules = policy.rules_of(policy.role_of(binding))
        if rules is None:
            absent.append(f'{binding.role_kind.lower()}.rbac.authorization.k8s.io "{binding.role}" not found')
        elif any(rule.allows(info) for rule in rules):
            return Decision(True, f"RBAC: allowed by {binding}")
    if not absent:
        return None
    unique = list(dict.fromkeys(absent))
    return Decision(False, "RBAC: " + (unique[0] if len(unique) == 1 else "[" + ", ".join(unique) + "]"))


AUTHORIZERS: Final[tuple[Opinion, ...]] = (_masters, _rbac)
"""In the order in which they are asked. For nodes ``nodes.py`` stands between the two."""


def _decide(policy: Policy, user: User, info: Info) -> Decision:
    for opinion in AUTHORIZERS:
        decision = opinion(policy, user, info)
        if decision is not None:
            return decision
    return Decision(False)


def rules_held(policy: Policy, user: User, namespace: str) -> list[Rule]:
    return [
        rule
        for binding in policy.bindings_of(user, namespace)
        for rule in policy.rules_of(policy.role_of(binding)) or ()
    ]  # fmt: skip


# ── sentences ────────────────────────────────────────────────────────────────────────────────────────────


def refusal(user: User, info: Info, reason: str = "") -> errors.Forbidden:
    """``pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"``."""
    why = _sentence(user, info) + (f": {reason}" if reason else "")
    if not info.is_resource:
        return errors.Forbidden(f"forbidden: {why}")
    return errors.forbidden(info.group, info.resource, info.name, why)


def _sentence(user: User, info: Info) -> str:
    if not info.is_resource:
        return f'User "{user.name}" cannot {info.verb} path "{info.path}"'
    resource = "/".join(part for part in (info.resource, info.subresource) if part)
    where = f'in the namespace "{info.namespace}"' if info.namespace else "at the cluster scope"
    return f'User "{user.name}" cannot {info.verb} resource "{resource}" in API group "{info.group}" {where}'


def shown_groups(groups: Sequence[str]) -> str:
    """A list of groups as upstream's ``%q`` prints it."""
    return "[" + " ".join(f'"{group}"' for group in groups) + "]"
