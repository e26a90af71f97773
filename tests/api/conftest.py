"""A server of its own for each test."""

from __future__ import annotations

import time

import pytest

from pybernetes.cluster import pki

from .server import Server


@pytest.fixture
async def server() -> Server:
    made = Server()
    await made.start()
    return made


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> pki.Pki:
    """Of a server at 127.0.0.1 and of the service ``hook`` in ``default``."""
    files = pki.Pki(tmp_path_factory.mktemp("pki"), time.time())
    files.ensure([pki.apiserver(["127.0.0.1", "hook.default.svc"])])
    return files
