"""All objects of a cluster as one file, and back: from whichever store to whichever store.

The file is gzip of lines: a header (``{"backup": 1, "version", "time", "revision", "objects"}``), then for each object
``{"key": …, "value": …}`` with the stored bytes as they are.
Rule 1: a backup is of one revision. A control plane that runs gives it by ``/pybernetes/backup`` (administrators only,
since it holds every Secret); otherwise the store is opened.
Rule 2: who led when it was made is left out: the next control plane shall not wait for it.
Rule 3: certificates and keys (the folder ``pki``) are not objects, and not in it.
"""

from __future__ import annotations

import asyncio
import gzip
import os
import zlib
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import orjson

from pybernetes import __version__
from pybernetes.client import http, kubeconfig
from pybernetes.cluster import components, stores
from pybernetes.cluster import config as configuration
from pybernetes.cluster.config import Config, ConfigError, Paths
from pybernetes.cluster.down import CONTROL_PLANE
from pybernetes.lib import daemon
from pybernetes.lib.clock import Clock
from pybernetes.meta import times
from pybernetes.meta.objects import Obj
from pybernetes.server.context import Request, Response
from pybernetes.storage import codec
from pybernetes.storage.port import Record, Store, StoreError
from pybernetes.storage.watchcache import WatchCache

PATH: Final = "/pybernetes/backup"
FORMAT: Final = 1
_KEY, _VALUE = b'{"key":', b',"value":'
_AT_ONCE: Final = 256
"""Writes on their way to the store together."""
_ELECTIONS: Final = frozenset(
    codec.key("coordination.k8s.io", "leases", "kube-system", user.name.removeprefix("system:"))
    for user in (components.CONTROLLER_MANAGER, components.SCHEDULER)
)


class Door:
    """By which a control plane that runs gives its backup."""

    def __init__(self, cache: WatchCache, clock: Clock) -> None:
        self._cache, self._clock = cache, clock

    async def handle(self, request: Request) -> Response:
        records, revision = self._cache.list(codec.ROOT)
        body = await asyncio.to_thread(render, records, revision, self._clock.time())
        return Response(body=body, content_type="application/gzip")


def render(records: Sequence[Record], revision: int, now: float) -> bytes:
    """The file of these records; ``now`` is Unix seconds."""
    kept = [record for record in records if record.key not in _ELECTIONS]
    header = {
        "backup": FORMAT, "version": __version__, "time": times.render(now), "revision": revision, "objects": len(kept),
    }  # fmt: skip
    lines = [orjson.dumps(header), *(_KEY + orjson.dumps(r.key) + _VALUE + r.value + b"}" for r in kept)]
    return gzip.compress(b"\n".join(lines) + b"\n", 5, mtime=int(now))


def parse(file: Path) -> tuple[Obj, list[tuple[str, bytes]]]:
    """The header, and (key, value) of each object. Raises ConfigError for what is no whole backup."""
    try:
        lines = gzip.decompress(file.read_bytes()).split(b"\n")
        header: Any = orjson.loads(lines[0])
        entries = list(_entries(lines[1:]))
    except OSError as error:
        why = error.strerror or str(error)
        raise ConfigError(f"{file} cannot be read: {why}; it should be a file of 'pybernetes backup'") from error
    except (EOFError, ValueError, zlib.error) as error:
        raise ConfigError(f"{file} is no whole backup: {error}; take another one") from error
    if not isinstance(header, dict) or header.get("backup") != FORMAT:
        raise ConfigError(f"{file} is a backup of another format than this version reads ({FORMAT})")
    if header.get("objects") != len(entries):
        raise ConfigError(f"{file} holds {len(entries)} of {header.get('objects')} objects; take another one")
    return header, entries


def _entries(lines: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
    for line in filter(None, lines):
        key, _, value = line.removeprefix(_KEY).partition(_VALUE)
        yield orjson.loads(key), value[:-1]


async def save(paths: Paths, config: Config, file: Path, clock: Clock) -> Obj:
    """Write the backup of a cluster, whole or not at all; its header. Raises ConfigError."""
    content = await (_asked_for(paths, clock) if daemon.find(paths.pid(CONTROL_PLANE)) else _read(paths, config, clock))
    temporary = file.with_name(f"{file.name}.new")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(file)
    except OSError as error:
        raise ConfigError(f"cannot write {file}: {error.strerror}; choose another place") from error
    return parse(file)[0]


async def _asked_for(paths: Paths, clock: Clock) -> bytes:
    transport = http.connect(kubeconfig.load(paths.admin_kubeconfig).access(), clock)
    try:
        return b"".join([part async for part in transport.stream(PATH)])
    finally:
        await transport.close()


async def _read(paths: Paths, config: Config, clock: Clock) -> bytes:
    async with AsyncExitStack() as stack:
        try:
            page = await (await stores.opened(paths, config.store, clock, stack)).list(codec.ROOT)
        except StoreError as error:
            raise ConfigError(str(error)) from error
        return render(page.records, page.revision, clock.time())


async def restore(paths: Paths, file: Path, url: str | None, clock: Clock, *, force: bool) -> Obj:
    """Fill a cluster's store, or the one of ``url``, which is the cluster's from then on; the backup's header.

    Raises ConfigError where the control plane runs, and, without ``force``, where the store holds anything.
    """
    old = configuration.load(paths)
    if old is None:
        configuration.refuse_foreign(paths)
    if daemon.find(paths.pid(CONTROL_PLANE)):
        raise ConfigError("the control plane runs, and would go on with what it knows: 'pybernetes down' ends it")
    config = configuration.merged(old, {"store": url})
    header, entries = parse(file)
    async with AsyncExitStack() as stack:
        try:
            store = await stores.opened(paths, config.store, clock, stack)
            await _empty(store, config, force=force)
            for start in range(0, len(entries), _AT_ONCE):
                await asyncio.gather(*(store.write(k, v, expect=0) for k, v in entries[start : start + _AT_ONCE]))
        except StoreError as error:
            raise ConfigError(f"the store is not restored: {error}; 'restore --force' begins anew") from error
    configuration.save(paths, config)
    return header


async def _empty(store: Store, config: Config, *, force: bool) -> None:
    records = (await store.list(codec.ROOT)).records
    if records and not force:
        where = config.store or "the cluster's store"
        raise ConfigError(f"{where} holds {len(records)} objects; --force replaces them all by those of the backup")
    for start in range(0, len(records), _AT_ONCE):
        await asyncio.gather(*(store.delete(record.key) for record in records[start : start + _AT_ONCE]))
