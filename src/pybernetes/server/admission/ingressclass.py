"""DefaultIngressClass: an Ingress that names no class gets the default one.

Source: plugin/pkg/admission/network/defaultingressclass. Of several defaults the youngest counts, and of those of one
age the first by name.
"""

from __future__ import annotations

from typing import Final

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.server.admission.attributes import Attributes
from pybernetes.server.admission.plugin import Plugin, World

_GROUP: Final = "networking.k8s.io"
_DEFAULT: Final = "ingressclass.kubernetes.io/is-default-class"
_OLDER: Final = "kubernetes.io/ingress.class"
"""The annotation that named the class before there was a field for it."""


async def admit(world: World, a: Attributes) -> None:
    """Fill in ``spec.ingressClassName``."""
    if a.obj is None or _OLDER in objects.annotations(a.obj):
        return
    spec: Obj = a.obj.setdefault("spec", {})
    if spec.get("ingressClassName") is not None:
        return
    found = [c for c in world.live.list(_GROUP, "ingressclasses") if objects.annotations(c).get(_DEFAULT) == "true"]
    by_name = sorted(found, key=objects.name)
    youngest = max(by_name, key=lambda c: str(objects.meta(c).get("creationTimestamp")), default=None)
    if youngest is not None:
        spec["ingressClassName"] = objects.name(youngest)


PLUGIN: Final = Plugin(
    name="DefaultIngressClass", verbs=("create",), resources=(f"ingresses.{_GROUP}",), admit=admit
)  # fmt: skip
