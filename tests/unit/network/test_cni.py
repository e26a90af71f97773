"""The network configuration that containerd reads."""

from __future__ import annotations

import orjson

from pybernetes.network import cni


def test_pods_hang_on_routed_links_with_addresses_of_their_node() -> None:
    assert orjson.loads(cni.conflist("10.244.3.0/24")) == {
        "cniVersion": "0.4.0",
        "name": "pybernetes",
        "plugins": [
            {
                "type": "ptp",
                "ipMasq": False,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": "10.244.3.0/24"}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}, "snat": True},
        ],
    }


def test_the_size_of_packets_is_the_kernels_unless_said() -> None:
    link = orjson.loads(cni.conflist("10.244.3.0/24", mtu=1400))["plugins"][0]
    assert link["mtu"] == 1400
