"""Every controller, one row each: the whole of what keeps a cluster as its objects say.

Neighbours: ``control/runner.py`` runs the rows; ``cluster/roles.py`` derives from them what each may do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pybernetes.control.controller import Controller
from pybernetes.controllers import (
    accounttoken,
    cronjob,
    endpoints,
    endpointslice,
    endpointslicemirroring,
    loadbalancer,
    namespace,
    nodeipam,
    podgc,
    replicaset,
    replication,
    resourcequota,
    roleaggregation,
    rootca,
    serviceaccount,
    tokensecret,
    ttlafterfinished,
)
from pybernetes.controllers.addresspool import AddressPool
from pybernetes.controllers.autoscaling import row as autoscaling
from pybernetes.controllers.certificates import approving, cleaning, serving, signing
from pybernetes.controllers.certificates.authority import Authority
from pybernetes.controllers.clusterautoscaler import row as clusterautoscaler
from pybernetes.controllers.daemonset import sync as daemonset
from pybernetes.controllers.deployment import sync as deployment
from pybernetes.controllers.disruption import row as disruption
from pybernetes.controllers.garbagecollector import row as garbagecollector
from pybernetes.controllers.job import orphans
from pybernetes.controllers.job import sync as job
from pybernetes.controllers.nodelifecycle import eviction as taint_eviction
from pybernetes.controllers.nodelifecycle import row as nodelifecycle
from pybernetes.controllers.statefulset import sync as statefulset
from pybernetes.controllers.volumes import table as volumes
from pybernetes.kinds.table import KindTable
from pybernetes.meta.objects import Obj


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the rows of one cluster depend on."""

    kinds: KindTable
    """What is served: namespaces are emptied of it, and what nobody owns is collected among it."""
    root_ca: str = ""
    """Certificates in PEM form by which pods know the API server."""
    ca_key: bytes = b""
    """The private key of the first of ``root_ca``, in PEM form: certificates are issued where it is given."""
    ahead: Callable[[], float] = float
    """With ``ca_key``: seconds by which the clock is ahead of those who check certificates."""
    sign: Callable[[Obj], str] | None = None
    """Makes a service account's token of claims: Secrets for such tokens are filled where it is given."""
    legacy_tokens: bool = False
    """With ``sign``: every service account gets a Secret with a token, as before Kubernetes 1.24."""
    load_balancers: AddressPool = field(default_factory=AddressPool)
    """Addresses for Services of type LoadBalancer, which stay pending where there are none."""
    pod_network: str = ""
    """A CIDR, of which nodes that come without a pod network get a part."""
    started: float = 0.0
    """Since when (Unix seconds) signs of life are listened to: a node that was silent before has its whole grace."""


def controllers(options: Options) -> tuple[Controller, ...]:
    """The rows of a cluster. Their order means nothing."""
    return (
        deployment.CONTROLLER,
        replicaset.CONTROLLER,
        replication.CONTROLLER,
        daemonset.CONTROLLER,
        statefulset.CONTROLLER,
        job.CONTROLLER,
        orphans.CONTROLLER,
        cronjob.CONTROLLER,
        ttlafterfinished.CONTROLLER,
        endpoints.CONTROLLER,
        endpointslice.CONTROLLER,
        endpointslicemirroring.CONTROLLER,
        namespace.controller(options.kinds),
        serviceaccount.CONTROLLER,
        rootca.controller(options.root_ca),
        garbagecollector.controller(options.kinds),
        podgc.controller(),
        roleaggregation.CONTROLLER,
        disruption.controller(options.kinds),
        autoscaling.controller(options.kinds),
        clusterautoscaler.controller(),
        resourcequota.controller(options.kinds),
        nodelifecycle.controller(options.started),
        taint_eviction.CONTROLLER,
        *_addresses(options),
        *_credentials(options),
        *volumes.CONTROLLERS,
    )


def _addresses(options: Options) -> Iterable[Controller]:
    if options.pod_network:
        yield nodeipam.controller(options.pod_network)
    if options.load_balancers.ranges:
        yield loadbalancer.controller(options.load_balancers)


def _credentials(options: Options) -> Iterable[Controller]:
    yield approving.CONTROLLER
    yield serving.CONTROLLER
    yield cleaning.CONTROLLER
    if options.ca_key:
        yield signing.controller(Authority(options.root_ca.encode(), options.ca_key, options.ahead))
    if options.sign is not None:
        yield tokensecret.controller(options.sign, options.root_ca)
        if options.legacy_tokens:
            yield accounttoken.CONTROLLER
