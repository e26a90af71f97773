"""The ``pybernetes`` command: each subcommand is a row; its work lives in ``cluster``.

Imports of what a subcommand needs happen when it runs, so that ``pybernetes version`` costs nothing.
Every expected failure leaves as one line that names the thing and the remedy, with exit code 1; no traceback.
"""

from __future__ import annotations

import argparse
import errno
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

from pybernetes import __version__


@dataclass(frozen=True, slots=True)
class Command:
    """``run`` is ``module:function``; it gets the parsed arguments and returns the exit code."""

    name: str
    help: str
    run: str
    arguments: Callable[[argparse.ArgumentParser], None] = lambda parser: None
    hidden: bool = False


def _data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="where the cluster lives (default: %(default)s)")
    from pybernetes.cluster.config import default_data_dir

    parser.set_defaults(data=default_data_dir())


_CLOCK: Final = "virtual: time can be turned with 'pybernetes clock advance'; for simulated nodes (default: machine)"


def _file(text: str) -> str:
    """A path that holds for a process with another working directory too."""
    return str(Path(text).expanduser().absolute()) if text not in ("", "-") else text


_SERVER: Final[tuple[tuple[str, str, Callable[[str], object], str], ...]] = (
    ("audit-policy-file", "FILE", _file, "what the audit log tells (default: nothing)"),
    ("audit-log-path", "FILE", _file, "where the audit log is written; - is standard output (default: nowhere)"),
    ("audit-log-maxsize", "MB", int, "put the audit log aside when it is so large (default: 100)"),
    ("audit-log-maxbackup", "N", int, "so many audit logs that were put aside are kept (default: 10)"),
    ("encryption-provider-config", "FILE", _file, "how objects are encrypted in the store (default: not at all)"),
    ("token-auth-file", "FILE", _file, 'static tokens: lines of token,user,uid,"group1,group2" (default: none)'),
    ("oidc-issuer-url", "URL", str, "an OpenID provider whose users are the cluster's (default: none)"),
    ("oidc-client-id", "ID", str, "for whom its tokens are meant"),
    ("oidc-username-claim", "CLAIM", str, "what users are called by (default: sub)"),
    ("oidc-username-prefix", "PREFIX", str, "before users' names; - for none (default: the issuer and #)"),
    ("oidc-groups-claim", "CLAIM", str, "what tells users' groups (default: none)"),
    ("oidc-groups-prefix", "PREFIX", str, "before groups' names (default: none)"),
    ("oidc-ca-file", "FILE", _file, "the CA of the provider (default: the machine's)"),
)
"""Options of kube-apiserver, by its names."""


def _up(parser: argparse.ArgumentParser) -> None:
    _data(parser)
    parser.add_argument("--nodes", type=int, metavar="N", help="real nodes that run containers (default: 1)")
    parser.add_argument("--simulate", type=int, metavar="N", help="simulated nodes (default: 0)")
    parser.add_argument("--port", type=int, metavar="PORT", help="port of the API server (default: 6443)")
    text = "an entrance for Ingresses on real nodes (default: yes)"
    parser.add_argument("--ingress", action=argparse.BooleanOptionalAction, help=text)
    text = "carry pod traffic in VXLAN, for nodes that are not on one segment (default: no)"
    parser.add_argument("--vxlan", action=argparse.BooleanOptionalAction, help=text)
    text = "addresses for Services of type LoadBalancer: FIRST-LAST or a CIDR, on the node network (default: none)"
    parser.add_argument("--load-balancer-pool", metavar="ADDRESSES", help=text)
    text = "keep objects in an etcd that control planes may share: etcd://HOST:PORT[,HOST:PORT] (default: in a file)"
    parser.add_argument("--store", metavar="URL", help=text)
    text = "take the keys of another control plane on the same etcd: its data directory's pki, or a copy"
    parser.add_argument("--keys", metavar="DIR", help=text)
    text = "behaviours away from their default, as upstream names them: Name=true,Other=false"
    parser.add_argument("--clock", choices=("machine", "virtual"), help=_CLOCK)
    parser.add_argument("--feature-gates", metavar="GATES", help=text)
    for name, metavar, type_, text in _SERVER:
        parser.add_argument(f"--{name}", metavar=metavar, type=type_, help=text)
    parser.add_argument("--merge-kubeconfig", action="store_true", help="also merge it into your own kubeconfig")


def _down(parser: argparse.ArgumentParser) -> None:
    _data(parser)
    parser.add_argument("--purge", action="store_true", help="remove the cluster's data too")


def _kubeconfig(parser: argparse.ArgumentParser) -> None:
    _data(parser)
    parser.add_argument("--path", action="store_true", help="print where the file is instead of its content")
    text = "merge it into FILE (default: $KUBECONFIG or ~/.kube/config) instead of printing it"
    parser.add_argument("--merge", nargs="?", type=Path, const=Path(), metavar="FILE", help=text)


def _image(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="load|build")
    load = actions.add_parser("load", help="give an image archive (OCI or docker save) to every node")
    _data(load)
    load.add_argument("file", type=Path, metavar="FILE.tar")
    build = actions.add_parser("build", help="make an image from a rootfs folder and give it to every node")
    _data(build)
    build.add_argument("directory", type=Path, metavar="DIR")
    build.add_argument("--name", required=True, metavar="NAME:TAG")
    build.add_argument("--entrypoint", nargs="+", default=[], metavar="ARG")
    build.add_argument("--cmd", nargs="+", default=[], metavar="ARG")
    build.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    build.add_argument("--workdir", default="", metavar="PATH")
    build.add_argument("--user", default="", metavar="USER")
    build.add_argument("--output", type=Path, metavar="FILE.tar", help="write the archive there; do not load it")


