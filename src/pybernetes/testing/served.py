"""A whole cluster in this process behind a real port, for programs that know nothing of us: the official client, an
operator, kubectl. Every call waits until it is done, so tests need no event loop.

Use it by the fixture ``cluster`` (``plugin.py``), or as ``with Served(Credentials.make(folder), nodes=3) as cluster``.
Neighbours: ``cluster.py`` is the cluster, ``loop.py`` the thread that it lives on, ``blocking.py`` the client.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from pybernetes.client import kubeconfig, wait
from pybernetes.cluster import pki
from pybernetes.lib import tls
from pybernetes.lib.clock import Clock, SystemClock, TurnedClock
from pybernetes.lib.http.serve import serve
from pybernetes.meta import manifest
from pybernetes.meta.objects import Obj
from pybernetes.storage.memory import MemoryStore
from pybernetes.testing.blocking import BlockingClient
from pybernetes.testing.cluster import NAMESPACE, PATIENCE_SECONDS, Cluster
from pybernetes.testing.loop import Loop

T = TypeVar("T")
_HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who the server is, and who its administrator; good for as many clusters as one likes."""

    files: pki.Pki

    @classmethod
    def make(cls, folder: Path) -> Self:
        files = pki.Pki(folder, SystemClock().time())
        files.ensure([pki.apiserver(["localhost", _HOST]), pki.ADMIN])
        return cls(files)

    def server(self) -> ssl.SSLContext:
        files = self.files
        return tls.server_context(files.certificate("apiserver"), files.key("apiserver"), files.certificate("ca"))

    def write_kubeconfig(self, path: Path, port: int) -> None:
        files = self.files
        made = kubeconfig.Kubeconfig.with_certificate(
            cluster="pybernetes", user="pybernetes-admin", server=f"https://{_HOST}:{port}",
            ca=files.certificate("ca").read_bytes(),
            certificate=files.certificate(pki.ADMIN).read_bytes(), key=files.key(pki.ADMIN).read_bytes(),
        )  # fmt: skip
        kubeconfig.write(path, made)


@dataclass(frozen=True, slots=True)
class Settings:
    """``nodes`` are simulated. ``virtual_clock``: the cluster's clock can be turned forward."""

    nodes: int = 1
    virtual_clock: bool = False


class Turner:
    """The clock of a cluster. ``now`` is in Unix seconds."""

    def __init__(self, loop: Loop, clock: Clock) -> None:
        self._loop, self._clock = loop, clock

    def now(self) -> float:
        return self._clock.time()

    def advance(self, seconds: float) -> None:
        """Let time pass: everything that is due meanwhile happens, in order, before this returns.

        Raises RuntimeError where the clock is the machine's.
        """
        if not isinstance(self._clock, TurnedClock):
            raise RuntimeError(
                "this cluster goes by the machine's clock, which nobody turns; "
                "a test says @pytest.mark.cluster(virtual_clock=True) to have one that it can turn"
            )
        self._loop.run(self._clock.advance(seconds))


class Served:
    """``kubeconfig`` is the file of the cluster's administrator, ``client`` our own client as that one.

    ``store`` is what the cluster begins with, ``ahead`` how far its clock has been turned.
    """

    def __init__(
        self, credentials: Credentials, kubeconfig: Path, settings: Settings | None = None,
        store: MemoryStore | None = None, ahead: float = 0.0,
    ) -> None:  # fmt: skip
        self.kubeconfig, self.settings = kubeconfig, settings or Settings()
        self._credentials, self._store, self._ahead = credentials, store, ahead
        self.client: BlockingClient
        self.clock: Turner

    def __enter__(self) -> Self:
        self._loop, self._stack = Loop("pybernetes"), AsyncExitStack()
        try:
            self._loop.run(self._start())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        self._loop.run(self._stack.aclose())
        self._loop.close()

    async def _start(self) -> None:
        real = SystemClock()
        clock = TurnedClock(real, self._ahead) if self.settings.virtual_clock else real
        self._cluster = Cluster(nodes=self.settings.nodes, clock=clock, store=self._store)
        await self._stack.enter_async_context(self._cluster)
        api = self._cluster.api
        server = await serve(
            api.serve, clock=real, host=_HOST, ssl_context=self._credentials.server(), refusal=api.refusal
        )
        self._stack.push_async_callback(server.stop, 0)
        self._credentials.write_kubeconfig(self.kubeconfig, server.port)
        self.client, self.clock = BlockingClient(self._loop, self._cluster.client), Turner(self._loop, clock)

    # ── as a user does ───────────────────────────────────────────────────────────────────────────────────

    def official(self) -> Any:
        """The official Python client's ``ApiClient`` for this cluster; needs the package ``kubernetes``."""
        return import_module("kubernetes.config").new_client_from_config(str(self.kubeconfig))

    def apply(self, what: str | Path | Obj | Sequence[Obj], namespace: str = NAMESPACE) -> list[Obj]:
        """Apply a manifest (YAML, a file of it, an object or several) as ``kubectl apply --server-side`` does; what
        names no namespace goes to ``namespace``. Raises ManifestError, and ApiError for what is refused."""
        text = what.read_text() if isinstance(what, Path) else what
        if isinstance(text, str):
            found: Sequence[Obj] = manifest.loads_all(text)
        else:
            found = [text] if isinstance(text, dict) else text
        return [self.client.apply(obj, namespace) for obj in found]

    def until(
        self, resource: str, name: str, predicate: Callable[[Obj], Any], namespace: str = NAMESPACE, *,
        timeout_seconds: float = PATIENCE_SECONDS,
    ) -> Obj:  # fmt: skip
        """The object as soon as it exists and ``predicate`` holds for it. Raises errors.Timeout, by real time."""
        found = self.run(
            wait.until(
                self._cluster.client, resource, namespace, name, lambda obj: obj is not None and bool(predicate(obj)),
                timeout_seconds=timeout_seconds, clock=SystemClock(),
            )
        )  # fmt: skip
        assert found is not None
        return found

    def until_gone(
        self, resource: str, name: str, namespace: str = NAMESPACE, *, timeout_seconds: float = PATIENCE_SECONDS
    ) -> None:
        """Return when there is no such object. Raises errors.Timeout."""
        self.run(
            wait.until(
                self._cluster.client, resource, namespace, name, lambda obj: obj is None,
                timeout_seconds=timeout_seconds, clock=SystemClock(),
            )
        )  # fmt: skip

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Let a coroutine run beside the cluster, on its loop."""
        return self._loop.run(coroutine)

    def fork(self, kubeconfig: Path, **settings: Any) -> Served:
        """Another cluster that begins with all that this one holds now, to be entered with ``with``: tests that share
        a costly beginning and change it each for itself. ``settings`` differ from this one's."""
        store, clock = self.run(_copied(self._cluster)), self._cluster.clock
        ahead = clock.ahead if isinstance(clock, TurnedClock) else 0.0
        return Served(self._credentials, kubeconfig, replace(self.settings, **settings), store, ahead)


async def _copied(cluster: Cluster) -> MemoryStore:
    return cluster.copy_store()
