from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from pybernetes.cluster.pki import ADMIN, Pki, apiserver
from pybernetes.lib import tls
from pybernetes.lib.clock import SystemClock
from pybernetes.lib.http.message import HttpRequest, HttpResponse
from pybernetes.lib.http.serve import serve


async def answer(request: HttpRequest) -> HttpResponse:
    return HttpResponse(body=b"ok")


def authority(directory: Path) -> Pki:
    made = Pki(directory, SystemClock().time())
    made.ensure([ADMIN, apiserver(["localhost"])])
    return made


async def test_whoever_brings_a_certificate_of_a_stranger_is_told_so(tmp_path: Path) -> None:
    ours, foreign = authority(tmp_path / "ours"), authority(tmp_path / "foreign")
    leaf = apiserver(())
    context = tls.server_context(ours.certificate(leaf), ours.key(leaf), ours.certificate("ca"))
    server = await serve(answer, clock=SystemClock(), host="127.0.0.1", port=0, ssl_context=context)
    try:
        client = tls.client_context(ours.certificate("ca"), foreign.certificate(ADMIN), foreign.key(ADMIN))
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", server.port, ssl=client, server_hostname="localhost"
        )
        with pytest.raises(ssl.SSLError, match="unknown ca"):
            await reader.read()
        writer.close()
    finally:
        await server.stop(0)
