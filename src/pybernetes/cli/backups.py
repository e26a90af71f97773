"""``pybernetes backup`` and ``pybernetes restore``."""

from __future__ import annotations

import argparse
import asyncio

from pybernetes.cli.commands import data_paths, existing
from pybernetes.cluster import backup as files
from pybernetes.lib.clock import SystemClock


def backup(arguments: argparse.Namespace) -> int:
    paths = data_paths(arguments)
    header = asyncio.run(files.save(paths, existing(paths), arguments.file, SystemClock()))
    print(f"{arguments.file}: {header['objects']} objects as of revision {header['revision']}")
    return 0


def restore(arguments: argparse.Namespace) -> int:
    work = files.restore(data_paths(arguments), arguments.file, arguments.store, SystemClock(), force=arguments.force)
    header = asyncio.run(work)
    print(f"{header['objects']} objects of {header['time']} restored; 'pybernetes up' goes on with them")
    return 0
