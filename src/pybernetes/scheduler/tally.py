"""How many pods of each sort are on which node. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)


class Tally(Generic[K]):
    """``counts[sort][node]``, without zeros."""

    def __init__(self) -> None:
        self.counts: dict[K, dict[str, int]] = {}

    def add(self, sort: K, node: str) -> None:
        nodes = self.counts.setdefault(sort, {})
        nodes[node] = nodes.get(node, 0) + 1

    def release(self, sort: K, node: str) -> None:
        nodes = self.counts[sort]
        nodes[node] -= 1
        if not nodes[node]:
            del nodes[node]
        if not nodes:
            del self.counts[sort]


class Group(NamedTuple):
    """Pods that no selector tells apart."""

    namespace: str
    labels: tuple[tuple[str, str], ...]
    is_deleting: bool


def group(namespace: str, labels: Mapping[str, str], is_deleting: bool) -> Group:
    return Group(namespace, tuple(sorted(labels.items())), is_deleting)