def _clock(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="show|advance")
    _data(actions.add_parser("show", help="what time it is in the cluster"))
    advance = actions.add_parser("advance", help="let time pass, with all that is due in it")
    _data(advance)
    advance.add_argument("duration", metavar="DURATION", help="as 90s, 3h or 1h30m")


def _backup(parser: argparse.ArgumentParser) -> None:
    _data(parser)
    parser.add_argument("file", type=Path, metavar="FILE")


def _restore(parser: argparse.ArgumentParser) -> None:
    _backup(parser)
    parser.add_argument("--store", metavar="URL", help="fill this store, which is the cluster's from then on; see 'up'")
    parser.add_argument("--force", action="store_true", help="replace all that the store holds")


def _why(parser: argparse.ArgumentParser) -> None:
    _data(parser)
    parser.add_argument("what", metavar="KIND/NAME", help="pod/web, service/web, ingress/web, deployment/web, …")
    parser.add_argument("-n", "--namespace", default="default", metavar="NAMESPACE")


def _agent(parser: argparse.ArgumentParser) -> None:
    _data(parser)
    parser.add_argument("--name", default="", metavar="NODE", help="the node's name (default: the machine's)")
    parser.add_argument("--join", metavar="URL", help="the API server of the cluster: https://HOST:PORT")
    parser.add_argument("--token", metavar="TOKEN", help="of 'pybernetes token create'")
    text = "trust no cluster whose CA has another hash: sha256:…"
    parser.add_argument("--ca-cert-hash", action="append", default=[], metavar="HASH", help=text)


def _token(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="create")
    create = actions.add_parser("create", help="print the command by which another machine joins")
    _data(create)
    text = "hours until it ends; 0: never (default: %(default)s)"
    create.add_argument("--ttl-hours", type=float, default=24.0, metavar="H", help=text)


COMMANDS: Final[tuple[Command, ...]] = (
    Command("up", "bring the cluster up, or continue where it was", "pybernetes.cli.commands:up", _up),
    Command("down", "stop everything; --purge removes the data too", "pybernetes.cli.commands:down", _down),
    Command("status", "show what runs", "pybernetes.cli.commands:status", _data),
    Command(
        "kubeconfig", "print the admin's kubeconfig, or merge it", "pybernetes.cli.commands:kubeconfig", _kubeconfig
    ),
    Command("image", "load or build images", "pybernetes.cli.commands:image", _image),
    Command("clock", "show or turn the clock of a cluster with --clock virtual", "pybernetes.cli.time:clock", _clock),
    Command("backup", "write all objects to a file", "pybernetes.cli.backups:backup", _backup),
    Command("restore", "fill the store from such a file", "pybernetes.cli.backups:restore", _restore),
    Command("why", "explain why something waits, fails or leads nowhere", "pybernetes.cli.why:why", _why),
    Command("version", "print the version", "pybernetes.cli.commands:version"),
    Command(
        "control-plane",
        "run the control plane in the foreground",
        "pybernetes.cli.processes:control_plane",
        _data,
        True,
    ),
    Command("token", "let other machines join", "pybernetes.cli.joining:token", _token),
    Command("agent", "make this machine a node of a cluster", "pybernetes.cli.processes:agent", _agent),
)


_REMEDIES: Final = {
    errno.EROFS: "make it writable, or name another place with --data",
    errno.EACCES: "run it as the user to whom that belongs, or name another place with --data",
    errno.EPERM: "run it as the user to whom that belongs, or name another place with --data",
    errno.ENOSPC: "free some space there, or name another place with --data",
    errno.EDQUOT: "free some space there, or name another place with --data",
    errno.ENOTDIR: "name another place with --data",
    errno.EISDIR: "name a file",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EIO: "look after the disk it lies on",
}
"""What a user can do about errors of files; any other is a defect of ours."""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="pybernetes",
        description="Kubernetes in one Python process: real kubectl drives it, real containers run on it.",
    )
    top.add_argument("--version", action="version", version=f"pybernetes {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        sub = (
            commands.add_parser(command.name)
            if command.hidden
            else commands.add_parser(command.name, help=command.help, description=command.help)
        )
        command.arguments(sub)
        sub.set_defaults(run=command.run)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    arguments = parser().parse_args(argv)
    module, _, function = arguments.run.partition(":")
    try:
        return int(getattr(import_module(module), function)(arguments))
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0)
        if remedy is None or error.filename is None:
            raise
        print(f"pybernetes: {error.filename2 or error.filename}: {error.strerror}; {remedy}", file=sys.stderr)
        return 1
    except Exception as error:
        if not _expected(error):
            raise
        print(f"pybernetes: {error}", file=sys.stderr)
        return 1


def _expected(error: Exception) -> bool:
    """Is this a refusal whose message is meant for the user, rather than a defect of ours?"""
    from pybernetes.client.kubeconfig import KubeconfigError
    from pybernetes.cluster.config import ConfigError
    from pybernetes.lib.process import ProcessError
    from pybernetes.lib.tls import TlsError
    from pybernetes.meta.errors import ApiError

    return isinstance(error, ConfigError | ProcessError | ApiError | KubeconfigError | TlsError)
