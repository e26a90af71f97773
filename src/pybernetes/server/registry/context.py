"""What the registry works with: the cache it reads and writes, the table of kinds, and its neighbours in the server.

Neighbours: ``server/api.py`` builds it; ``call.py`` carries it through one request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from pybernetes.kinds.kind import Kind
from pybernetes.kinds.table import KindTable
from pybernetes.lib.clock import Clock
from pybernetes.lib.entropy import Entropy
from pybernetes.meta import times
from pybernetes.meta.objects import Obj
from pybernetes.meta.schema import Schemas
from pybernetes.server.admission.table import Admission
from pybernetes.server.context import Request, Response
from pybernetes.server.registry.decoded import Decoded
from pybernetes.server.registry.events import Events
from pybernetes.server.registry.expiry import Expiry
from pybernetes.server.registry.services import Allocator, ServiceNetwork
from pybernetes.storage.watchcache import WatchCache

Review: TypeAlias = Callable[[Request, Obj], Awaitable[Obj]]
"""Answers a kind that is asked and never stored; the object is the caller's question."""
Connect: TypeAlias = Callable[[Request, Kind], Awaitable[Response]]
"""Answers ``pods/exec``, ``pods/log``, ``…/proxy`` and their likes."""


@dataclass(slots=True)
class Context:
    cache: WatchCache
    kinds: KindTable
    schemas: Schemas
    clock: Clock
    entropy: Entropy
    admission: Admission
    reviews: Mapping[str, Review]
    """By ``Kind.resource``, and ``serviceaccounts/token``."""
    connect: Connect
    service_network: ServiceNetwork = field(default_factory=ServiceNetwork)
    decoded: Decoded = field(default_factory=Decoded)
    events: Events = field(init=False)
    allocator: Allocator | None = None
    """Made by ``hooks.py`` at first use, when the cache is full."""

    defined: Callable[[Obj], None] = field(default=lambda crd: None)
    """Is told of every definition of custom resources that is stored, before its writer is answered."""
    expiry: Expiry = field(init=False)
    _second: tuple[int, str] = (0, "")

    def __post_init__(self) -> None:
        self.events = Events(self.decoded)
        self.expiry = Expiry(self.cache, self.clock)

    def timestamp(self) -> str:
        """Now as a metav1.Time, made once a second."""
        second = int(self.clock.time())
        if second != self._second[0]:
            self._second = (second, times.render(second))
        return self._second[1]
