"""Where the API servers of one store are: each tells that it is there, and the ``kubernetes`` Service leads to all.

Rule: an API server renews a Lease of its own with its address; whoever renews puts the Service's endpoints right by the
Leases that are fresh, so one that dies is left out soon (pkg/controlplane/reconcilers, of kind lease).
Neighbours: ``bootstrap.py`` writes the endpoints of an API server that is alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pybernetes.client.client import Client
from pybernetes.cluster import bootstrap
from pybernetes.lib import log
from pybernetes.lib.clock import Clock
from pybernetes.meta import errors, objects, times
from pybernetes.meta.objects import Obj

LEASE_SECONDS: Final = 15
RENEW_SECONDS: Final = 5.0
LABEL: Final = "apiserver.kubernetes.io/identity"
_LEASES: Final = "leases.coordination.k8s.io"
_SLICES: Final = "endpointslices.discovery.k8s.io"
_NAMESPACE: Final = "kube-system"
_log = log.Log("cluster.apiservers")


async def keep_known(client: Client, clock: Clock, identity: str, address: str, port: int) -> None:
    """Tell, for ever, that this API server is there, and keep the endpoints right."""
    while True:
        try:
            await bootstrap.put_right(client, _LEASES, lease(identity, f"{address}:{port}", clock.time()))
            leases = (await client.list(_LEASES, _NAMESPACE, labels=LABEL))["items"]
            await _lead_to(client, sorted(alive(leases, clock.time())))
        except errors.ApiError as error:
            _log.info("the endpoints of the API servers could not be put right", why=error.message)
        await clock.sleep(RENEW_SECONDS)


def lease(identity: str, address: str, now: float) -> Obj:
    """``identity`` names it; who holds it is told by the address: ``10.0.0.1:6443``."""
    metadata = {
        "name": f"apiserver-{identity.lower().replace('_', '-')}", "namespace": _NAMESPACE,
        "labels": {LABEL: "kube-apiserver"},
    }  # fmt: skip
    spec = {
        "holderIdentity": address, "leaseDurationSeconds": LEASE_SECONDS, "renewTime": times.render_micro(now),
    }  # fmt: skip
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}


def alive(leases: Iterable[Obj], now: float) -> set[tuple[str, int]]:
    """(address, port) of the API servers that renewed in time."""
    found = set()
    for each in leases:
        host, _, port = str(objects.get(each, "spec", "holderIdentity") or "").rpartition(":")
        renewed = str(objects.get(each, "spec", "renewTime") or "")
        if host and renewed and now - times.parse(renewed) <= LEASE_SECONDS:
            found.add((host, int(port)))
    return found


async def _lead_to(client: Client, servers: list[tuple[str, int]]) -> None:
    wanted = bootstrap.kubernetes_endpoints(servers)
    for resource, obj in wanted:
        await bootstrap.put_right(client, resource, obj)
    names = {objects.name(obj) for resource, obj in wanted if resource == _SLICES}
    held = await client.list(_SLICES, "default", labels="kubernetes.io/service-name=kubernetes")
    for name in {objects.name(each) for each in held["items"]} - names:
        await client.delete(_SLICES, name, "default")
