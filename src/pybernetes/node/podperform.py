"""Carrying out what a plan asks for, for one pod: one function per action, found by the action's type.

Rule: an action that takes long (a pull, a hook, a stop with its grace) runs beside the worker and wakes it at its end;
everything else is done when ``perform`` returns. Failures become notes, from which the next plan waits.
Neighbours: ``podplan.py`` asks, ``podworker.py`` calls, ``podstarts.py`` and ``images.py`` do their parts.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from math import ceil
from pathlib import Path
from typing import Any, Final

from pybernetes.lib.process import ProcessError
from pybernetes.lib.tasks import Tasks
from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj
from pybernetes.node import podactions as actions
from pybernetes.node import poddns, podspec, podstarts, podstatus, qos
from pybernetes.node.hooks import LEAST_GRACE_SECONDS
from pybernetes.node.podactions import Observed
from pybernetes.node.poddirs import PodDirs
from pybernetes.node.podevents import Voice
from pybernetes.node.podhooks import PodHooks
from pybernetes.node.podnotes import Notes, Pulling, failed
from pybernetes.node.references import NotSyncedError
from pybernetes.node.runtime.port import RuntimeFailure
from pybernetes.node.volumes import table
from pybernetes.node.volumes.material import Material, VolumeError
from pybernetes.node.workshop import Workshop

_FIRST_SECONDS: Final = 0.5
_MOST_SECONDS: Final = 120.0
_STOP_RETRY_SECONDS: Final = 5.0
_RESIZE_RETRY_SECONDS: Final = 10.0
_NODE_HOSTS: Final = Path("/etc/hosts")


class Performer:
    """``wake`` wakes the pod's worker; ``report`` brings its last status to the API."""

    def __init__(
        self, shop: Workshop, dirs: PodDirs, notes: Notes, tasks: Tasks, *,
        wake: Callable[[], None], report: Callable[[], Awaitable[None]],
    ) -> None:  # fmt: skip
        self._shop, self._dirs, self._notes, self._tasks = shop, dirs, notes, tasks
        self._wake, self._report = wake, report
        self._hooks = PodHooks(shop, notes, tasks, wake)
        self._stopping: dict[str, float] = {}
        self.created: set[str] = set()
        """Ids of what was started since the worker last looked."""
        self.forgotten = False

    async def perform(self, pod: Obj, planned: Sequence[actions.Action], observed: Observed) -> bool:
        """Carry out actions in order; False where all that was asked for is under way already. Raises
        RuntimeFailure, ProcessError, OSError or ApiError from what can only be tried again."""
        done = False
        for action in planned:
            done = await _PERFORM[type(action)](self, pod, action, observed) is not False or done
        return done

    # ── the pod ──────────────────────────────────────────────────────────────────────────────────────────

    async def prepare(self, pod: Obj, action: actions.Prepare, observed: Observed) -> None:
        try:
            self._dirs.make()
            self._shop.cgroups.make(pod)
            await table.set_up(await self.setting(pod))
        except VolumeError as error:
            self._step_failed(pod, "FailedMount", str(error))
        except OSError as error:
            self._step_failed(pod, "FailedCreatePodContainer", f"unable to ensure pod container exists: {error}")
        else:
            self._notes.prepared, self._notes.step = True, None

    async def setting(self, pod: Obj) -> table.Setting:
        """What the pod's volumes are made from, as of now. Raises VolumeError."""
        shop = self._shop
        try:
            material = Material(
                await shop.references.found(pod), await shop.tokens.of_pod(pod), await shop.claims.of_pod(pod)
            )
        except NotSyncedError as error:
            names = [v["name"] for v in table.volumes_of(pod)]
            raise VolumeError(names[0] if names else "", str(error)) from error
        version = f"{int(shop.clock.time() * 1e9)}.{shop.entropy.suffix()}"
        return table.Setting(pod, self._dirs, material, shop.machine.memory_bytes, version, shop.place)

    async def create_sandbox(self, pod: Obj, action: actions.CreateSandbox, observed: Observed) -> None:
        if action.attempt:
            text = "Pod sandbox changed, it will be killed and re-created."
            Voice(self._shop.recorder, pod).say("Normal", "SandboxChanged", text)
        config = podstarts.sandbox_config(self._shop, pod, self._dirs, action.attempt)
        try:
            handler = await self._handler(pod)
            async with self._shop.slots:
                id = await self._shop.runtime.run_sandbox(config, handler)
                sandbox = await self._shop.runtime.sandbox(id)
        except (RuntimeFailure, errors.NotFound) as failure:
            self._step_failed(pod, "FailedCreatePodSandBox", f"Failed to create pod sandbox: {failure}")
            return
        self.created.add(id)
        self._notes.step = None
        self._dirs.hosts.write_text(self._hosts(pod, sandbox.ips))

    async def _handler(self, pod: Obj) -> str:
        """What the pod's RuntimeClass wants its sandbox to be run by. Raises ApiError."""
        name = objects.get(pod, "spec", "runtimeClassName")
        if not name:
            return ""
        found = await self._shop.client.get("runtimeclasses.node.k8s.io", name)
        return str(found.get("handler", ""))

    def _hosts(self, pod: Obj, ips: Sequence[str]) -> str:
        if podspec.host_network(pod):
            return poddns.host_network_hosts_file(pod, _NODE_HOSTS.read_text() if _NODE_HOSTS.exists() else "")
        return poddns.hosts_file(pod, ips, self._shop.config.cluster_domain)

    async def stop_sandbox(self, pod: Obj, action: actions.StopSandbox, observed: Observed) -> None:
        async with self._shop.slots:
            await self._shop.runtime.stop_sandbox(action.id)

    async def remove_sandbox(self, pod: Obj, action: actions.RemoveSandbox, observed: Observed) -> None:
        async with self._shop.slots:
            await self._shop.runtime.remove_sandbox(action.id)

    async def release(self, pod: Obj, action: actions.Release, observed: Observed) -> None:
        await table.tear_down(self._dirs, self._shop.place)
        self._shop.cgroups.remove(pod)
        self._shop.references.release(objects.uid(pod))
        self._shop.tokens.forget(objects.uid(pod))
        self._shop.claims.forget(objects.uid(pod))
        self._notes.cleaned = True

    async def report(self, pod: Obj, action: actions.Report, observed: Observed) -> None:
        await self._report()
        with contextlib.suppress(errors.NotFound, errors.Conflict):  # gone, or another pod has its name: as wanted
            await self._shop.client.delete(
                "pods", objects.name(pod), objects.namespace(pod), uid=objects.uid(pod), grace_period_seconds=0
            )
        self._notes.reported = True

    async def forget(self, pod: Obj, action: actions.Forget, observed: Observed) -> None:
        await table.tear_down(self._dirs, self._shop.place)  # what is mounted is never removed with the folder
        await asyncio.to_thread(self._dirs.remove)  # an emptyDir may hold any number of files
        self.forgotten = True

    # ── its containers ───────────────────────────────────────────────────────────────────────────────────

    async def ensure_image(self, pod: Obj, action: actions.EnsureImage, observed: Observed) -> None:
        before = self._notes.images.get(action.container)
        self._notes.images[action.container] = Pulling()

        async def pull() -> None:
            spec = podspec.container(pod, action.container) or {}
            voice = Voice(self._shop.recorder, pod, action.container)
            config = podstarts.sandbox_config(self._shop, pod, self._dirs, 0)
            secrets = await self._pull_secrets(pod)
            note = await self._shop.images.ensure(spec, before, secrets, config, voice)
            self._notes.images[action.container] = note
            self._wake()

        self._tasks.start(pull(), f"image of {action.container} of {podspec.reference(pod)}")

    async def _pull_secrets(self, pod: Obj) -> list[Obj]:
        """Those that exist; a missing one is as good as none."""
        names = [s.get("name") for s in objects.get(pod, "spec", "imagePullSecrets", default=[])]
        if not names:
            return []
        try:
            sources = await self._shop.references.found(pod)
        except NotSyncedError:
            return []
        return [sources.secrets[name] for name in names if name in sources.secrets]

    async def start(self, pod: Obj, action: actions.Start, observed: Observed) -> None:
        ips = tuple(podstatus.pod_ips(pod, observed, (self._shop.config.ip,)))
        id = await podstarts.Starter(self._shop, pod, self._dirs, self._notes, self.created.add).start(action, ips)
        if id in self._notes.hooks:
            work = self._hooks.post_start(pod, action.container, id, ips)
            self._tasks.start(work, f"postStart hook of {action.container} of {podspec.reference(pod)}")

    async def stop(self, pod: Obj, action: actions.Stop, observed: Observed) -> bool:
        """Beside the worker; a stop under way is only hurried by one with less grace."""
        ends_at = self._shop.clock.time() + action.grace_seconds
        under_way = self._stopping.get(action.id)
        if under_way is not None and under_way <= ends_at + 1:
            return False
        if under_way is None:
            Voice(self._shop.recorder, pod, action.container).say("Normal", "Killing", action.message)
        self._stopping[action.id] = ends_at
        ips = tuple(podstatus.pod_ips(pod, observed, (self._shop.config.ip,)))
        work = self._stop(pod, action, ends_at, ips)
        self._tasks.start(work, f"stop of {action.container} of {podspec.reference(pod)}")
        return False

    async def _stop(self, pod: Obj, action: actions.Stop, ends_at: float, ips: Sequence[str]) -> None:
        hooked = await self._hooks.pre_stop(pod, action.container, action.id, ips, ends_at)
        left = max(ceil(ends_at - self._shop.clock.time()), LEAST_GRACE_SECONDS) if hooked else action.grace_seconds
        try:
            await self._shop.runtime.stop_container(action.id, left)
        except RuntimeFailure as failure:
            text = f'error killing pod: failed to "KillContainer" for "{action.container}" with: {failure}'
            Voice(self._shop.recorder, pod).say("Warning", "FailedKillPod", text)
            await self._shop.clock.sleep(_STOP_RETRY_SECONDS)
        if self._stopping.get(action.id) == ends_at:
            del self._stopping[action.id]
        self._wake()

    async def resize(self, pod: Obj, action: actions.Resize, observed: Observed) -> None:
        spec = podspec.container(pod, action.container) or {}
        try:
            with contextlib.suppress(OSError):  # the pod's own limits first, unless they become less than a container's
                self._shop.cgroups.make(pod)
            resources = qos.container_resources(pod, spec, self._shop.machine.memory_bytes)
            await self._shop.runtime.update_resources(action.id, resources)
            self._shop.cgroups.make(pod)
        except (RuntimeFailure, OSError) as failure:
            self._notes.resize_error = f"failed to resize container {action.container}: {failure}"
            self._notes.resize_at = self._shop.clock.time() + _RESIZE_RETRY_SECONDS
        else:
            self._notes.resources[action.id] = spec.get("resources") or {}
            self._notes.resize_error = ""

    async def remove(self, pod: Obj, action: actions.Remove, observed: Observed) -> None:
        await self._shop.runtime.remove_container(action.id)

    def _step_failed(self, pod: Obj, reason: str, message: str) -> None:
        before = self._notes.step if self._notes.step and self._notes.step.reason == reason else None
        self._notes.step = failed(
            before, reason, message, self._shop.clock.time(), first_seconds=_FIRST_SECONDS, most_seconds=_MOST_SECONDS
        )
        Voice(self._shop.recorder, pod).say("Warning", reason, message)


_PERFORM: Final[dict[type[Any], Callable[..., Awaitable[bool | None]]]] = {
    actions.Prepare: Performer.prepare,
    actions.CreateSandbox: Performer.create_sandbox,
    actions.StopSandbox: Performer.stop_sandbox,
    actions.RemoveSandbox: Performer.remove_sandbox,
    actions.EnsureImage: Performer.ensure_image,
    actions.Start: Performer.start,
    actions.Stop: Performer.stop,
    actions.Resize: Performer.resize,
    actions.Remove: Performer.remove,
    actions.Release: Performer.release,
    actions.Report: Performer.report,
    actions.Forget: Performer.forget,
}
TRY_AGAIN: Final = (RuntimeFailure, ProcessError, OSError, errors.ApiError)
"""What an action may fail with that a later try may mend."""
