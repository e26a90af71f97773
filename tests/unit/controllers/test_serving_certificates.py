from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

import pytest
from cryptography import x509

from pybernetes.controllers.certificates import requests, serving
from pybernetes.meta.objects import Obj

from .csr import csr, request

NODE: Obj = {
    "metadata": {"name": "n1"},
    "status": {"addresses": [{"type": "InternalIP", "address": "10.0.0.1"}, {"type": "Hostname", "address": "n1"}]},
}
OWN = (x509.DNSName("n1"), x509.IPAddress(ipaddress.ip_address("10.0.0.1")))


def asked(user: str = "system:node:n1", names: Sequence[Any] = OWN, **spec: Any) -> Obj:
    spec = {"username": user, "groups": ["system:nodes"], "signer": requests.KUBELET_SERVING, **spec}
    usages = ("digital signature", "server auth")
    return csr(request("system:node:n1", ["system:nodes"], names), usages=usages, **spec)


def test_a_node_gets_a_certificate_of_its_own_names_and_addresses() -> None:
    assert serving.is_its_own(asked(), NODE)


@pytest.mark.parametrize(
    "csr_",
    [
        asked(names=[*OWN, x509.DNSName("kubernetes")]),
        asked(names=[x509.IPAddress(ipaddress.ip_address("10.0.0.2"))]),
        asked(user="system:node:n2"),
        asked(groups=["system:authenticated"]),
        asked(signer=requests.KUBELET_CLIENT),
    ],
)
def test_all_else_waits_for_a_human(csr_: Obj) -> None:
    assert not serving.is_its_own(csr_, NODE)
