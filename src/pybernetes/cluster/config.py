"""What one cluster on this machine is: where its files lie, how many nodes it has, which addresses it took.

The answer to ``up``'s options is written to ``cluster.json`` in the data directory, so that a later ``up``
without options brings the same cluster back. Nothing else in the project builds a path by hand.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import orjson

from pybernetes.cluster import gates, serving, stores
from pybernetes.controllers import addresspool

API_PORT: Final = 6443
SERVICE_CIDR: Final = "10.96.0.0/12"
CLUSTER_DNS: Final = "10.96.0.10"
KUBERNETES_SERVICE: Final = "10.96.0.1"
NODE_PORTS: Final = range(30000, 32768)
NODES_MAX: Final = 200
"""Real nodes: what the last octet of the node network holds."""
SIMULATED_MAX: Final = 16_383
"""Simulated nodes: as many pod networks as their block of addresses holds."""
SIMULATED_PODS: Final = ipaddress.ip_network("100.64.0.0/10")
"""Addresses of simulated pods (RFC 6598): nothing answers there, and no pod of a real node can have one."""

OWN_FILES: Final = (
    "images", "log", "nodes", "pki", "run", "tmp", "kubeconfig", "kubeconfig.*.new", "store.db*", "cluster.new",
    "clock", "cluster.json",
)  # fmt: skip
"""What a cluster makes in its folder, as patterns; the file by which the folder is known as a cluster's is last."""


MACHINE_CLOCK: Final = "machine"
VIRTUAL_CLOCK: Final = "virtual"


class ConfigError(Exception):
    """A setting that cannot work; the message names it and the remedy."""


def default_data_dir() -> Path:
    """``/var/lib/pybernetes`` for root, the user's data directory otherwise (XDG Base Directory)."""
    if os.geteuid() == 0:
        return Path("/var/lib/pybernetes")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "pybernetes"


