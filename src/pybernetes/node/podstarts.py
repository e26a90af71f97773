"""Starting one attempt at a container: environment, mounts and configuration together, then create and start.

Rule: what cannot be configured is a note (``notes.starts``) with the kubelet's reason; what the runtime could not
start shows as an ended container, and the plan goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from pybernetes.meta.objects import Obj
from pybernetes.node import environment, poddns, podspec, runconfig
from pybernetes.node.environment import ConfigError
from pybernetes.node.podactions import Start
from pybernetes.node.poddirs import PodDirs
from pybernetes.node.podevents import Voice
from pybernetes.node.podnotes import Notes, Present, failed
from pybernetes.node.references import NotSyncedError
from pybernetes.node.runtime.port import RuntimeFailure
from pybernetes.node.volumes import mounts
from pybernetes.node.workshop import Workshop

CONFIG_ERROR: Final = "CreateContainerConfigError"
_CREATE_ERROR: Final = "CreateContainerError"
_FIRST_SECONDS: Final = 2.0
_MOST_SECONDS: Final = 60.0


def sandbox_config(shop: Workshop, pod: Obj, dirs: PodDirs, attempt: int) -> Obj:
    """The pod's ``PodSandboxConfig``."""
    config = shop.config
    return runconfig.sandbox_config(
        pod, attempt,
        log_directory=str(dirs.logs),
        resolver=poddns.of_pod(pod, config.cluster_dns, config.cluster_domain, shop.resolver),
        cgroup_parent=shop.cgroups.path(pod),
        cluster_domain=config.cluster_domain,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Starter:
    """``created`` is told a container's id before it runs, so that its end is never missed."""

    shop: Workshop
    pod: Obj
    dirs: PodDirs
    notes: Notes
    created: Callable[[str], None]

    async def start(self, action: Start, ips: Sequence[str]) -> str:
        """Carry out a ``Start``; ``ips`` are the pod's addresses. The container's id, empty where none runs."""
        voice = Voice(self.shop.recorder, self.pod, action.container)
        try:
            config = await self._configure(action, ips)
        except (ConfigError, NotSyncedError, OSError) as error:
            self._refused(action, voice, CONFIG_ERROR, str(error))
            return ""
        async with self.shop.slots:
            try:
                id = await self.shop.runtime.create_container(
                    action.sandbox_id, config, sandbox_config(self.shop, self.pod, self.dirs, 0)
                )
            except RuntimeFailure as failure:
                self._refused(action, voice, _CREATE_ERROR, failure.description)
                return ""
            self._begun(action, id)
            voice.say("Normal", "Created", f"Created container: {action.container}")
            try:
                await self.shop.runtime.start_container(id)
            except RuntimeFailure as failure:
                self.notes.hooks.pop(id, None)
                voice.say("Warning", "Failed", f"Error: {failure.description}")
                return ""
        voice.say("Normal", "Started", f"Started container {action.container}")
        return id

    async def _configure(self, action: Start, ips: Sequence[str]) -> Obj:
        container = podspec.container(self.pod, action.container)
        if container is None:
            raise ConfigError(f"container {action.container} not found")
        sources = await self.shop.references.found(self.pod, ips)
        variables = environment.of_container(self.pod, container, sources)
        self.dirs.make_container(action.container, action.attempt)
        image = self.notes.images.get(action.container)
        return runconfig.container_config(
            self.pod, container, action.attempt,
            image_id=action.image_id,
            image_user=image.user if isinstance(image, Present) else "",
            variables=variables,
            target_id=action.target_id,
            mounts=mounts.of_container(self.pod, container, action.attempt, self.dirs, variables),
            devices=mounts.devices_of_container(self.pod, container, self.dirs),
            memory_capacity=self.shop.machine.memory_bytes,
            capabilities=self.shop.machine.capabilities,
        )  # fmt: skip

    def _begun(self, action: Start, id: str) -> None:
        self.created(id)
        self.notes.starts.pop(action.container, None)
        self.notes.images.pop(action.container, None)  # the next attempt asks again
        self.notes.resources[id] = (podspec.container(self.pod, action.container) or {}).get("resources") or {}
        if podspec.hook(podspec.container(self.pod, action.container) or {}, "postStart"):
            self.notes.hooks[id] = "running"
        if action.backoff is not None:
            self.notes.backoffs[action.container] = action.backoff

    def _refused(self, action: Start, voice: Voice, reason: str, why: str) -> None:
        self.notes.starts[action.container] = failed(
            self.notes.starts.get(action.container), reason, why, self.shop.clock.time(),
            first_seconds=_FIRST_SECONDS, most_seconds=_MOST_SECONDS,
        )  # fmt: skip
        voice.say("Warning", "Failed", f"Error: {why}")
