"""``pybernetes why pod/NAME``: why something is as it is, and the smallest change that would help."""

from __future__ import annotations

import argparse
import asyncio

from pybernetes.cli import commands
from pybernetes.cluster import access
from pybernetes.cluster.config import ConfigError, Paths
from pybernetes.why import ask
from pybernetes.why.answer import Answer


def why(arguments: argparse.Namespace) -> int:
    """The subcommand."""
    kind, slash, name = arguments.what.partition("/")
    if not (kind and slash and name) or "/" in name:
        raise ConfigError(f"{arguments.what}: what to ask about looks like pod/web, service/web or deployment/web")
    paths = commands.data_paths(arguments)
    commands.existing(paths)
    print(asyncio.run(_ask(paths, kind, name, arguments.namespace)))
    return 0


async def _ask(paths: Paths, kind: str, name: str, namespace: str) -> Answer:
    client = access.admin(paths)
    try:
        return await ask.why(client, kind, name, namespace)
    finally:
        await client.close()
