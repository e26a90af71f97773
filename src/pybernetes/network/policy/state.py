"""All that policies depend on, and which fragments a change touches. Pure: told of changes, asked for fragments.

Rule 1: only policies that select a pod of this node are rendered; a change of a pod touches the policies that mean it.
Rule 2: an address belongs to the pod that was last admitted with it, whatever the API says of others: this node's agent
knows first. The admission holds until the pod is gone.
Neighbours: ``loop.py`` feeds it from informers; ``model.py``, ``allowance.py`` and ``render.py`` do the work.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.network.policy import allowance, model, render
from pybernetes.network.policy.allowance import StandIn
from pybernetes.network.policy.model import DIRECTIONS, Direction, Key, Pod, Policy
from pybernetes.network.ruleset import NOTHING, Fragment

Subject: TypeAlias = tuple[str, str, str]
"""("pod" or "policy", namespace, name): what a fragment is of."""


class PolicyState:
    def __init__(self, node_name: str, stand_ins: Sequence[StandIn] = ()) -> None:
        self._node_name, self._stand_ins = node_name, stand_ins
        self._objects: dict[Key, Obj] = {}
        self._pods: dict[Key, Pod] = {}
        self._admitted: dict[Key, tuple[str, str]] = {}
        self._holder: dict[str, Key] = {}
        self._namespaces: dict[str, Mapping[str, str]] = {}
        self._policies: dict[Key, Policy] = {}

    def admit(self, key: Key, uid: str, address: str) -> set[Subject]:
        """A pod of this node has got its address; the API may not know yet. What it touches."""
        if key in self._admitted:
            self._dismiss(key, self._admitted[key][1])
        self._admitted[key] = (uid, address)
        self._holder[address] = key
        others = [k for k, pod in self._pods.items() if pod.address == address and k != key]
        return {subject for each in (*others, key) for subject in self._renew(each)}

    def put_pod(self, old: Obj | None, new: Obj | None) -> set[Subject]:
        told = new or old or {}
        key = (objects.namespace(told), objects.name(told))
        if new is None:
            self._objects.pop(key, None)
        else:
            self._objects[key] = new
        return self._renew(key)

    def put_namespace(self, old: Obj | None, new: Obj | None) -> set[Subject]:
        name = objects.name(new or old or {})
        before = self._namespaces.pop(name, None)
        if new is not None:
            self._namespaces[name] = objects.labels(new)
        if before == self._namespaces.get(name):
            return set()
        return {("policy", *key) for key, policy in self._policies.items() if _asks_for_namespaces(policy)}

    def put_policy(self, old: Obj | None, new: Obj | None) -> set[Subject]:
        told = new or old or {}
        key = (objects.namespace(told), objects.name(told))
        before = self._policies.pop(key, None)
        if new is not None:
            self._policies[key] = model.policy(new)
        if before == self._policies.get(key):
            return set()
        touched: set[Subject] = {("pod", *k) for k, p in self._pods.items() if p.is_local and p.namespace == key[0]}
        return touched | {("policy", *key)}

    def has_policies(self) -> bool:
        return bool(self._policies)

    def fragment(self, subject: Subject) -> Fragment:
        """What the kernel must have of a pod or a policy; nothing where this node need not know it."""
        kind, *key = subject
        return self._of_pod((key[0], key[1])) if kind == "pod" else self._of_policy((key[0], key[1]))

    # ── pods ─────────────────────────────────────────────────────────────────────────────────────────────

    def _renew(self, key: Key) -> set[Subject]:
        """Look at one pod again; what has changed by it."""
        before, after = self._pods.pop(key, None), self._view(key)
        if after is not None:
            self._pods[key] = after
        if before == after:
            return set()
        touched = {("policy", *k) for k, p in self._policies.items() if self._means(p, before) or self._means(p, after)}
        local = any(pod is not None and pod.is_local for pod in (before, after))
        return touched | ({("pod", *key)} if local else set())

    def _view(self, key: Key) -> Pod | None:
        """The pod as policies see it, by the address that it was admitted with."""
        obj = self._objects.get(key)
        uid, address = self._admitted.get(key, ("", ""))
        is_same = obj is not None and uid == objects.uid(obj)
        found = model.pod(obj, self._node_name, address if is_same else "") if obj is not None else None
        if uid and (
            (found is None and obj is None) or (obj is not None and not is_same) or (found is None and is_same)
        ):
            self._dismiss(key, address)
        if found is not None and self._holder.get(found.address, key) != key:
            return None
        return found

    def _dismiss(self, key: Key, address: str) -> None:
        del self._admitted[key]
        if self._holder.get(address) == key:
            del self._holder[address]

    def _means(self, policy: Policy, pod: Pod | None) -> bool:
        """Can what is rendered of ``policy`` depend on this pod?"""
        if pod is None:
            return False
        if pod.is_local and any(policy.isolates(pod, direction) for direction in DIRECTIONS):
            return True
        return any(
            any(peer.selects(policy.namespace, pod, self._namespaces) for peer in rule.peers)
            or any(port.name for port in rule.ports)
            for rules in policy.rules.values()
            for rule in rules
        )

    # ── fragments ────────────────────────────────────────────────────────────────────────────────────────

    def _of_pod(self, key: Key) -> Fragment:
        pod = self._pods.get(key)
        if pod is None or not pod.is_local:
            return NOTHING
        return render.of_pod(pod, {d: [*self._isolating(pod, d)] for d in DIRECTIONS})

    def _isolating(self, pod: Pod, direction: Direction) -> Iterator[Key]:
        return (key for key, policy in self._policies.items() if policy.isolates(pod, direction))

    def _of_policy(self, key: Key) -> Fragment:
        policy = self._policies.get(key)
        if policy is None:
            return NOTHING
        pods = list(self._pods.values())
        if not any(pod.is_local and policy.isolates(pod, d) for pod in pods for d in policy.rules):
            return NOTHING
        return render.of_policy(
            key,
            {d: allowance.allowances(policy, d, pods, self._namespaces, self._stand_ins) for d in policy.rules},
        )


def _asks_for_namespaces(policy: Policy) -> bool:
    return any(p.namespaces is not None for rules in policy.rules.values() for rule in rules for p in rule.peers)
