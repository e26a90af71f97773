"""Where a pod's files lie on the node: the kubelet's layout, so that people and tools find what they know.

<kubelet>/pods/<uid>/etc-hosts
<kubelet>/pods/<uid>/volumes/kubernetes.io~<plugin>/<volume>
<kubelet>/pods/<uid>/containers/<container>/<attempt>      the termination message
<logs>/<namespace>_<name>_<uid>/<container>/<attempt>.log
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.node.config import Config


@dataclass(frozen=True, slots=True)
class PodDirs:
    root: Path
    logs: Path

    @property
    def hosts(self) -> Path:
        return self.root / "etc-hosts"

    def volumes(self, plugin: str) -> Path:
        """The folder of all volumes of a plugin."""
        return self.root / "volumes" / f"kubernetes.io~{plugin}"

    def volume(self, plugin: str, name: str) -> Path:
        """``plugin`` as in the path: ``empty-dir``, ``configmap``."""
        return self.volumes(plugin) / name

    def termination_log(self, container: str, attempt: int) -> Path:
        return self.root / "containers" / container / str(attempt)

    def make(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True, mode=0o750)
        self.logs.mkdir(parents=True, exist_ok=True, mode=0o755)

    def make_container(self, container: str, attempt: int) -> Path:
        """Room for an attempt's log and its empty termination message, whose path is the answer."""
        (self.logs / container).mkdir(parents=True, exist_ok=True)
        message = self.termination_log(container, attempt)
        message.parent.mkdir(parents=True, exist_ok=True)
        message.touch()
        message.chmod(0o666)  # whatever user the container runs as may write it
        return message

    def remove(self) -> None:
        """Everything, once nothing is mounted there any more."""
        for folder in (self.root, self.logs):
            if folder.exists():
                shutil.rmtree(folder)


def root(config: Config, uid: str) -> Path:
    """The folder of the pod of that uid."""
    return config.kubelet / "pods" / uid


def of(config: Config, pod: Obj) -> PodDirs:
    uid = objects.uid(pod)
    logs = config.logs / f"{objects.namespace(pod)}_{objects.name(pod)}_{uid}"
    return PodDirs(root(config, uid), logs)


def leftovers(config: Config) -> list[str]:
    """The uids of all pods that have directories here."""
    pods = config.kubelet / "pods"
    return sorted(p.name for p in pods.iterdir()) if pods.is_dir() else []
