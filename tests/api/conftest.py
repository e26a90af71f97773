"""A server of its own for each test."""

from __future__ import annotations

import pytest

from .server import Server


@pytest.fixture
async def server() -> Server:
    made = Server()
    await made.start()
    return made
