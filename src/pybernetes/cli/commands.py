"""The subcommands a user types: arguments in, calls to ``cluster``, what to say afterwards."""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import shutil
import sys
import tempfile
from dataclasses import fields
from pathlib import Path

from pybernetes import __version__
from pybernetes.cluster import config as configuration
from pybernetes.cluster.config import ConfigError, Paths
from pybernetes.lib.clock import SystemClock


def data_paths(arguments: argparse.Namespace) -> Paths:
    """The files of the cluster that ``--data`` names."""
    return Paths(Path(arguments.data).expanduser().absolute())


def existing(paths: Paths) -> configuration.Config:
    """Its configuration. Raises ConfigError where there is no cluster."""
    config = configuration.load(paths)
    if config is None:
        raise ConfigError(f"there is no cluster in {paths.data}: 'pybernetes up' makes one, --data names another place")
    return config


def up(arguments: argparse.Namespace) -> int:
    from pybernetes.cluster import up as lifecycle
    from pybernetes.cluster.steps import Steps

    paths = data_paths(arguments)
    clock = SystemClock()
    steps = Steps(clock)
    options = {field.name: getattr(arguments, field.name, None) for field in fields(configuration.Config)}
    config = asyncio.run(lifecycle.up(paths, steps, clock, options))
    if arguments.merge_kubeconfig:
        target = _own_kubeconfig()
        _merge(paths, target)
        steps.say(f"  ✓ merged into {target}")
    count = config.nodes + config.simulate
    steps.say(f"\nReady in {steps.elapsed():.2f} s: {count} node{'' if count == 1 else 's'}. Now type:\n")
    if not arguments.merge_kubeconfig:
        steps.say(f"  export KUBECONFIG={shlex.quote(str(paths.admin_kubeconfig))}")
    steps.say("  kubectl get nodes")
    if shutil.which("kubectl") is None:
        steps.say("\nkubectl is not on your PATH; Debian's is in the package kubernetes-client.")
    return 0


def down(arguments: argparse.Namespace) -> int:
    from pybernetes.cluster import down as lifecycle
    from pybernetes.cluster.steps import Steps

    paths = data_paths(arguments)
    clock = SystemClock()
    if not paths.exists and not paths.run.exists():
        print(f"There is no cluster in {paths.data}.")
        return 0
    asyncio.run(lifecycle.down(paths, Steps(clock), clock, purge=arguments.purge))
    return 0


def status(arguments: argparse.Namespace) -> int:
    from pybernetes.cluster import status as report

    paths = data_paths(arguments)
    config = existing(paths)
    print(asyncio.run(report.render(paths, config)))
    return 0


def kubeconfig(arguments: argparse.Namespace) -> int:
    paths = data_paths(arguments)
    existing(paths)
    if arguments.path:
        print(paths.admin_kubeconfig)
        return 0
    if arguments.merge is None:
        from pybernetes.client import kubeconfig as files

        files.load(paths.admin_kubeconfig)  # what cannot be used is not printed but named
        sys.stdout.write(paths.admin_kubeconfig.read_text())
        return 0
    target = _own_kubeconfig() if arguments.merge == Path() else arguments.merge.expanduser()
    _merge(paths, target)
    print(f"merged into {target}; the current context is now the cluster's")
    return 0


def _own_kubeconfig() -> Path:
    """The file that kubectl itself would write to: the first of $KUBECONFIG, else ~/.kube/config."""
    first = os.environ.get("KUBECONFIG", "").split(":")[0]
    return Path(first) if first else Path.home() / ".kube" / "config"


def _merge(paths: Paths, target: Path) -> None:
    from pybernetes.client import kubeconfig as files

    if target.resolve() != paths.admin_kubeconfig.resolve():
        files.merge(target, files.load(paths.admin_kubeconfig))


def image(arguments: argparse.Namespace) -> int:
    from pybernetes.cluster import images

    paths = data_paths(arguments)
    if arguments.action == "load":
        names = asyncio.run(images.load(paths, existing(paths), arguments.file))
    elif arguments.output:
        names = [_build(arguments, arguments.output)]
    else:
        config = existing(paths)
        with tempfile.TemporaryDirectory() as directory:
            archive = Path(directory) / "image.tar"
            _build(arguments, archive)
            names = asyncio.run(images.load(paths, config, archive))
    for name in names:
        print(name)
    return 0


def _build(arguments: argparse.Namespace, target: Path) -> str:
    from pybernetes.node import ociimage

    if not arguments.directory.is_dir():
        raise ConfigError(
            f"{arguments.directory}: no such folder; 'image build' takes the root file system of an image"
        )
    if target.is_dir():
        raise ConfigError(f"--output {target}: is a folder; name the file to write")
    for variable in arguments.env:
        if "=" not in variable:
            raise ConfigError(f"--env {variable}: must be NAME=VALUE")
    try:
        return ociimage.build(
            arguments.directory, arguments.name, target, entrypoint=arguments.entrypoint, cmd=arguments.cmd,
            env=dict(v.split("=", 1) for v in arguments.env), working_dir=arguments.workdir, user=arguments.user,
        )  # fmt: skip
    except ValueError as error:
        raise ConfigError(f"--name {arguments.name}: {error}") from error


def version(arguments: argparse.Namespace) -> int:
    print(f"pybernetes {__version__}")
    return 0
