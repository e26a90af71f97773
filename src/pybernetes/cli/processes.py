"""The two processes that ``up`` starts, as commands of their own: in the foreground until they are told to end.

Rule: a fault that the user can mend leaves as one line in the process's log; ``up`` shows the end of that log.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from pybernetes.cli import commands
from pybernetes.cluster.config import VIRTUAL_CLOCK, ConfigError
from pybernetes.lib import daemon, log
from pybernetes.lib.clock import SystemClock, TurnedClock
from pybernetes.lib.entropy import SystemEntropy

Main: TypeAlias = Callable[[asyncio.Event], Coroutine[Any, Any, None]]
"""Works until the event is set, then ends in order."""


def control_plane(arguments: argparse.Namespace) -> int:
    """API server, controllers, scheduler and simulated nodes."""
    from pybernetes.cluster import turning
    from pybernetes.cluster.control_plane import ControlPlane
    from pybernetes.cluster.down import CONTROL_PLANE

    paths = commands.data_paths(arguments)
    config = commands.existing(paths)
    running = daemon.find(paths.pid(CONTROL_PLANE))
    if running is not None and running.pid != os.getpid():
        raise ConfigError(
            f"the control plane of {paths.data} runs already (pid {running.pid}): 'pybernetes down' ends it"
        )
    daemon.register_self(paths.pid(CONTROL_PLANE))
    if config.clock == VIRTUAL_CLOCK:
        clock = TurnedClock(SystemClock(), turning.kept(paths.clock))
        return _run(ControlPlane(paths, config, clock, SystemEntropy()).run, asyncio.run)
    return _run(ControlPlane(paths, config, SystemClock(), SystemEntropy()).run)


def agent(arguments: argparse.Namespace) -> int:
    """One real node's agent, with the network of its pods; runs inside the node's namespaces. With ``--join`` it makes
    this machine such a node."""
    if arguments.join:
        from pybernetes.cli import joining

        return joining.join(arguments)
    from pybernetes.cluster.node_process import NodeProcess

    paths = commands.data_paths(arguments)
    config = commands.existing(paths)
    if arguments.name not in config.node_names():
        raise ConfigError(f"--name {arguments.name}: the cluster's nodes are {', '.join(config.node_names())}")
    node, clock, entropy = paths.node(arguments.name), SystemClock(), SystemEntropy()
    if config.joined:
        from pybernetes.cluster import joined

        worker = joined.Worker(node, config, clock, entropy)
        code = _run(worker.run)
        if worker.renewed:
            os.execv(sys.executable, sys.orig_argv)  # with new certificates, as the same process
        return code
    return _run(NodeProcess(node, config, clock, entropy).run)


def _run(main: Main, run: Callable[[Coroutine[Any, Any, None]], None] | None = None) -> int:
    """``run``: on another loop than the fastest; a clock that is turned asks asyncio's when it is idle."""
    import uvloop

    log.setup()
    (run or uvloop.run)(_until_told(main))
    return 0


async def _until_told(main: Main) -> None:
    """Run ``main(stopping)``; SIGTERM and SIGINT set ``stopping``."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    await main(stopping)
