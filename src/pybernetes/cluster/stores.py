"""Which store a cluster has: the file in its data directory, or an etcd, by the URL of ``up --store``.

Several control planes may share an etcd: each has a data directory of its own, and the same keys (``up --keys``).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pybernetes.lib.clock import Clock
from pybernetes.lib.tasks import Tasks
from pybernetes.storage.encrypted.sealing import Sealing
from pybernetes.storage.encrypted.store import EncryptedStore
from pybernetes.storage.port import Store

if TYPE_CHECKING:
    from pybernetes.cluster.config import Paths

SHARED_KEYS: Final = ("ca.crt", "ca.key", "sa.key", "front-proxy/ca.crt", "front-proxy/ca.key")
"""What control planes on one store must have in common: who signs certificates, and who signs tokens."""
_SCHEME: Final = "etcd://"
_FORM: Final = "must be etcd://HOST:PORT[,HOST:PORT]"


def endpoints(url: str) -> Sequence[str]:
    """The ``host:port`` of each etcd member; none for the empty URL. Raises ValueError."""
    if not url:
        return ()
    found = url.removeprefix(_SCHEME).rstrip("/").split(",")
    for endpoint in found:
        host, _, port = endpoint.rpartition(":")
        if not (url.startswith(_SCHEME) and host and port.isdecimal() and 0 < int(port) < 65536):
            raise ValueError(_FORM)
    return found


async def opened(paths: Paths, url: str, clock: Clock, stack: AsyncExitStack, sealing: Sealing | None = None) -> Store:
    """The store of ``url``, or the one in the data directory, sealed where ``sealing`` says so; ``stack`` closes it.
    Raises StoreError."""
    if not url:
        from pybernetes.storage.sqlite.store import SqliteStore

        file = SqliteStore(paths.store, clock, sealing=sealing)
        stack.push_async_callback(file.close)
        return file
    # gRPC is read in by those only who need it
    from pybernetes.storage.etcd.store import EtcdStore

    store = EtcdStore(endpoints(url), clock)
    stack.push_async_callback(store.close)
    background = Tasks()
    stack.push_async_callback(background.stop)
    background.start(store.keep_compacted(), "compaction")
    return store if sealing is None else EncryptedStore(store, sealing)


def adopt_keys(source: Path, target: Path) -> None:
    """Copy what the control planes of one cluster have in common from one's ``pki`` folder to another's, which keeps
    what it has. Raises ConfigError for a folder that lacks it, or holds another cluster's."""
    from pybernetes.cluster.config import ConfigError

    for name in SHARED_KEYS:
        try:
            content = (source / name).read_bytes()
        except OSError as error:
            text = f"--keys {source}: {name}: {error.strerror}; name the folder pki of a control plane"
            raise ConfigError(text) from error
        file = target / name
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file.touch(mode=0o600)
            file.write_bytes(content)
        elif file.read_bytes() != content:
            raise ConfigError(f"--keys {source}: {file} is of another cluster; name a new folder with --data")
