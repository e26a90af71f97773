"""NodePorts: a port of the node itself can be held by one pod only.

Rule: two ports are in each other's way when number and protocol are the same and the addresses are, or one of them is
all addresses of the node (framework.HostPortInfo).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pybernetes.scheduler.plugins.plugin import Rejection, nowhere
from pybernetes.scheduler.podinfo import HostPort, PodInfo
from pybernetes.scheduler.snapshot import Snapshot

TAKEN: Final = "node(s) didn't have free ports for the requested pod ports"
_ALL: Final = "0.0.0.0"


def taken(snapshot: Snapshot, pod: PodInfo) -> Sequence[Rejection]:
    names = {
        name
        for held, users in (snapshot.host_ports.counts.items() if pod.host_ports else ())
        if any(_clash(held, wanted) for wanted in pod.host_ports)
        for name in users
    }
    nodes = nowhere(snapshot)
    nodes[[snapshot.slots[name] for name in names if name in snapshot.slots]] = True
    return (Rejection(TAKEN, nodes, hopeless=nowhere(snapshot)),) if nodes.any() else ()


def _clash(held: HostPort, wanted: HostPort) -> bool:
    same = (held.protocol, held.port) == (wanted.protocol, wanted.port)
    return same and (held.address == wanted.address or _ALL in (held.address, wanted.address))
