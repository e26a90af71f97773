"""The folder of manifests from which a node has static pods, and the mirrors that show them in the API.

Theory of operation. The folder is watched (and looked at now and then, where an event got lost); its pods begin and end
as its files come and go, an API or not. Mirrors are put right one by one, and again later where the API refuses.
Neighbours: ``static.py`` decides, ``agent.py`` has the workers and tells of mirrors that changed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

from pybernetes.client.client import Client
from pybernetes.lib.clock import Clock
from pybernetes.lib.log import Log
from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj
from pybernetes.node import static
from pybernetes.node.logs_watch import Watcher

_log = Log("node.manifests")
_LOOK_SECONDS: Final = 20.0
_AGAIN_SECONDS: Final = 5.0
_SUFFIXES: Final = frozenset((".yaml", ".yml", ".json"))
_Name: TypeAlias = tuple[str, str]


class StaticPods:
    """``changed`` is told when pods have come or gone; ``node_uid`` answers with the uid of the Node."""

    def __init__(
        self, folder: Path, node: str, client: Client, clock: Clock, *,
        changed: Callable[[], None], node_uid: Callable[[], str],
    ) -> None:  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._node, self._client, self._clock = folder, node, client, clock
        self._changed, self._node_uid = changed, node_uid
        self._pods: dict[_Name, Obj] = {}
        self._mirrors: dict[_Name, Obj] = {}
        self._due: set[_Name] = set()
        self._woken = asyncio.Event()

    def pods(self) -> list[Obj]:
        """The static pods that the files describe now."""
        return list(self._pods.values())

    def mirror_of(self, pod: Obj) -> Obj | None:
        """What the API shows of a static pod, if it does."""
        mirror = self._mirrors.get(static.full_name(pod))
        return mirror if mirror is not None and static.mirrors(mirror, pod) else None

    def mirror_changed(self, name: _Name, mirror: Obj | None) -> None:
        """The API has this mirror now, or none of that name any more."""
        if mirror is None:
            self._mirrors.pop(name, None)
        else:
            self._mirrors[name] = mirror
        self._put_right(name)

    async def watch(self) -> None:
        """Follow the folder until cancelled."""
        watch = Watcher().watch(self._folder)
        try:
            while True:
                self.read()
                await watch.changed(self._clock, _LOOK_SECONDS)
        finally:
            watch.close()

    async def mirror(self) -> None:
        """Keep the mirrors right until cancelled."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            due, self._due = self._due, set()
            for name in sorted(due):
                try:
                    await self._mirror(name)
                except errors.ApiError as error:
                    _log.info("a mirror waits for the API", pod="/".join(name), why=error)
                    self._due.add(name)
            if self._due:
                self._clock.call_later(_AGAIN_SECONDS, self._woken.set)

    # ── files ────────────────────────────────────────────────────────────────────────────────────────────

    def read(self) -> None:
        """Look at the folder once."""
        found = {static.full_name(pod): pod for pod in self._described()}
        before, self._pods = self._pods, found
        names = {n for n in {*before, *found} if objects.uid(before.get(n) or {}) != objects.uid(found.get(n) or {})}
        for name in names:
            self._put_right(name)
        if names:
            self._changed()

    def _described(self) -> Iterator[Obj]:
        for path in sorted(self._folder.iterdir()):
            if path.suffix in _SUFFIXES and not path.name.startswith("."):
                try:
                    content = path.read_bytes()
                    yield static.pod_of(_parse(path, content), self._node, str(path), content, self._clock.time())
                except (OSError, ValueError) as error:
                    _log.warning("a manifest describes no pod", file=path, why=error)

    # ── mirrors ──────────────────────────────────────────────────────────────────────────────────────────

    def _put_right(self, name: _Name) -> None:
        self._due.add(name)
        self._woken.set()

    async def _mirror(self, name: _Name) -> None:
        """Create the mirror that is missing, or take away one that shows something else."""
        pod, mirror = self._pods.get(name), self._mirrors.get(name)
        if pod is not None and mirror is None:
            try:
                await self._client.create("pods", static.mirror_of(pod, self._node_uid()))
            except errors.AlreadyExists:
                return  # the watch will tell
        elif mirror is not None and (pod is None or not static.mirrors(mirror, pod)):
            try:
                await self._client.delete("pods", name[1], name[0], uid=objects.uid(mirror), grace_period_seconds=0)
            except (errors.NotFound, errors.Conflict):
                return


def _parse(path: Path, content: bytes) -> Any:
    """Raises ValueError."""
    if path.suffix == ".json":
        return json.loads(content)
    import yaml  # only a node with static pods pays for it

    try:
        return yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
