"""DefaultTolerationSeconds: a pod stays five minutes on a node that is not ready or cannot be reached.

Source: plugin/pkg/admission/defaulttolerationseconds.
"""

from __future__ import annotations

from typing import Final

from pybernetes.meta.objects import Obj
from pybernetes.server.admission.attributes import Attributes
from pybernetes.server.admission.plugin import Plugin, World

_TAINTS: Final = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_SECONDS: Final = 300


async def admit(world: World, a: Attributes) -> None:
    """Add what is missing to the pod's tolerations."""
    if a.obj is None:
        return
    spec: Obj = a.obj.setdefault("spec", {})
    there: list[Obj] = list(spec.get("tolerations") or ())
    missing = [taint for taint in _TAINTS if not any(_tolerates(toleration, taint) for toleration in there)]
    if missing:
        spec["tolerations"] = there + [
            {"key": taint, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": _SECONDS}
            for taint in missing
        ]


def _tolerates(toleration: Obj, taint: str) -> bool:
    return (toleration.get("key") or taint) == taint and (toleration.get("effect") or "NoExecute") == "NoExecute"


PLUGIN: Final = Plugin(name="DefaultTolerationSeconds", verbs=("create", "update"), resources=("pods",), admit=admit)
