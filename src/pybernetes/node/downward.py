"""The downward API: what a pod may know of itself, by field path or by resource. Pure.

Neighbours: ``environment.py`` and ``volumes/downwardapi.py`` ask; the paths are those of upstream's fieldpath package.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pybernetes.meta import objects, quantity
from pybernetes.meta.objects import Obj
from pybernetes.node import podspec

_SUBSCRIPT: Final = re.compile(r"metadata\.(labels|annotations)\['(.*)'\]")


class Unresolvable(ValueError):
    """A field path or resource that names nothing; the text is the kubelet's."""


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What a pod may learn of its node."""

    name: str
    ips: tuple[str, ...]
    allocatable: Mapping[str, str]
    """Resource → quantity: stands in for a limit that is not set."""


def field(pod: Obj, path: str, node: NodeFacts, pod_ips: tuple[str, ...]) -> str:
    """The value at a fieldRef's path. Raises Unresolvable."""
    subscript = _SUBSCRIPT.fullmatch(path)
    if subscript:
        return str((objects.meta(pod).get(subscript[1]) or {}).get(subscript[2], ""))
    simple: Mapping[str, Any] = {
        "metadata.name": objects.name(pod),
        "metadata.namespace": objects.namespace(pod),
        "metadata.uid": objects.uid(pod),
        "spec.nodeName": node.name,
        "spec.serviceAccountName": objects.get(pod, "spec", "serviceAccountName", default=""),
        "status.hostIP": node.ips[0],
        "status.hostIPs": ",".join(node.ips),
        "status.podIP": pod_ips[0] if pod_ips else "",
        "status.podIPs": ",".join(pod_ips),
    }
    if path in simple:
        return str(simple[path])
    if path in ("metadata.labels", "metadata.annotations"):
        return lines(objects.meta(pod).get(path.rpartition(".")[2]) or {})
    raise Unresolvable(f"unsupported fieldPath: {path}")


def lines(values: Mapping[str, str]) -> str:
    """Labels or annotations as a file shows them: ``key="value"`` a line, in order of key."""
    return "\n".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in sorted(values.items()))


def resource(pod: Obj, selector: Obj, container: Obj | None, node: NodeFacts) -> str:
    """The value of a resourceFieldRef, in units of its divisor, rounded up. ``container`` is the default for
    ``containerName``. Raises Unresolvable."""
    name = selector.get("containerName")
    found = podspec.container(pod, name) if name else container
    if found is None:
        raise Unresolvable(f"container {name} not found")
    side, _, kind = str(selector.get("resource", "")).partition(".")
    if side not in ("limits", "requests") or not kind:
        raise Unresolvable(f"unsupported container resource : {selector.get('resource', '')}")
    amount = objects.get(found, "resources", side, kind)
    if amount is None:
        amount = node.allocatable.get(kind, "0") if side == "limits" else "0"
    return str(_divided(amount, selector.get("divisor") or "1", kind))


def _divided(amount: Any, divisor: Any, kind: str) -> int:
    parts = [quantity.parse(amount), quantity.parse("1" if str(divisor) == "0" else divisor)]
    whole, unit = (quantity.milli(q) if kind == "cpu" else quantity.value(q) for q in parts)
    return -(-whole // unit)
