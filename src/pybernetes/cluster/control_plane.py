"""The control plane's process: store, API server, controllers, scheduler and simulated nodes, composed.

Theory of operation. The store opens, the API listens, the objects that every cluster holds are made sure of, and only
then ``/readyz`` says ok. What was started last ends first; the store last of all.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
import platform
import ssl
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final

from pybernetes.cluster import apiservers, backup, components, elected, frontproxy, gates, pki, serving, stores, turning
from pybernetes.cluster.config import Config, ConfigError, Paths
from pybernetes.control.controller import Controller
from pybernetes.controllers import addresspool
from pybernetes.kinds import table as kind_table
from pybernetes.lib import tls
from pybernetes.lib.clock import Clock
from pybernetes.lib.entropy import Entropy
from pybernetes.lib.http.serve import HttpServer, serve
from pybernetes.lib.tasks import Tasks
from pybernetes.server.api import Api, Options
from pybernetes.server.authn import oidc
from pybernetes.server.connect.connector import Connector
from pybernetes.storage.port import StoreError
from pybernetes.storage.watchcache import WatchCache

LOOPBACK = "127.0.0.1"
_LATER: Final = ("pybernetes.controllers.table", "pybernetes.scheduler.scheduler", "pybernetes.node.simulated.nodes")
"""What the API does not need to be ready."""


class ControlPlane:
    def __init__(self, paths: Paths, config: Config, clock: Clock, entropy: Entropy) -> None:
        self._paths, self._config, self._clock, self._entropy = paths, config, clock, entropy
        self._pki = pki.Pki(paths.pki, turning.outside(clock).time())
        self._front_proxy = frontproxy.files_of(paths, clock.time())
        self._kinds = kind_table.builtin()

    async def run(self, stopping: asyncio.Event) -> None:
        """Serve until ``stopping`` is set. Raises ConfigError and TlsError for what the user can mend."""
        async with AsyncExitStack() as stack:
            cache = await self._open(stack)
            api = Api(cache, self._kinds, self._clock, self._entropy, self._options(cache, stack))
            furnished = api.health.hold("poststarthook/rbac/bootstrap-roles")
            await api.start()
            stack.push_async_callback(api.stop)
            await self._listen(api, stack)
            # Of several API servers each tells of itself, once it is ready.
            alone = "" if self._config.store else self._config.address
            await components.furnish_api(api, alone, self._config.port)
            ca = self._pki.certificate("ca").read_text()
            await frontproxy.furnish(api.client(components.API_SERVER), self._front_proxy, ca)
            furnished()
            await _read_in(_LATER)
            controllers = self._controllers(api)
            await components.furnish_controllers(api, controllers)
            await self._furnish_ingress(api)
            await self._start_components(api, controllers, stack)
            _settle_memory()
            await stopping.wait()

    async def _start_components(self, api: Api, controllers: Sequence[Controller], stack: AsyncExitStack) -> None:
        simulated, pod_cidr = self._config.simulated_names(), self._config.pod_cidr
        if self._config.store:
            identity = f"{platform.node()}_{self._paths.id}"
            parts = (api, controllers, self._clock, self._entropy, identity, simulated, pod_cidr)
            elected.Parts(*parts).start(stack)
            if self._config.address:
                told = Tasks()
                stack.push_async_callback(told.stop)
                client, where = api.client(components.API_SERVER), (self._config.address, self._config.port)
                told.start(apiservers.keep_known(client, self._clock, identity, *where), "endpoints of the API servers")
        else:
            await components.start(
                api, controllers, self._clock, self._entropy, stack, simulated=simulated, pod_cidr=pod_cidr
            )

    async def _furnish_ingress(self, api: Api) -> None:
        if not (self._config.ingress and self._config.nodes):
            return
        from pybernetes.cluster import ingress

        if ingress.is_on(self._config):
            await ingress.furnish(api.client(components.API_SERVER))

    async def _open(self, stack: AsyncExitStack) -> WatchCache:
        try:
            sealing = serving.encryption(self._config.encryption_provider_config)
            store = await stores.opened(self._paths, self._config.store, self._clock, stack, sealing)
            turning.watch(self._clock, store)
            cache = WatchCache(store, self._clock)
            await cache.start()
        except (StoreError, ValueError) as error:
            raise ConfigError(str(error)) from error
        stack.push_async_callback(cache.stop)
        return cache

    def _options(self, cache: WatchCache, stack: AsyncExitStack) -> Options:
        files, leaf = self._pki, pki.KUBELET_CLIENT
        kubelets = tls.client_context(files.certificate("ca"), files.certificate(leaf), files.key(leaf))
        connector = Connector(cache, kubelets, self._clock)
        return Options(
            signing_key=files.key("sa").read_bytes(),
            server_address=f"{self._config.address or LOOPBACK}:{self._config.port}",
            connect=connector,
            own={
                turning.PATH: turning.Door(self._clock, self._paths.clock).handle,
                backup.PATH: backup.Door(cache, turning.outside(self._clock)).handle,
            },
            tls_clock=turning.outside(self._clock),
            stats=connector.stats,
            front_proxy=frontproxy.identity(self._front_proxy),
            audit=self._audit(stack),
            static_tokens=serving.static_tokens(self._config.token_auth_file),
            oidc=self._provider(),
        )

    def _provider(self) -> serving.Provider | None:
        config = self._config
        settings = oidc.Settings(
            issuer_url=config.oidc_issuer_url, client_id=config.oidc_client_id,
            username_claim=config.oidc_username_claim, username_prefix=config.oidc_username_prefix,
            groups_claim=config.oidc_groups_claim, groups_prefix=config.oidc_groups_prefix,
        )  # fmt: skip
        return serving.provider(settings, config.oidc_ca_file)

    def _audit(self, stack: AsyncExitStack) -> serving.Audit | None:
        config = self._config
        try:
            return serving.audit(
                config.audit_policy_file, config.audit_log_path, self._clock, stack,
                max_size=config.audit_log_maxsize, backups=config.audit_log_maxbackup,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            raise ConfigError(f"requests cannot be audited: {error}") from error

    def _controllers(self, api: Api) -> Sequence[Controller]:
        """The rows of this cluster's controllers."""
        from pybernetes.controllers import table

        options = table.Options(
            kinds=self._kinds, root_ca=self._pki.certificate("ca").read_text(),
            ca_key=self._pki.key("ca").read_bytes(), ahead=lambda: turning.ahead(self._clock),
            sign=api.tokens.sign, started=self._clock.time(),
            legacy_tokens=not gates.parse(self._config.feature_gates)[gates.NO_TOKEN_AUTO_GENERATION],
            load_balancers=addresspool.parse(self._config.load_balancer_pool),
            pod_network=f"{self._config.pod_network}.0.0/16",
        )  # fmt: skip
        return table.controllers(options)

    async def _listen(self, api: Api, stack: AsyncExitStack) -> None:
        files = self._pki
        context = tls.server_context(files.certificate("apiserver"), files.key("apiserver"), files.certificate("ca"))
        for host in dict.fromkeys((LOOPBACK, self._config.address or LOOPBACK)):
            stack.push_async_callback((await self._listener(api, host, context)).stop)

    async def _listener(self, api: Api, host: str, context: ssl.SSLContext) -> HttpServer:
        port = self._config.port
        try:
            return await serve(
                api.serve,
                clock=turning.outside(self._clock),
                host=host,
                port=port,
                ssl_context=context,
                refusal=api.refusal,
            )
        except OSError as error:
            raise ConfigError(
                f"cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}; "
                "end the program that does, or choose another port with --port"
            ) from error


async def _read_in(modules: Sequence[str]) -> None:
    """Import modules beside the event loop, which answers meanwhile."""
    for module in modules:
        await asyncio.to_thread(importlib.import_module, module)


def _settle_memory() -> None:
    """What is there now stays: the collector need not look at it again, nor so often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