@dataclass(frozen=True, slots=True)
class Config:
    """The persisted choices. ``underlay`` is the first three octets of the node network; the host is ``.1``."""

    nodes: int = 1
    simulate: int = 0
    port: int = API_PORT
    cluster_name: str = "pybernetes"
    cluster_domain: str = "cluster.local"
    underlay: str = ""
    pod_network: str = "10.244"
    """First two octets of the pod network; node N has ``<pod_network>.N.0/24``."""
    address: str = ""
    """Where the API server is reached besides loopback: by pods, and in the endpoints of the ``kubernetes`` Service."""
    vxlan: bool = False
    """Pod traffic between nodes is carried in VXLAN: they may then be on different segments."""
    load_balancer_pool: str = ""
    """Addresses for Services of type LoadBalancer: ``172.30.77.200-172.30.77.250``; none where it is empty."""
    ingress: bool = True
    """Real nodes have an entrance for Ingresses, where the machine has what that needs."""
    store: str = ""
    """Where objects are kept: ``etcd://HOST:PORT,HOST:PORT``; in a file of the data directory where it is empty."""
    clock: str = MACHINE_CLOCK
    """Whose time it is in the cluster: the machine's, or one that can be turned (``turning.py``)."""
    keys: str = ""
    """The folder ``pki`` of another control plane of this cluster, whose keys this one takes."""
    joined: str = ""
    """The name of the node that this machine is in a cluster that is elsewhere; empty: the cluster is here."""
    joined_address: str = ""
    joined_pods: str = ""
    """The joined node's address, and the CIDR of its pods."""
    audit_policy_file: str = ""
    audit_log_path: str = ""
    """Both: requests are audited."""
    audit_log_maxsize: int = 100
    audit_log_maxbackup: int = 10
    token_auth_file: str = ""
    """A CSV file of static tokens."""
    oidc_issuer_url: str = ""
    """An OpenID provider whose users are the cluster's; the other ``oidc_`` settings are about it."""
    oidc_client_id: str = ""
    oidc_username_claim: str = "sub"
    oidc_username_prefix: str = ""
    oidc_groups_claim: str = ""
    oidc_groups_prefix: str = ""
    oidc_ca_file: str = ""
    encryption_provider_config: str = ""
    """A file that says how objects are encrypted in the store."""
    feature_gates: str = ""
    """Behaviours switched away from their default: ``Name=true,Other=false`` (``gates.py``)."""

    def node_names(self) -> list[str]:
        return [self.joined] if self.joined else [f"node-{index}" for index in range(1, self.nodes + 1)]

    def simulated_names(self) -> list[str]:
        return [f"sim-{index}" for index in range(1, self.simulate + 1)]

    def node_ip(self, name: str) -> str:
        if name == self.joined:
            return self.joined_address
        return f"{self.underlay}.{10 + int(name.rpartition('-')[2])}"

    def pod_cidr(self, name: str) -> str:
        """The addresses of one node's pods, real (``node-3``) or simulated (``sim-3``)."""
        if name == self.joined:
            return self.joined_pods
        index = int(name.rpartition("-")[2])
        if name.startswith("sim-"):
            return f"{SIMULATED_PODS.network_address + 256 * index}/24"
        return f"{self.pod_network}.{index}.0/24"

    @property
    def host_ip(self) -> str:
        """The control plane's address on the node network; loopback where there is no such network."""
        return f"{self.underlay}.1" if self.underlay else "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Paths:
    """Every file and directory of one cluster."""

    data: Path

    @property
    def id(self) -> str:
        """Six characters that tell this cluster's interfaces, namespaces and cgroups from others'."""
        return hashlib.sha256(str(self.data.resolve()).encode()).hexdigest()[:6]

    @property
    def config(self) -> Path:
        return self.data / "cluster.json"

    @property
    def pki(self) -> Path:
        return self.data / "pki"

    @property
    def exists(self) -> bool:
        """Is there a cluster, be it a damaged one?"""
        return self.config.exists() or self.store.exists()

    def own(self) -> list[Path]:
        """What is there of all that a cluster makes in its folder; anything else there is the user's."""
        return [path for pattern in OWN_FILES for path in self.data.glob(pattern)]

    @property
    def store(self) -> Path:
        return self.data / "store.db"

    @property
    def admin_kubeconfig(self) -> Path:
        return self.data / "kubeconfig"

    @property
    def images(self) -> Path:
        """OCI archives that every node imports when it starts."""
        return self.data / "images"

    @property
    def run(self) -> Path:
        """Sockets and pid files; on tmpfs where we may, since they mean nothing after a reboot."""
        if os.geteuid() == 0:
            return Path("/run/pybernetes") / self.id
        return self.data / "run"

    @property
    def namespaces(self) -> Path:
        """Bind-mounted mount namespaces, one file a node."""
        return self.run / "ns"

    @property
    def clock(self) -> Path:
        """How far the cluster's clock has been turned."""
        return self.data / "clock"

    def pid(self, process: str) -> Path:
        return self.run / f"{process}.pid"

    def log(self, process: str) -> Path:
        return self.data / "log" / f"{process}.log"

    def node(self, name: str) -> NodePaths:
        return NodePaths(self, name)


@dataclass(frozen=True, slots=True)
class NodePaths:
    """The files of one real node."""

    cluster: Paths
    name: str

    @property
    def root(self) -> Path:
        return self.cluster.data / "nodes" / self.name

    @property
    def kubelet(self) -> Path:
        return self.root / "kubelet"

    @property
    def logs(self) -> Path:
        return self.root / "log" / "pods"

    @property
    def containerd_root(self) -> Path:
        return self.root / "containerd"

    @property
    def cni_conf(self) -> Path:
        return self.root / "cni" / "net.d"

    @property
    def cni_state(self) -> Path:
        return self.root / "cni" / "state"

    @property
    def containerd_config(self) -> Path:
        return self.root / "containerd.toml"

    @property
    def kubeconfig(self) -> Path:
        return self.root / "kubeconfig"

    @property
    def ingress_kubeconfig(self) -> Path:
        return self.root / "ingress.kubeconfig"

    @property
    def run(self) -> Path:
        return self.cluster.run / self.name

    @property
    def entrance(self) -> Path:
        """Configuration, keys and command sockets of the ingress data plane."""
        return self.run / "entrance"

    @property
    def socket(self) -> Path:
        return self.run / "containerd.sock"

    @property
    def netns(self) -> str:
        return f"pyb-{self.cluster.id}-{self.name}"

    @property
    def mount_namespace(self) -> Path:
        return self.cluster.namespaces / self.name

    @property
    def cgroup(self) -> str:
        return f"/pybernetes-{self.cluster.id}/{self.name}"


