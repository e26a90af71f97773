"""What a pod as a whole asks for and may use (component-helpers/resource.PodRequests, PodLimits).

Rule: containers and sidecars run together, so theirs add up; a plain init container runs alone beside the sidecars
started before it and counts only where it needs more. What is said of the pod as a whole stands in place of the sum,
and overhead comes on top.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from pybernetes.kinds.quota import amounts
from pybernetes.kinds.quota.amounts import Amount, Amounts
from pybernetes.meta.objects import Obj

Side: TypeAlias = Literal["requests", "limits"]


def total(spec: Obj, side: Side) -> dict[str, Amount]:
    """The sum over a pod's spec."""
    running: dict[str, Amount] = {}
    for container in spec.get("containers") or ():
        running = amounts.add(running, stated(container, side))
    running = _with_init(spec, running, side)
    running |= stated(spec, side)
    overhead = amounts.parse(spec.get("overhead"))
    if side == "limits":  # where there is no limit, overhead does not make one
        overhead = amounts.mask(overhead, running)
    return amounts.add(running, overhead)


def stated(holder: Obj, side: Side) -> dict[str, Amount]:
    """What ``resources`` of a container, or of a pod's spec, says."""
    return amounts.parse((holder.get("resources") or {}).get(side))


def _with_init(spec: Obj, running: Amounts, side: Side) -> dict[str, Amount]:
    sidecars: Amounts = {}
    most: Amounts = {}
    for container in spec.get("initContainers") or ():
        asked = stated(container, side)
        if container.get("restartPolicy") == "Always":
            running = amounts.add(running, asked)
            sidecars = amounts.add(sidecars, asked)
            most = amounts.greatest(most, sidecars)
        else:
            most = amounts.greatest(most, amounts.add(asked, sidecars))
    return amounts.greatest(running, most)
