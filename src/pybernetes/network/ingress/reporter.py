"""Tells of Ingresses what the entrance does for them: their addresses, and an event for each that is taken in.

Rule: only the node that speaks for all (``status.py``) writes; the others listen, so that one of them can go on.
Neighbours: ``loop.py`` does the work itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from pybernetes.client.client import Client
from pybernetes.control.events import Recorder
from pybernetes.lib import log
from pybernetes.lib.clock import Clock
from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj
from pybernetes.network import informing
from pybernetes.network.index import SERVICES, SLICES, Delta, Key, ServiceIndex
from pybernetes.network.informing import Manager
from pybernetes.network.ingress import routing, status
from pybernetes.network.ingress.loop import CLASSES, INGRESSES

RETRY_SECONDS: Final = 5.0
_ENTRANCE: Final = (status.NAMESPACE, status.SERVICE)
_log = log.Log("network.ingress.reporter")


class Reporter:
    """``client`` is the ingress controller's own."""

    def __init__(self, manager: Manager, own: Manager, client: Client, node_name: str, clock: Clock) -> None:
        self.moved: Callable[[], object] = lambda: None
        """Called when the entrance's addresses, or who tells of them, may be others."""
        self._manager, self._own, self._client = manager, own, client
        self._node_name, self._clock = node_name, clock
        self._recorder = Recorder(client, clock, status.COMPONENT)
        self._index = ServiceIndex()
        self._nodes: dict[str, Obj] = {}
        self._classes: dict[str, Obj] = {}
        self._ingresses: dict[Key, Obj] = {}
        self._told: dict[Key, object] = {}
        self._places: dict[str, str] = {}
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Work until cancelled."""
        await informing.follow(self._manager, SERVICES, self._services_changed)
        await informing.follow(self._manager, SLICES, self._slices_changed)
        await informing.follow(self._manager, "nodes", self._nodes_changed)
        await informing.follow(self._own, CLASSES, self._classes_changed)
        await informing.follow(self._own, INGRESSES, self._ingresses_changed)
        self._wake.set()
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                await self._report()
        finally:
            await self._recorder.stop()

    def _services_changed(self, deltas: Sequence[Delta]) -> None:
        self._indexed(SERVICES, deltas)

    def _slices_changed(self, deltas: Sequence[Delta]) -> None:
        self._indexed(SLICES, deltas)

    def _indexed(self, resource: str, deltas: Sequence[Delta]) -> None:
        ours = [d for d in deltas if _is_ours(resource, d[1] or d[0] or {})]
        if ours and self._index.apply(resource, ours):
            self._wake.set()

    def _nodes_changed(self, deltas: Sequence[Delta]) -> None:
        for old, new in deltas:
            name = objects.name(new or old or {})
            was_ready = objects.condition_is(self._nodes.get(name, {}), "Ready")
            self._nodes[name] = new or {}
            if objects.condition_is(self._nodes[name], "Ready") != was_ready:
                self._wake.set()

    def _classes_changed(self, deltas: Sequence[Delta]) -> None:
        for old, new in deltas:
            if new is None:
                self._classes.pop(objects.name(old or {}), None)
            else:
                self._classes[objects.name(new)] = new
        self._wake.set()

    def _ingresses_changed(self, deltas: Sequence[Delta]) -> None:
        for old, new in deltas:
            told = new or old or {}
            key = objects.namespace(told), objects.name(told)
            if new is None:
                self._ingresses.pop(key, None)
                self._told.pop(key, None)
            else:
                self._ingresses[key] = new
        self._wake.set()

    async def _report(self) -> None:
        places = status.places(self._index.slices(_ENTRANCE), (n for n in self._nodes.values() if n))
        if places != self._places:
            self._places = places
            self.moved()
        if self.speaks() is None:
            self._told.clear()
            return
        wanted = status.wanted(self._index.service(_ENTRANCE), list(places.values()))
        ours = routing.our_classes(self._classes.values())
        for key, ingress in list(self._ingresses.items()):
            if routing.is_ours(ingress, ours):
                self._tell(key, ingress)
                await self._put_status(ingress, wanted)

    def speaks(self) -> list[str] | None:
        """The entrance's addresses if this node speaks for all, else None."""
        return list(self._places.values()) if next(iter(self._places), None) == self._node_name else None

    def _tell(self, key: Key, ingress: Obj) -> None:
        """Once for each change of what the user wrote."""
        mark = objects.meta(ingress).get("uid"), ingress.get("spec"), objects.meta(ingress).get("annotations")
        if self._told.get(key) != mark:
            self._told[key] = mark
            self._recorder.emit(status.synced(ingress))

    async def _put_status(self, ingress: Obj, wanted: Obj) -> None:
        if not status.differs(ingress, wanted):
            return
        try:
            await self._client.patch(
                INGRESSES, objects.name(ingress), {"status": wanted}, namespace=objects.namespace(ingress),
                subresource="status",
            )  # fmt: skip
        except errors.NotFound:
            return
        except errors.ApiError as error:
            _log.warning("an Ingress's address could not be written", name=objects.name(ingress), reason=error.message)
            self._clock.call_later(RETRY_SECONDS, self._wake.set)


def _is_ours(resource: str, obj: Obj) -> bool:
    name = objects.name(obj) if resource == SERVICES else objects.labels(obj).get("kubernetes.io/service-name")
    return (objects.namespace(obj), name) == _ENTRANCE
