"""The Node authorizer: a node reads what its own pods name, writes what is its own, and no more.

Theory of operation. What is not about single objects follows from the rules of the role ``system:node``. For the rest
the question is whether a pod of the node leads to the object: through its volumes, environments, claims and their
volumes, and its account. No graph is kept: the pods of the one namespace are looked through in the watch cache, those
whose bytes do not hold both names are passed by, and which pod has led somewhere is remembered to be asked first.
Source: plugin/pkg/auth/authorizer/node. Neighbours: ``references.py`` (what a pod names), ``admission/noderestriction``
(what a node may write).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.server.authz import references, roles
from pybernetes.server.authz.rules import rule
from pybernetes.server.context import Info, User
from pybernetes.server.live import Live
from pybernetes.storage import codec

PREFIX: Final = "system:node:"
GROUP: Final = "system:nodes"
_LEASES: Final = "kube-node-lease"
_KEPT: Final = 8192
_READ: Final = ("get", "list", "watch")
_UNRELATED: Final = "no relationship found between node '{}' and this object"
_RULES: Final = tuple(map(rule, roles.NODES["system:node"]))


class _Asked(NamedTuple):
    node: str
    plural: str
    namespace: str
    name: str


class Nodes:
    """Answers from the objects of a watch cache."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._found: dict[_Asked, str] = {}
        """The key of the pod that has led to an object."""
        self._special: dict[tuple[str, str], Callable[[str, Info], str]] = {
            ("", "secrets"): self._read_secret,
            ("", "configmaps"): self._read,
            ("", "persistentvolumeclaims"): self._claim,
            ("", "persistentvolumes"): self._volume,
            ("", "serviceaccounts"): self._token,
            ("resource.k8s.io", "resourceclaims"): self._get,
            ("storage.k8s.io", "volumeattachments"): self._attachment,
            ("storage.k8s.io", "csinodes"): self._own,
            ("coordination.k8s.io", "leases"): self._lease,
        }

    def decide(self, user: User, info: Info) -> tuple[bool, str] | None:
        """(allowed, reason): a node's right to do something; None: nobody who is a node asks."""
        if GROUP not in user.groups:
            return None
        node = user.name.removeprefix(PREFIX)
        special = self._special.get((info.group, info.resource)) if info.is_resource else None
        if special is None:
            return any(one.allows(info) for one in _RULES), ""
        wrong = special(node, info)
        return not wrong, wrong

    # ── what each resource asks: why not; empty: it may ──────────────────────────────────────────────────

    def _read(self, node: str, info: Info) -> str:
        if info.verb not in _READ:
            return "can only read resources of this type"
        if info.subresource:
            return "cannot read subresource"
        if not info.namespace:
            return "can only read namespaced object of this type"
        return self._led(node, info)

    def _get(self, node: str, info: Info) -> str:
        if info.verb != "get":
            return "can only get individual resources of this type"
        if info.subresource:
            return "cannot get subresource"
        return self._led(node, info)

    def _read_secret(self, node: str, info: Info) -> str:
        wrong = self._read(node, info)
        return "" if wrong and info.name and self._by_volume(node, info) else wrong

    def _claim(self, node: str, info: Info) -> str:
        if info.subresource == "status":
            return self._led(node, info) if info.verb in ("update", "patch") else "can only update or patch status"
        return self._get(node, info)

    def _volume(self, node: str, info: Info) -> str:
        if info.verb != "get" or info.subresource:
            return "can only get individual resources of this type"
        volume = self._live.get("", "persistentvolumes", "", info.name)
        return "" if volume is not None and self._uses(node, volume) else _UNRELATED.format(node)

    def _token(self, node: str, info: Info) -> str:
        if info.verb != "create" or info.subresource != "token":
            return "can only create tokens for individual service accounts"
        return self._led(node, info)

    def _attachment(self, node: str, info: Info) -> str:
        if info.verb != "get" or info.subresource:
            return "can only get individual resources of this type"
        found = self._live.get("storage.k8s.io", "volumeattachments", "", info.name)
        return "" if objects.get(found, "spec", "nodeName") == node else _UNRELATED.format(node)

    def _own(self, node: str, info: Info) -> str:
        if info.verb not in ("get", "create", "update", "patch", "delete") or info.subresource:
            return "can only get, create, update, patch, or delete a CSINode"
        if info.verb != "create" and info.name != node:
            return "can only access CSINode with the same name as the requesting node"
        return ""

    def _lease(self, node: str, info: Info) -> str:
        if info.verb not in ("get", "create", "update", "patch", "delete"):
            return "can only get, create, update, patch, or delete a node lease"
        if info.namespace != _LEASES:
            return f"can only access leases in the {_LEASES!r} system namespace"
        if info.verb != "create" and info.name != node:
            return "can only access node lease with the same name as the requesting node"
        return ""

    # ── does a pod of the node lead there? ───────────────────────────────────────────────────────────────

    def _led(self, node: str, info: Info) -> str:
        if not info.name:
            return "No Object name found"
        asked = _Asked(node, info.resource, info.namespace, info.name)
        return "" if self._leads(asked) else _UNRELATED.format(node)

    def _leads(self, asked: _Asked) -> bool:
        known = self._found.get(asked)
        if known is not None and self._names(known, asked):
            return True
        found = next((key for key in self._candidates(asked) if self._names(key, asked)), None)
        if found is None:
            self._found.pop(asked, None)
            return False
        if len(self._found) >= _KEPT:
            self._found.clear()
        self._found[asked] = found
        return True

    def _candidates(self, asked: _Asked) -> Iterator[str]:
        """Pods that may be the node's and name the object: those in whose bytes both names are."""
        node, name = f'"nodeName":"{asked.node}"'.encode(), asked.name.encode()
        for record in self._live.cache.list(codec.prefix("", "pods", asked.namespace))[0]:
            # A generic ephemeral claim is named by its pod and volume, and stands nowhere as a whole.
            if node in record.value and (name in record.value or asked.plural == "persistentvolumeclaims"):
                yield record.key

    def _names(self, key: str, asked: _Asked) -> bool:
        namespace, name = key.split("/")[-2:]
        pod = self._live.get("", "pods", namespace, name)
        if objects.get(pod, "spec", "nodeName") != asked.node:
            return False
        return (asked.plural, asked.name) in references.of(pod or {})

    def _uses(self, node: str, volume: Obj) -> bool:
        """Has a pod of the node the claim to which a volume is bound?"""
        claim = objects.get(volume, "spec", "claimRef", default={})
        if not claim.get("name"):
            return False
        asked = _Asked(node, "persistentvolumeclaims", claim.get("namespace", ""), claim["name"])
        return self._leads(asked)

    def _by_volume(self, node: str, info: Info) -> bool:
        """Is it a secret that a volume of the node's pods needs?"""
        if info.verb not in _READ or info.subresource:
            return False
        wanted = (info.namespace, info.name)
        volumes = self._live.list("", "persistentvolumes")
        return any(wanted in references.of_volume(volume) and self._uses(node, volume) for volume in volumes)


def is_node(user: User) -> bool:
    return user.name.startswith(PREFIX)
