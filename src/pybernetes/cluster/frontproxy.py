"""How servers behind the API server know it: a CA of its own for one certificate, and the ConfigMap that tells of it.

Rule: the CA is not the cluster's, so that no certificate that a user can get lets its bearer name others.
Source: pkg/controlplane/controller/clusterauthenticationtrust.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson

from pybernetes.client.client import Client
from pybernetes.cluster import bootstrap, pki
from pybernetes.cluster.config import Paths

if TYPE_CHECKING:
    from pybernetes.server.aggregation.remote import Identity

NAME: Final = "extension-apiserver-authentication"


def files_of(paths: Paths, now: float) -> pki.Pki:
    """Where the files are; ``now`` is Unix seconds."""
    return pki.Pki(paths.pki / "front-proxy", now, signs_tokens=False)


def ensure(paths: Paths, now: float) -> None:
    """Make the files that are missing."""
    files_of(paths, now).ensure([pki.FRONT_PROXY])


def identity(files: pki.Pki) -> Identity:
    """What the API server shows to servers behind it. Raises OSError."""
    from pybernetes.server.aggregation.remote import Identity

    return Identity(files.certificate(pki.FRONT_PROXY).read_bytes(), files.key(pki.FRONT_PROXY).read_bytes())


async def furnish(client: Client, files: pki.Pki, client_ca: str) -> None:
    """Tell servers behind this one whom to believe. ``client_ca`` is the PEM of the CA of users' certificates."""
    config_map = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": NAME, "namespace": "kube-system"},
        "data": {
            "client-ca-file": client_ca,
            "requestheader-allowed-names": _list(pki.FRONT_PROXY.common_name),
            "requestheader-client-ca-file": files.certificate("ca").read_text(),
            "requestheader-extra-headers-prefix": _list("X-Remote-Extra-"),
            "requestheader-group-headers": _list("X-Remote-Group"),
            "requestheader-uid-headers": _list("X-Remote-Uid"),
            "requestheader-username-headers": _list("X-Remote-User"),
        },
    }
    await bootstrap.put_right(client, "configmaps", config_map)


def _list(value: str) -> str:
    return orjson.dumps([value]).decode()
