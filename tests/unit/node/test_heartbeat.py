"""A node's signs of life, against the real API server."""

from __future__ import annotations

from pybernetes.client import wait
from pybernetes.lib.clock import SystemClock
from pybernetes.meta import objects
from pybernetes.testing import onenode

from .scene import Scene


async def test_a_node_that_was_called_unknown_is_ready_at_its_next_beat(scene: Scene) -> None:
    unknown = {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}
    patch = {"status": {"conditions": [unknown]}}
    await scene.admin.patch("nodes", onenode.NODE, patch, kind="strategic", subresource="status")
    await scene.clock.advance(10)
    await wait.until(
        scene.admin, "nodes", "", onenode.NODE, lambda node: node is not None and objects.condition_is(node, "Ready"),
        timeout_seconds=10, clock=SystemClock(),
    )  # fmt: skip
