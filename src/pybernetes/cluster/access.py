"""How the command itself reaches a cluster of this machine: as its administrator, by the kubeconfig of ``up``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pybernetes.client import http
from pybernetes.client.client import Client
from pybernetes.client.kubeconfig import KubeconfigError
from pybernetes.cluster.config import ConfigError, Paths
from pybernetes.kinds import table
from pybernetes.lib.clock import SystemClock
from pybernetes.lib.tls import TlsError


def admin(paths: Paths) -> Client:
    """A client of the API server; its owner closes it. Raises ConfigError."""
    try:
        return http.from_kubeconfig(paths.admin_kubeconfig, SystemClock(), table.builtin(), manager="pybernetes-cli")
    except (KubeconfigError, TlsError) as error:
        raise ConfigError(f"{paths.admin_kubeconfig} is of no use ({error}); 'pybernetes up' writes it anew") from error


def hand_over(path: Path, environment: Mapping[str, str]) -> None:
    """Give a file that root has written to the user who called sudo: who may become root may read it."""
    uid, gid = environment.get("SUDO_UID", ""), environment.get("SUDO_GID", "")
    if os.geteuid() == 0 and uid.isdigit() and gid.isdigit():
        os.chown(path, int(uid), int(gid))
