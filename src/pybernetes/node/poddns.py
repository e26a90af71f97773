"""What stands in a pod's /etc/resolv.conf and /etc/hosts. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.node import podspec

_NAMESERVERS_MAX: Final = 3
_SEARCHES_MAX: Final = 32


@dataclass(frozen=True, slots=True)
class Resolver:
    """The content of one resolv.conf."""

    servers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


def parse(text: str) -> Resolver:
    """A resolv.conf; the last ``search`` or ``domain`` line counts, as in the C library."""
    servers: list[str] = []
    searches: list[str] = []
    options: list[str] = []
    for line in text.splitlines():
        word, *rest = line.split("#")[0].split(";")[0].split() or [""]
        if word == "nameserver":
            servers += rest[:1]
        elif word in ("search", "domain"):
            searches = rest
        elif word == "options":
            options += rest
    return Resolver(tuple(servers), tuple(searches), tuple(options))


def of_pod(pod: Obj, cluster_dns: Sequence[str], cluster_domain: str, host: Resolver) -> Resolver:
    """What ``dnsPolicy`` and ``dnsConfig`` ask for; ``host`` is the node's own resolver."""
    policy = objects.get(pod, "spec", "dnsPolicy", default="ClusterFirst")
    if policy == "ClusterFirst" and podspec.host_network(pod):
        policy = "Default"
    if policy == "None":
        base = Resolver()
    elif policy == "Default" or not cluster_dns:
        base = host
    else:
        own = f"{objects.namespace(pod)}.svc.{cluster_domain}"
        searches = (own, f"svc.{cluster_domain}", cluster_domain, *host.searches)
        base = Resolver(tuple(cluster_dns), _unique(searches), ("ndots:5",))
    return _with_config(base, objects.get(pod, "spec", "dnsConfig", default={}))


def _with_config(base: Resolver, config: Obj) -> Resolver:
    options = dict(o.partition(":")[::2] for o in base.options)
    options |= {o["name"]: o.get("value") or "" for o in config.get("options") or ()}
    return Resolver(
        _unique((*base.servers, *(config.get("nameservers") or ())))[:_NAMESERVERS_MAX],
        _unique((*base.searches, *(config.get("searches") or ())))[:_SEARCHES_MAX],
        tuple(f"{name}:{value}" if value else name for name, value in options.items()),
    )


def _unique(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


_HEADER: Final = "# Kubernetes-managed hosts file.\n"
_HOST_HEADER: Final = "# Kubernetes-managed hosts file (host network).\n"
_LOCAL: Final = """127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
"""


def hosts_file(pod: Obj, pod_ips: Sequence[str], cluster_domain: str) -> str:
    """The kubelet's /etc/hosts for a pod that has a network of its own."""
    names = [name for name in (podspec.fqdn(pod, cluster_domain), podspec.hostname(pod)) if name]
    own = "".join(f"{ip}\t{chr(9).join(names)}\n" for ip in pod_ips)
    return _HEADER + _LOCAL + own + _aliases(pod)


def host_network_hosts_file(pod: Obj, node_hosts: str) -> str:
    """The same for a pod on its node's network: the node's own file, and the pod's aliases."""
    return _HOST_HEADER + node_hosts + _aliases(pod)


def _aliases(pod: Obj) -> str:
    aliases = objects.get(pod, "spec", "hostAliases", default=[])
    added = "".join(f"{a['ip']}\t{chr(9).join(a.get('hostnames') or ())}\n" for a in aliases)
    return f"\n# Entries added by HostAliases.\n{added}" if added else ""
