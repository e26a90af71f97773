from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pybernetes.testing.cluster import Cluster


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    async with Cluster(nodes=2) as made:
        yield made
