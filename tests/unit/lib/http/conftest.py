"""Certificates and a server on a loopback port."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from pybernetes.cluster import pki
from pybernetes.lib import tls
from pybernetes.lib.clock import SystemClock
from pybernetes.lib.http.incoming import Limits
from pybernetes.lib.http.message import HttpHandler
from pybernetes.lib.http.serve import HttpServer, serve


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> pki.Pki:
    files = pki.Pki(tmp_path_factory.mktemp("pki"), time.time())
    files.ensure([pki.apiserver(["localhost", "127.0.0.1"]), pki.ADMIN])
    return files


Start: TypeAlias = Callable[..., Awaitable[HttpServer]]


@pytest.fixture
async def start(certificates: pki.Pki) -> AsyncIterator[Start]:
    """``await start(handler, secure=True, limits=…)`` listens until the test ends."""
    running: list[HttpServer] = []

    async def begin(handler: HttpHandler, *, secure: bool = False, limits: Limits | None = None) -> HttpServer:
        context = server_context(certificates) if secure else None
        running.append(await serve(handler, clock=SystemClock(), ssl_context=context, limits=limits))
        return running[-1]

    yield begin
    await asyncio.gather(*(server.stop(0.1) for server in running))


def server_context(files: pki.Pki) -> object:
    return tls.server_context(files.certificate("apiserver"), files.key("apiserver"), files.certificate("ca"))


@pytest.fixture
def ca(certificates: pki.Pki) -> Path:
    return certificates.certificate("ca")


@pytest.fixture
def unused_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
