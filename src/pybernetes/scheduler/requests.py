"""What a pod asks of a node: the amounts that filters and scores count with. Pure.

Rule 1: containers and sidecars run together, so their requests add up; a plain init container runs alone beside the
        sidecars started before it, so it counts only where it needs more. Overhead comes on top, and what is asked
        for the pod as a whole stands in place of its containers' sum (component-helpers/resource.PodRequests).
Rule 2: cpu is counted in thousandths, everything else in whole units; ``pods`` is a resource of which each takes one.
Rule 3: for scoring, a container that asks for no cpu or memory is taken to ask for a little, so that pods without
        requests spread too (schedutil.DefaultMilliCPURequest and its neighbour).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Final, TypeAlias

from pybernetes.meta import objects, quantity
from pybernetes.meta.objects import Obj

Amounts: TypeAlias = dict[str, int]

CPU: Final = "cpu"
MEMORY: Final = "memory"
PODS: Final = "pods"
UNSTATED: Final[Mapping[str, int]] = {CPU: 100, MEMORY: 200 * 1024 * 1024}
_NOTHING: Final[Mapping[str, int]] = {}


def of_pod(pod: Obj) -> Amounts:
    """What the pod takes from a node's allocatable amounts, one of ``pods`` included."""
    return {**_sum(pod, _NOTHING), PODS: 1}


def for_score(pod: Obj) -> Amounts:
    """cpu and memory as scores count them."""
    asked = _sum(pod, UNSTATED)
    return {name: asked.get(name, 0) for name in UNSTATED}


def amounts(stated: Mapping[str, object] | None) -> Amounts:
    """A resource list as numbers."""
    return {name: amount(name, value) for name, value in (stated or {}).items()}


@functools.lru_cache(maxsize=8192)
def amount(resource: str, value: object) -> int:
    """A quantity in the unit in which its resource is counted."""
    return quantity.milli(value) if resource == CPU else quantity.value(value)


def _sum(pod: Obj, unstated: Mapping[str, int]) -> Amounts:
    spec = objects.get(pod, "spec", default={})
    total: Amounts = {}
    for container in spec.get("containers") or ():
        _add(total, _asked(pod, container, unstated))
    _raise(total, _init(pod, total, unstated))
    total |= amounts(objects.get(spec, "resources", "requests"))
    _add(total, amounts(spec.get("overhead")))
    return total


def _init(pod: Obj, total: Amounts, unstated: Mapping[str, int]) -> Amounts:
    """The most that is needed at once before the containers start; sidecars are added to ``total``."""
    sidecars: Amounts = {}
    most: Amounts = {}
    for container in objects.get(pod, "spec", "initContainers", default=()):
        asked = _asked(pod, container, unstated)
        if container.get("restartPolicy") == "Always":
            _add(total, asked)
            _add(sidecars, asked)
            _raise(most, sidecars)
        else:
            _add(asked, sidecars)
            _raise(most, asked)
    return most


def _asked(pod: Obj, container: Obj, unstated: Mapping[str, int]) -> Amounts:
    """A container's requests, and what it already holds where a resize is under way."""
    asked = {**unstated, **amounts(objects.get(container, "resources", "requests"))}
    statuses = objects.get(pod, "status", "containerStatuses", default=())
    held = next((s for s in statuses if s.get("name") == container.get("name")), None)
    if held is not None:
        _raise(asked, amounts(held.get("allocatedResources")))
        _raise(asked, amounts(objects.get(held, "resources", "requests")))
    return asked


def _add(total: Amounts, more: Mapping[str, int]) -> None:
    for name, value in more.items():
        total[name] = total.get(name, 0) + value


def _raise(total: Amounts, least: Mapping[str, int]) -> None:
    for name, value in least.items():
        total[name] = max(total.get(name, 0), value)
