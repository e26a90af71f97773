from __future__ import annotations

import pytest

from pybernetes.lib.clock import VirtualClock

from .smallapi import SmallApi


@pytest.fixture
async def api() -> SmallApi:
    return SmallApi()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()
