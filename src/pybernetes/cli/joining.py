"""``pybernetes token`` and ``pybernetes agent --join``."""

from __future__ import annotations

import argparse
import asyncio
import re

from pybernetes.cli.commands import data_paths, existing
from pybernetes.cluster.config import Config, ConfigError, Paths
from pybernetes.lib.clock import SystemClock
from pybernetes.lib.entropy import SystemEntropy

_TOKEN = re.compile(r"[a-z0-9]{6}\.[a-z0-9]{16}")


def token(arguments: argparse.Namespace) -> int:
    paths = data_paths(arguments)
    print(asyncio.run(_created(paths, existing(paths), arguments.ttl_hours * 3600.0)))
    return 0


async def _created(paths: Paths, config: Config, ttl_seconds: float) -> str:
    from pybernetes.cluster import access, joining, pki

    client = access.admin(paths)
    try:
        made = await joining.create_token(
            client, paths, config, SystemClock(), SystemEntropy(), ttl_seconds=ttl_seconds
        )
    finally:
        await client.close()
    pinned = joining.ca_hash(pki.Pki(paths.pki, 0).certificate("ca").read_bytes())
    server = f"https://{config.address}:{config.port}"
    return f"pybernetes agent --join {server} --token {made} --ca-cert-hash {pinned}"


def join(arguments: argparse.Namespace) -> int:
    from pybernetes.cluster import joined
    from pybernetes.cluster.steps import Steps

    if not _TOKEN.fullmatch(arguments.token or ""):
        raise ConfigError("--token: must be as 'pybernetes token create' prints it: abcdef.0123456789abcdef")
    clock = SystemClock()
    config = asyncio.run(
        joined.join(
            data_paths(arguments), Steps(clock), clock, url=arguments.join, token=arguments.token,
            hashes=arguments.ca_cert_hash, name=arguments.name,
        )
    )  # fmt: skip
    print(f"{config.joined} is a node of https://{config.address}:{config.port}")
    return 0
