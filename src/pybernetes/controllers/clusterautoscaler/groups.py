"""Node groups: what stands in the ConfigMap ``cluster-autoscaler-groups`` of ``kube-system``, and nodes made of it.

Rule: each key is a group's name, its value YAML: ``min``, ``max``, ``capacity`` and, where they are wanted, ``labels``
and ``taints`` of its nodes. A group that cannot be read is left alone, and said to be wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from pybernetes.meta import manifest, objects, quantity
from pybernetes.meta.objects import Obj

NAMESPACE: Final = "kube-system"
NAME: Final = "cluster-autoscaler-groups"
LABEL: Final = "pybernetes.io/node-group"
SIMULATED: Final = "pybernetes.io/simulated"
_PODS: Final = "110"


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    least: int
    most: int
    node: Obj
    """A node of the group, but for its name."""


def read(config: Obj | None) -> tuple[Sequence[Group], Sequence[str]]:
    """(groups by name, what is wrong with the others)."""
    found: list[Group] = []
    wrong: list[str] = []
    for name, text in sorted(((config or {}).get("data") or {}).items()):
        try:
            found.append(_group(name, manifest.loads(text)))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            wrong.append(f"node group {name} cannot be read: {error}")
    return found, wrong


def _group(name: str, told: Obj) -> Group:
    least, most = int(told.get("min", 0)), int(told["max"])
    if not 0 <= least <= most:
        raise ValueError("min has to be between 0 and max")
    capacity = {"pods": _PODS, **{key: quantity.canonical(value) for key, value in told["capacity"].items()}}
    labels = {**(told.get("labels") or {}), LABEL: name, SIMULATED: "true"}
    status = {"capacity": capacity, "allocatable": capacity}
    spec = {"taints": told["taints"]} if told.get("taints") else {}
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"labels": labels}, "spec": spec, "status": status}
    return Group(name, least, most, node)


def of_node(node: Obj) -> str:
    """The name of the group to which a node belongs."""
    return objects.labels(node).get(LABEL, "")


def new_nodes(group: Group, count: int, nodes: Iterable[Obj]) -> list[Obj]:
    """So many more nodes of a group, under names that are free."""
    taken = {objects.name(node) for node in nodes}
    free = (f"{group.name}-{number}" for number in range(1, len(taken) + count + 1))
    names = [name for name in free if name not in taken][:count]
    return [_named(group.node, name) for name in names]


def _named(node: Obj, name: str) -> Obj:
    metadata = {"name": name, "labels": {**objects.labels(node), "kubernetes.io/hostname": name}}
    return {**node, "metadata": metadata}
