"""Keeps the node's nftables in step with NetworkPolicies, and admits pods to the network.

Theory of operation. Informers feed a ``PolicyState``; the fragments that a change touches are made anew and the
difference goes to the kernel as one transaction. An address of this node's pods that no fragment names takes part in
nothing, and the agent starts a pod's first container only when ``admit`` has returned: so its policies are enforced
before its first packet. The pods of other nodes are followed only while there are policies, for only those ask.
Neighbours: ``state.py`` decides, ``network/keeper.py`` performs, ``cluster/guard.py`` calls ``admit``.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Sequence
from typing import Final

from pybernetes.lib.clock import Clock, SystemClock
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.network import informing, ruleset
from pybernetes.network.index import Delta
from pybernetes.network.informing import Manager
from pybernetes.network.keeper import Keeper
from pybernetes.network.nft import Nft
from pybernetes.network.policy import render
from pybernetes.network.policy.allowance import StandIn
from pybernetes.network.policy.model import Key
from pybernetes.network.policy.state import PolicyState, Subject
from pybernetes.network.ruleset import Fragment

POLICIES: Final = "networkpolicies.networking.k8s.io"


class Policies:
    """``pod_cidr``: this node's; ``stand_ins``: servers of the node that policies take for pods."""

    def __init__(
        self, manager: Manager, node_name: str, pod_cidr: str, *,
        stand_ins: Sequence[StandIn] = (), clock: Clock | None = None, nft: Nft | None = None,
    ) -> None:  # fmt: skip
        self._manager, self._node_name = manager, node_name
        self._state = PolicyState(node_name, stand_ins)
        self._fragments: dict[Subject, Fragment] = {}
        self._dirty: set[Subject] = set()
        self._waiting: list[asyncio.Future[None]] = []
        self._wake = asyncio.Event()
        self._keeper = Keeper(
            f"network policies on {node_name}", render.table(pod_cidr), clock or SystemClock(), nft or Nft(),
            self._wake.set,
        )  # fmt: skip
        self._follows_others = False
        self._stopping = False
        self.in_step = asyncio.Event()
        """Set while the kernel has all that the caches told of."""

    async def run(self) -> None:
        """Work until ``stop``."""
        state = self._state
        await self._follow("namespaces", state.put_namespace)
        await self._follow("pods", state.put_pod, fields=f"spec.nodeName={self._node_name}")
        await self._follow(POLICIES, state.put_policy)
        self._wake.set()
        while True:
            await self._wake.wait()
            if self._stopping:
                return
            self._wake.clear()
            if state.has_policies() and not self._follows_others:
                self._follows_others = True
                await self._follow("pods", self._put_other)
            await self._sync()

    async def stop(self) -> None:
        """End ``run``; the rules stay."""
        self._stopping = True
        self._wake.set()

    async def admit(self, key: Key, uid: str, address: str) -> None:
        """A pod of this node has this address from now on; returns when the kernel holds it to its policies."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(done)
        self._touch(self._state.admit(key, uid, address))
        self._wake.set()
        await done

    async def _follow(
        self, resource: str, put: Callable[[Obj | None, Obj | None], set[Subject]], *, fields: str = ""
    ) -> None:
        await informing.follow(self._manager, resource, functools.partial(self._changed, put), fields=fields)

    def _changed(self, put: Callable[[Obj | None, Obj | None], set[Subject]], deltas: Sequence[Delta]) -> None:
        for old, new in deltas:
            self._touch(put(old, new))

    def _put_other(self, old: Obj | None, new: Obj | None) -> set[Subject]:
        """A pod of another node; those of this node are told of by an informer of their own."""
        if objects.get(new or old, "spec", "nodeName") in (None, "", self._node_name):
            return set()
        return self._state.put_pod(old, new)

    def _touch(self, subjects: set[Subject]) -> None:
        if subjects:
            self._dirty |= subjects
            self.in_step.clear()
            self._wake.set()

    async def _sync(self) -> None:
        dirty, self._dirty = self._dirty, set()
        waiting, self._waiting = self._waiting, []
        for subject in dirty:
            self._fragments.pop(subject, None)
            if (found := self._state.fragment(subject)) != ruleset.NOTHING:
                self._fragments[subject] = found
        if not await self._keeper.apply(ruleset.compose(self._fragments)):
            self._waiting += waiting
            return
        for done in waiting:
            if not done.done():
                done.set_result(None)
        if not self._dirty:
            self.in_step.set()


async def cleanup(nft: Nft | None = None) -> None:
    """Remove the table; every pod may speak to every other."""
    await (nft or Nft()).run(render.table("0.0.0.0/0").removal())
