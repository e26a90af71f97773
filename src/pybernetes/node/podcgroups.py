"""The cgroups above containers: one per pod, and one per class of service, in version 1 and 2 alike.

Rule: what a pod's cgroup says is a pure list of (controller, file, value); writing it is all that is done here.
The layout is the kubelet's cgroupfs driver's: ``kubepods/[burstable|besteffort/]pod<uid>`` below the node's own path.
Numbers: a pod's shares are the sum of its requests; it has a quota or a memory limit where every container has one.
Neighbours: ``qos.py`` has the conversions and what a single container gets.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.node import podspec, qos

_CONTROLLERS: Final = "+cpu +cpuset +memory +pids"
_FOLDERS: Final = {qos.GUARANTEED: "", qos.BURSTABLE: "/burstable", qos.BEST_EFFORT: "/besteffort"}
_USAGE: Final = ("memory.usage_in_bytes", "total_inactive_file")
Setting: TypeAlias = tuple[str, str, str]
"""(controller, file of version 1 or 2, value)"""


class PodCgroups:
    """``base`` is the node's own path in every hierarchy, ``root`` where these are mounted."""

    def __init__(self, base: str, root: Path) -> None:
        self._base, self._root = base.rstrip("/"), root
        self._unified = (root / "cgroup.controllers").exists()
        self._burstable: dict[str, int] = {}
        self._classes: dict[str, int] = {}
        """The milli CPU that each class's cgroup was last given."""

    def path(self, pod: Obj) -> str:
        """A pod's cgroup parent, as the runtime is told of it."""
        return f"{self._base}/kubepods{_FOLDERS[_class(pod)]}/pod{objects.uid(pod)}"

    def make(self, pod: Obj) -> None:
        """Have the pod's cgroup with its limits. Raises OSError."""
        if _class(pod) == qos.BURSTABLE:
            self._burstable[objects.uid(pod)] = _milli_cpu(pod)
        self._weigh_classes()
        self._ensure(self.path(pod), pod_settings(pod, unified=self._unified))

    def remove(self, pod: Obj) -> None:
        """Take it away in every hierarchy; what the runtime left below goes with it. Raises OSError while processes
        run there."""
        for hierarchy, folder in itertools.product(self._hierarchies(), _FOLDERS.values()):  # whatever its class was
            top = hierarchy / f"{self._base}/kubepods{folder}/pod{objects.uid(pod)}".lstrip("/")
            for inner, _, _ in os.walk(top, topdown=False):
                os.rmdir(inner)
        if self._burstable.pop(objects.uid(pod), None) is not None:
            self._weigh_classes()

    def limit(self, memory_bytes: int) -> None:
        """Let all pods together have no more memory than this. Raises OSError."""
        file = "memory.max" if self._unified else "memory.limit_in_bytes"
        self._ensure(f"{self._base}/kubepods", [("memory", file, str(memory_bytes))])

    def working_set(self) -> int:
        """The memory in bytes that all pods of the node use and that the kernel could not simply drop."""
        folder = (self._root if self._unified else self._root / "memory") / f"{self._base}/kubepods".lstrip("/")
        usage, cold = ("memory.current", "inactive_file") if self._unified else _USAGE
        if not (folder / usage).exists():
            return 0
        stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        return max(0, int((folder / usage).read_text()) - int(stat.get(cold, 0)))

    def _weigh_classes(self) -> None:
        """Burstable pods weigh together what they ask for; the others nothing."""
        for name, milli_cpu in (("burstable", sum(self._burstable.values())), ("besteffort", 0)):
            if self._classes.get(name) != milli_cpu:
                self._ensure(f"{self._base}/kubepods/{name}", class_settings(milli_cpu, unified=self._unified))
                self._classes[name] = milli_cpu

    def _hierarchies(self) -> list[Path]:
        """One per controller in version 1 (a file ``tasks`` tells them from version 2's), one in all in version 2."""
        if self._unified:
            return [self._root]
        found = (p for p in sorted(self._root.iterdir()) if p.is_dir() and not p.is_symlink())
        return [p for p in found if (p / "tasks").exists()]

    def _ensure(self, path: str, settings: list[Setting]) -> None:
        for hierarchy in self._hierarchies():
            here = hierarchy
            for part in path.strip("/").split("/"):
                if self._unified:
                    (here / "cgroup.subtree_control").write_text(_CONTROLLERS)
                here = here / part
                if not here.is_dir():
                    here.mkdir()
                    _inherit_cpuset(here)
        for controller, file, value in settings:
            folder = (self._root if self._unified else self._root / controller) / path.lstrip("/")
            if folder.is_dir():  # not where this machine does not have the controller
                (folder / file).write_text(value)


def _inherit_cpuset(here: Path) -> None:
    """Version 1 gives a new cpuset nothing at all, not even what its parent has."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        if (here / "cgroup.clone_children").exists() and (here / name).exists():
            (here / name).write_text((here.parent / name).read_text())


# ── what is written (pure) ───────────────────────────────────────────────────────────────────────────────


def pod_settings(pod: Obj, *, unified: bool) -> list[Setting]:
    """The limits of a pod's cgroup."""
    settings = class_settings(_milli_cpu(pod), unified=unified)
    quota, memory = qos.quota(_limit(pod, "cpu")), _limit(pod, "memory")
    period = qos.PERIOD_MICROSECONDS
    if quota and unified:
        settings.append(("cpu", "cpu.max", f"{quota} {period}"))
    elif quota:
        settings += [("cpu", "cpu.cfs_period_us", str(period)), ("cpu", "cpu.cfs_quota_us", str(quota))]
    if memory:
        settings.append(("memory", "memory.max" if unified else "memory.limit_in_bytes", str(memory)))
    return settings


def class_settings(milli_cpu: int, *, unified: bool) -> list[Setting]:
    """The weight of a cgroup whose members ask for so much CPU."""
    shares = qos.shares(milli_cpu)
    if unified:
        return [("cpu", "cpu.weight", str(weight(shares)))]
    return [("cpu", "cpu.shares", str(shares))]


def weight(shares: int) -> int:
    """Version 2's weight (1 to 10000) of version 1's shares (2 to 262144), as runc and crun convert it."""
    return 1 + (shares - 2) * 9999 // 262142


def _class(pod: Obj) -> str:
    return objects.get(pod, "status", "qosClass") or qos.class_of(pod)


def _milli_cpu(pod: Obj) -> int:
    return _total(pod, lambda c: qos.milli(qos.requested(c, "cpu")))


def _limit(pod: Obj, resource: str) -> int:
    """The limit of a pod, 0 where one container has none."""
    read = qos.milli if resource == "cpu" else qos.size

    def limit(container: Obj) -> int:
        return read(objects.get(container, "resources", "limits", resource))

    return _total(pod, limit) if all(map(limit, podspec.all_containers(pod))) else 0


def _total(pod: Obj, amount: Callable[[Obj], int]) -> int:
    """The sum over all that runs together, or the greediest init container, whichever is more."""
    inits = podspec.init_containers(pod)
    together = [*podspec.main_containers(pod), *filter(podspec.is_sidecar, inits)]
    return max([sum(map(amount, together)), *(amount(c) for c in inits if not podspec.is_sidecar(c))])