def load(paths: Paths) -> Config | None:
    """The cluster's configuration, or None where there is no cluster yet."""
    try:
        raw = orjson.loads(paths.config.read_bytes())
    except FileNotFoundError:
        return None
    except NotADirectoryError as error:
        raise ConfigError(f"{paths.data} is no folder; name another place with --data") from error
    except PermissionError:
        raise
    except (OSError, orjson.JSONDecodeError) as error:
        raise _unusable(paths, f"cannot be read ({error})") from error
    if not isinstance(raw, dict):
        raise _unusable(paths, "holds no settings")
    known = {f.name: type(f.default) for f in fields(Config) if f.name in raw}
    for name, kind in known.items():
        if type(raw[name]) is not kind:
            raise _unusable(paths, f"has {raw[name]!r} as {name}, which should be of type {kind.__name__}")
    return Config(**{name: raw[name] for name in known})


def _unusable(paths: Paths, why: str) -> ConfigError:
    return ConfigError(f"{paths.config} {why}; mend it, or remove the cluster with 'pybernetes down --purge'")


def refuse_foreign(paths: Paths) -> None:
    """Raise ConfigError where a new cluster would mix its files with those of the user.

    ``nodes`` may be there: manifests of static pods can be laid out before the cluster is made."""
    foreign = [] if paths.exists else sorted(path.name for path in paths.own() if path.name != "nodes")
    if foreign:
        raise ConfigError(
            f"{paths.data} holds {', '.join(foreign)}, which no cluster made; name an empty or new folder with --data"
        )


def save(paths: Paths, config: Config) -> None:
    """Write the configuration whole or not at all."""
    try:
        paths.data.mkdir(parents=True, exist_ok=True, mode=0o755)
    except OSError as error:
        raise ConfigError(
            f"cannot write to {paths.data}: {error.strerror}; choose another place with --data"
        ) from error
    temporary = paths.config.with_suffix(".new")
    temporary.write_bytes(orjson.dumps(asdict(config), option=orjson.OPT_INDENT_2))
    temporary.replace(paths.config)


def merged(old: Config | None, asked: Mapping[str, Any]) -> Config:
    """The configuration that these options (fields of ``Config``) ask for; what is None, or not there, stays as it was.

    Raises ConfigError for a value that cannot be.
    """
    given = {name: value for name, value in asked.items() if value is not None}
    for name, check in _CHECKS.items():
        if name in given:
            try:
                check(given[name])
            except ValueError as error:
                raise ConfigError(f"--{name.replace('_', '-')} {given[name]}: {error}") from error
    return _for_clock(replace(old or Config(), **given), given)


def _for_clock(config: Config, given: Mapping[str, Any]) -> Config:
    """Who asks for a clock that can be turned, and for no nodes, gets simulated ones; real ones are refused."""
    if config.clock != VIRTUAL_CLOCK or not config.nodes:
        return config
    if "clock" in given and "nodes" not in given:
        return replace(config, nodes=0, simulate=config.simulate or config.nodes)
    raise ConfigError(
        "--clock virtual: a clock can be turned only where all nodes are simulated, for the containers of real nodes "
        "live in the machine's time; use --nodes 0 --simulate N, or --clock machine"
    )


def _between(least: int, most: int) -> Callable[[int], None]:
    def check(value: int) -> None:
        if not least <= value <= most:
            raise ValueError(f"must be between {least} and {most}")

    return check


_CHECKS: Final[Mapping[str, Callable[[Any], object]]] = {
    "nodes": _between(0, NODES_MAX),
    "simulate": _between(0, SIMULATED_MAX),
    "port": _between(1, 65535),
    "load_balancer_pool": addresspool.parse,
    "feature_gates": gates.parse,
    "store": stores.endpoints,
    "audit_policy_file": serving.audit_policy,
    "encryption_provider_config": serving.encryption,
    "token_auth_file": serving.static_tokens,
    "oidc_issuer_url": serving.issuer_url,
}
"""Field → what raises ValueError for a value that cannot be."""
