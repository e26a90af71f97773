"""The real API server in this process, for tests: every request takes the whole chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from pybernetes.client.client import Client
from pybernetes.kinds import table
from pybernetes.lib.clock import VirtualClock
from pybernetes.lib.entropy import SeededEntropy
from pybernetes.meta.objects import Obj
from pybernetes.server.api import Api, Options
from pybernetes.server.context import Request, Response, User
from pybernetes.storage.history import Retention
from pybernetes.storage.memory import MemoryStore
from pybernetes.storage.watchcache import WatchCache

ADMIN = User("admin", groups=("system:masters",))
JSON = "application/json"
EVERYTHING: Obj = {
    "metadata": {"name": "everything"},
    "rules": [
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
        {"nonResourceURLs": ["*"], "verbs": ["*"]},
    ],
}
EVERYBODY: Obj = {
    "metadata": {"name": "everybody"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "everything"},
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:unauthenticated"}],
}
"""Over HTTP nobody says who they are, and everybody may everything."""


class Server:
    """``client`` speaks in process, ``http`` with bytes."""

    def __init__(self, retention: Retention | None = None, **options: Any) -> None:
        self.options = Options(**options)
        self.clock = VirtualClock()
        self.cache = WatchCache(MemoryStore(self.clock, retention), self.clock)
        self.kinds = table.builtin()
        self.api = self._api()
        self.client: Client = self.api.client(ADMIN, "tests")

    def _api(self) -> Api:
        return Api(self.cache, self.kinds, self.clock, SeededEntropy(7), self.options)

    def restarted(self) -> Api:
        """A second server that finds what the first one stored."""
        return self._api()

    async def start(self) -> None:
        await self.cache.start()
        await self.api.start()
        await self.client.create("namespaces", {"metadata": {"name": "default"}})
        await self.client.create("clusterroles.rbac.authorization.k8s.io", EVERYTHING)
        await self.client.create("clusterrolebindings.rbac.authorization.k8s.io", EVERYBODY)
        await self.client.create("serviceaccounts", {"metadata": {"name": "default", "namespace": "default"}})

    async def http(
        self, method: str, path: str, body: Any = None, *, query: Mapping[str, str] | None = None,
        content_type: str = JSON, accept: str = "", agent: str = "tests/1",
    ) -> Response:  # fmt: skip
        """A request as it comes over HTTP; a refusal is an answer with its status."""
        headers = {"content-type": content_type, "user-agent": agent} | ({"accept": accept} if accept else {})
        params: Mapping[str, Sequence[str]] = {key: (value,) for key, value in (query or {}).items()}
        sent = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        return await self.api.handle(Request(method, path, params, headers, sent))

    async def json(self, method: str, path: str, body: Any = None, **more: Any) -> Obj:
        """The decoded answer of ``http``."""
        answer = await self.http(method, path, body, **more)
        body = answer.body if answer.stream is None else b"".join([piece async for piece in answer.stream])
        decoded: Obj = orjson.loads(body)
        return decoded

    async def frames(self, path: str, count: int, **more: Any) -> list[Obj]:
        """The first ``count`` events of a watch over HTTP."""
        answer = await self.http("GET", path, query={"watch": "1", **more.pop("query", {})}, **more)
        assert answer.stream is not None, answer.body
        seen: list[Obj] = []
        while len(seen) < count:
            seen += [orjson.loads(line) for line in (await anext(answer.stream)).splitlines()]
        await answer.stream.aclose()  # type: ignore[attr-defined]
        return seen
