"""How the command itself reaches a cluster of this machine: as its administrator, by the kubeconfig of ``up``."""

from __future__ import annotations

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
