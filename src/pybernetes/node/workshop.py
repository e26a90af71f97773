"""What the workers of all pods of one node share: the ways out to API, runtime and machine.

Neighbours: ``agent.py`` puts it together once, ``podworker.py`` and what it uses take it as it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from pybernetes.client.client import Client
from pybernetes.lib.clock import Clock
from pybernetes.lib.entropy import Entropy
from pybernetes.meta.objects import Obj
from pybernetes.node.config import Config
from pybernetes.node.images import Images
from pybernetes.node.podcgroups import PodCgroups
from pybernetes.node.poddns import Resolver
from pybernetes.node.podevents import Recorder
from pybernetes.node.references import References
from pybernetes.node.runtime.port import Runtime
from pybernetes.node.sysinfo import Machine
from pybernetes.node.tokens import Tokens
from pybernetes.node.volumes.claims import Claims
from pybernetes.node.volumes.persistent import Place

STARTS_MAX: Final = 10
"""How many sandboxes and containers are started or taken down at once; more only wait inside the runtime."""


@dataclass(slots=True)
class Workshop:
    config: Config
    machine: Machine
    client: Client
    runtime: Runtime
    clock: Clock
    entropy: Entropy
    recorder: Recorder
    references: References
    tokens: Tokens
    claims: Claims
    place: Place
    """Where persistent volumes are made."""
    images: Images
    cgroups: PodCgroups
    pods: Callable[[], Sequence[Obj]]
    """All pods of this node."""
    resolver: Resolver
    """The node's own."""
    slots: asyncio.Semaphore
