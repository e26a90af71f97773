"""How long the program of a simulated pod takes: as long as its command says that it sleeps, which else is no time.

Rule: ``sleep 600``, and a shell's ``echo job; sleep 20``, are read for their numbers; a container takes the sum of its
own, a pod as long as its longest container. What sleeps for ever never ends.
"""

from __future__ import annotations

import re
from typing import Final

from pybernetes.meta.objects import Obj
from pybernetes.node import podspec

_SLEEP: Final = re.compile(r"\bsleep\s+(infinity|\d+(?:\.\d+)?)([smhd]?)\b")
_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def of(pod: Obj) -> float:
    """Seconds from a pod's start to its end."""
    return max((_container(container) for container in podspec.main_containers(pod)), default=0.0)


def _container(container: Obj) -> float:
    words = [*(container.get("command") or ()), *(container.get("args") or ())]
    naps = _SLEEP.findall(" ".join(map(str, words)))
    return sum((float("inf") if number == "infinity" else float(number) * _UNITS[unit] for number, unit in naps), 0.0)
