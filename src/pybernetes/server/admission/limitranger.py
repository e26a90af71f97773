"""LimitRanger: pods get the defaults of their namespace's LimitRanges; they and claims keep to their bounds.

Source: plugin/pkg/admission/limitranger. A pod's containers stay as they are created, so pods are looked at once, and
again when they are resized.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.server.admission import limits
from pybernetes.server.admission.attributes import Attributes, forbidden
from pybernetes.server.admission.plugin import Plugin, World


async def admit_pod(world: World, a: Attributes) -> None:
    """Fill in what the pod does not say."""
    if a.obj is not None:
        for found in (await world.limit_ranges.current()).get(a.namespace, ()):
            limits.fill(found, a.obj)


async def validate_pod(world: World, a: Attributes) -> None:
    """Raises Forbidden."""
    await _check(world, a, limits.pod_complaints)


async def validate_claim(world: World, a: Attributes) -> None:
    """Raises Forbidden."""
    await _check(world, a, limits.claim_complaints)


async def _check(world: World, a: Attributes, complaints: Callable[[Obj, Obj], Iterable[str]]) -> None:
    if a.obj is None or objects.is_deleting(a.obj):
        return
    for found in (await world.limit_ranges.current()).get(a.namespace, ()):
        wrong = list(dict.fromkeys(complaints(found, a.obj)))
        if wrong:
            raise forbidden(a, wrong[0] if len(wrong) == 1 else f"[{', '.join(wrong)}]")


PODS: Final = Plugin(
    name="LimitRanger", verbs=("create",), resources=("pods",), admit=admit_pod, validate=validate_pod
)  # fmt: skip
RESIZES: Final = Plugin(
    name="LimitRanger", verbs=("update",), resources=("pods",), subresources=("resize",), validate=validate_pod
)
CLAIMS: Final = Plugin(
    name="LimitRanger", verbs=("create", "update"), resources=("persistentvolumeclaims",), validate=validate_claim
)
