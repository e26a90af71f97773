"""Keeps a node's entrance in step with Ingresses, Services and certificates: ingress-nginx's part.

Theory of operation. Whatever bears on routes (Ingresses, classes, certificates) makes the table anew; if the data plane
needs a new configuration for it, it gets one. A change of endpoints touches only the backends of that service, and the
running process is told of it; new configurations are for what has no slot. What changes meanwhile waits for the next
turn. The process goes on while this one restarts; should it end by itself, it is started again at once.
Neighbours: ``routing.py`` and ``render.py`` decide, ``haproxy.py`` performs, ``reporter.py`` tells the world.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Sequence
from typing import Final

from pybernetes.lib import log
from pybernetes.lib.clock import Clock
from pybernetes.lib.tasks import Tasks
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.network import informing
from pybernetes.network.index import SERVICES, SLICES, Delta, Key, ServiceIndex
from pybernetes.network.informing import Manager
from pybernetes.network.ingress import certificates, gateway, gatewaystatus, model, render, routing, servers
from pybernetes.network.ingress.haproxy import HAProxy, HAProxyError
from pybernetes.network.ingress.model import Backend, Table
from pybernetes.network.ingress.render import Entrance, Layout
from pybernetes.network.ingress.servers import Server

INGRESSES: Final = "ingresses.networking.k8s.io"
CLASSES: Final = "ingressclasses.networking.k8s.io"
SECRETS: Final = "secrets"
NAMESPACES: Final = "namespaces"
GATEWAY_API: Final = (gatewaystatus.CLASSES, gatewaystatus.GATEWAYS, gatewaystatus.ROUTES, NAMESPACES)
FIELDS: Final = {SECRETS: "type=kubernetes.io/tls"}
"""Other Secrets are none of our business."""
RETRY_SECONDS: Final = 5.0
PAUSE_SECONDS: Final = 0.1
"""Between two configurations: what comes in a burst becomes one."""
_log = log.Log("network.ingress")


class Ingresses:
    """``manager`` follows services, ``own`` what only an ingress controller may read (certificates).

    ``gateways`` hears what became of Gateways and HTTPRoutes; without it they are not followed.
    """

    def __init__(
        self, manager: Manager, own: Manager, haproxy: HAProxy, entrance: Entrance, clock: Clock, *,
        gateways: Callable[[gateway.Reading], object] | None = None,
    ) -> None:  # fmt: skip
        self._gateways = gateways
        self._manager, self._own, self._haproxy = manager, own, haproxy
        self._entrance, self._clock = entrance, clock
        self._index = ServiceIndex()
        self._objects: dict[str, dict[Key, Obj]] = {r: {} for r in (INGRESSES, CLASSES, SECRETS, *GATEWAY_API)}
        self._table = Table()
        self._servers: dict[Backend, tuple[Server, ...]] = {}
        self._slots: dict[Backend, list[Server | None]] = {}
        self._layout: Layout | None = None
        self._routes_changed = True
        self._services_changed: set[Key] = set()
        self._wake = asyncio.Event()
        self._tasks, self._following = Tasks(), Tasks()
        self._stopping = False
        self._ended = asyncio.Event()
        self.in_step = asyncio.Event()
        """Set while the data plane does all that the caches told of."""

    @property
    def table(self) -> Table:
        return self._table

    async def run(self) -> None:
        """Work until ``stop``; the data plane goes on."""
        for resource in (SERVICES, SLICES):
            await informing.follow(self._manager, resource, functools.partial(self._service_changed, resource))
        for resource in (CLASSES, SECRETS, INGRESSES):
            await self._follow(resource)
        for resource in GATEWAY_API if self._gateways else ():
            # Whoever removed the definitions has Ingresses still: nobody waits for these.
            self._following.start(self._follow(resource), f"following {resource}")
        self._wake.set()
        try:
            while True:
                await self._wake.wait()
                if self._stopping:
                    return
                self._wake.clear()
                await self._sync()
        finally:
            await self._tasks.stop()
            await self._following.stop()
            self._ended.set()

    async def stop(self) -> None:
        """End ``run``."""
        self._stopping = True
        self._wake.set()
        await self._ended.wait()

    async def _follow(self, resource: str) -> None:
        changed = functools.partial(self._object_changed, resource)
        await informing.follow(self._own, resource, changed, fields=FIELDS.get(resource, ""))

    def _service_changed(self, resource: str, deltas: Sequence[Delta]) -> None:
        self._services_changed |= self._index.apply(resource, deltas)
        if resource == SERVICES and self._objects[gatewaystatus.ROUTES]:
            self._routes_changed |= any(old is None or new is None for old, new in deltas)
        self._wake_up()

    def _object_changed(self, resource: str, deltas: Sequence[Delta]) -> None:
        held = self._objects[resource]
        for old, new in deltas:
            told = new or old or {}
            key = objects.namespace(told), objects.name(told)
            if new is None:
                held.pop(key, None)
            else:
                held[key] = new
            if not _is_same(resource, old, new):
                self._routes_changed = True
        self._wake_up()

    def _wake_up(self) -> None:
        if self._routes_changed or any(b.service and servers.key(b) in self._services_changed for b in self._servers):
            self.in_step.clear()
            self._wake.set()
        else:
            self._services_changed.clear()

    # ── performing ───────────────────────────────────────────────────────────────────────────────────────

    async def _sync(self) -> None:
        try:
            if self._routes_changed or self._layout is None:
                await self._renew()
            else:
                await self._move()
        except HAProxyError as error:
            _log.warning("the entrance is behind, trying again", why=str(error), seconds=RETRY_SECONDS)
            self._layout = None
            self._clock.call_later(RETRY_SECONDS, self._wake.set)
            return
        if not self._routes_changed and not self._services_changed:
            self.in_step.set()

    async def _renew(self) -> None:
        """The table anew, and a new configuration if that asks for one."""
        self._routes_changed = False
        self._services_changed.clear()
        self._table = routing.table(
            self._objects[INGRESSES].values(), self._objects[CLASSES].values(), self._has_certificate
        )
        if self._gateways is not None:
            reading = gateway.read(self._world())
            self._table = model.merged(self._table, reading.table)
            self._gateways(reading)
        self._servers = {b: servers.servers(b, self._index).found for b in self._table.backends()}
        layout = self._new_layout()
        await (self._tell() if layout == self._layout else self._load(layout))

    async def _move(self) -> None:
        """Other servers for some backends."""
        assert self._layout is not None
        touched = [b for b in self._servers if servers.key(b) in self._services_changed]
        self._services_changed.clear()
        found = {b: servers.servers(b, self._index).found for b in touched}
        self._servers |= found
        capacity, by_name = self._layout.capacity, self._layout.by_name
        if any(len(s) > capacity[b] or b in by_name or render.has_names(s) for b, s in found.items()):
            await self._load(self._new_layout())
        else:
            await self._tell()

    def _new_layout(self) -> Layout:
        wanted = {(c.namespace, c.secret) for c in self._table.certificates}
        pems = {key: self._pem(*key) for key in wanted}
        before = {} if self._layout is None else self._layout.capacity
        directory = self._entrance.directory
        return render.layout(self._table, self._servers, {k: p for k, p in pems.items() if p}, directory, before)

    def _world(self) -> gateway.World:
        classes, gateways, routes, namespaces = (list(self._objects[r].values()) for r in GATEWAY_API)
        return gateway.World(
            classes, gateways, routes, namespaces,
            lambda namespace, name: self._index.service((namespace, name)) is not None, self._has_certificate,
        )  # fmt: skip

    def _has_certificate(self, namespace: str, secret: str) -> bool:
        return self._pem(namespace, secret) is not None

    def _pem(self, namespace: str, name: str) -> bytes | None:
        return certificates.pem(self._objects[SECRETS].get((namespace, name)))

    async def _load(self, layout: Layout) -> None:
        slots = self._filled(layout)
        await self._haproxy.load(lambda socket: render.config(layout, slots, self._entrance, socket), layout.files)
        self._layout, self._slots = layout, slots
        if not len(self._tasks):
            self._tasks.start(self._watch(), "the entrance's process")
        await self._clock.sleep(PAUSE_SECONDS)

    async def _tell(self) -> None:
        assert self._layout is not None
        slots = self._filled(self._layout)
        commands = [
            command
            for backend, name in self._layout.names.items()
            for command in render.commands(name, self._slots[backend], slots[backend])
        ]
        await self._haproxy.tell(commands)
        self._slots = slots

    def _filled(self, layout: Layout) -> dict[Backend, list[Server | None]]:
        return {
            backend: render.fill(self._slots.get(backend, ()), self._servers[backend], capacity)
            for backend, capacity in layout.capacity.items()
        }

    async def _watch(self) -> None:
        await self._haproxy.ended()
        _log.warning("the entrance's process ended; it is started again")
        self._layout = None
        self._wake.set()


def _is_same(resource: str, old: Obj | None, new: Obj | None) -> bool:
    """Does the change leave alone what we read? The status of an Ingress, for one, is not read."""
    if old is None or new is None:
        return False
    parts = ("spec", "data", "status") if resource in GATEWAY_API else ("spec", "data")
    return all(old.get(key) == new.get(key) for key in parts) and (
        all(objects.meta(old).get(key) == objects.meta(new).get(key) for key in ("annotations", "labels"))
    )
