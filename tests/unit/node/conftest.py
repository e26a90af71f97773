from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pybernetes.lib.clock import VirtualClock
from pybernetes.node.runtime.memory import MemoryRuntime
from pybernetes.testing import onenode

from .scene import Scene


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    clock = VirtualClock()
    runtime = MemoryRuntime(clock, images=["web:1"], registry=["far:1", "web:latest"])
    made = Scene(runtime, onenode.config(tmp_path), clock)
    await made.start()
    yield made
    await made.stop()
