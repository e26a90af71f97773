"""The CNI configuration of a node: how a pod gets its interface, its address and its host ports. Pure.

Pods hang on routed point-to-point links (``ptp``), not on a bridge: every packet of a pod passes the node's IP layer,
so services and network policy see it whatever ``bridge-nf-call-iptables`` says. Addresses come from the node's pod
CIDR (``host-local``, whose state lies in /var/lib/cni). Nothing is masqueraded here: pods reach pods with their own
addresses, and what leaves the machine is translated at its edge.
Neighbours: ``routes.py`` joins the nodes' pod CIDRs, ``cluster`` writes the file into containerd's ``conf_dir``.
"""

from __future__ import annotations

from typing import Final

import orjson

FILE_NAME: Final = "10-pybernetes.conflist"


def conflist(pod_cidr: str, *, name: str = "pybernetes", mtu: int = 0) -> bytes:
    """The network configuration list for a node's pods; ``mtu`` 0 keeps the kernel's."""
    link = {
        "type": "ptp",
        "ipMasq": False,
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": pod_cidr}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}, "snat": True}
    if mtu:
        link["mtu"] = mtu
    whole = {"cniVersion": "0.4.0", "name": name, "plugins": [link, ports]}
    return orjson.dumps(whole, option=orjson.OPT_INDENT_2)
