"""The API behind a TLS socket on uvloop, as a cluster runs it."""

from __future__ import annotations

from pathlib import Path

import uvloop

from pybernetes.client.client import Client
from pybernetes.client.http import connect
from pybernetes.client.kubeconfig import Access
from pybernetes.cluster.pki import ADMIN, Pki, apiserver
from pybernetes.lib import tls
from pybernetes.lib.clock import SystemClock
from pybernetes.lib.entropy import SystemEntropy
from pybernetes.lib.http.serve import serve
from pybernetes.meta.objects import Obj
from pybernetes.server.api import Api, Options
from pybernetes.storage.memory import MemoryStore
from pybernetes.storage.watchcache import WatchCache

from .build import KINDS


async def whoami(directory: Path) -> Obj:
    """What the server says of the client that shows the admin's certificate."""
    clock, leaf = SystemClock(), apiserver(["127.0.0.1"])
    files = Pki(directory, clock.time())
    files.ensure([leaf, ADMIN])
    cache = WatchCache(MemoryStore(clock), clock)
    options = Options(signing_key=files.key("sa").read_bytes())
    api = Api(cache, KINDS, clock, SystemEntropy(), options)
    context = tls.server_context(files.certificate(leaf), files.key(leaf), files.certificate("ca"))
    server = await serve(api.serve, clock=clock, ssl_context=context, refusal=api.refusal)
    access = Access(
        server=f"https://127.0.0.1:{server.port}", ca=files.certificate("ca").read_bytes(),
        certificate=files.certificate(ADMIN).read_bytes(), key=files.key(ADMIN).read_bytes(),
    )  # fmt: skip
    client = Client(connect(access, clock), KINDS)
    try:
        answer = await client.create("selfsubjectreviews.authentication.k8s.io", {})
    finally:
        await client.close()
        await server.stop()
    told: Obj = answer["status"]["userInfo"]
    return told


def test_a_client_certificate_is_who_its_bearer_is(tmp_path: Path) -> None:
    told = uvloop.run(whoami(tmp_path))
    assert (told["username"], told["groups"]) == ("kubernetes-admin", ["system:masters", "system:authenticated"])
