"""Services: how many, how many of them with a load balancer, and how many node ports they hold
(core.serviceEvaluator).
"""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.quota import amounts
from pybernetes.kinds.quota.amounts import Amount, Amounts
from pybernetes.kinds.quota.evaluator import Evaluator
from pybernetes.meta.objects import Obj

_COUNT: Final = "services"
_NODE_PORTS: Final = "services.nodeports"
_LOAD_BALANCERS: Final = "services.loadbalancers"
_NAMES: Final = frozenset((_COUNT, f"count/{_COUNT}", _NODE_PORTS, _LOAD_BALANCERS))


def usage(service: Obj, now: float) -> Amounts:
    """What a service counts for."""
    spec = service.get("spec") or {}
    kind, ports = spec.get("type"), spec.get("ports") or ()
    node_ports = len(ports) if kind in ("NodePort", "LoadBalancer") else 0
    if kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is False:
        node_ports = sum(1 for port in ports if port.get("nodePort"))
    return {
        _COUNT: amounts.ONE,
        f"count/{_COUNT}": amounts.ONE,
        _NODE_PORTS: Amount(node_ports),
        _LOAD_BALANCERS: Amount(int(kind == "LoadBalancer")),
    }


EVALUATOR: Final = Evaluator(
    group="", plural=_COUNT, usage=usage, covers=_NAMES.__contains__, doors=(("create", ""), ("update", ""))
)
