"""A joined machine's certificates: asked for by CertificateSigningRequests, and asked for anew before they end.

Rule: the keys never leave the machine. A request has a name of its own each time; the cluster cleans up.
Neighbours: ``joined.py`` asks for the first ones, ``controllers/certificates`` approves and signs.
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pybernetes.client import wait
from pybernetes.client.client import Client
from pybernetes.cluster.config import ConfigError
from pybernetes.lib.clock import Clock
from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj

CLIENT: Final = "kubernetes.io/kube-apiserver-client-kubelet"
SERVING: Final = "kubernetes.io/kubelet-serving"
WAIT_SECONDS: Final = 30.0
RENEW_AT: Final = 0.8
"""After this part of its life a certificate is asked for anew (kubelet: 0.7 to 0.9)."""
_RESOURCE: Final = "certificatesigningrequests.certificates.k8s.io"
_USAGES: Final = {CLIENT: "client auth", SERVING: "server auth"}


async def obtain(
    client: Client, node: str, signer: str, clock: Clock, *, names: Sequence[str] = (), seconds: int | None = None
) -> tuple[bytes, bytes]:
    """(certificate, key) in PEM form for a node. Raises ConfigError where the cluster gives none."""
    key, request = _request(node, names)
    spec = {
        "request": base64.b64encode(request).decode(), "signerName": signer,
        "usages": ["digital signature", _USAGES[signer]],
    } | ({"expirationSeconds": seconds} if seconds else {})  # fmt: skip
    csr = {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest"}
    asked = await client.create(_RESOURCE, csr | {"metadata": {"generateName": "node-csr-"}, "spec": spec})
    name = objects.name(asked)
    try:
        answered = await wait.until(
            client, _RESOURCE, "", name, _is_answered, timeout_seconds=WAIT_SECONDS, clock=clock
        )
    except errors.Timeout as error:
        raise ConfigError(f"nobody approved {name} within {WAIT_SECONDS:g} s; see 'kubectl get csr {name}'") from error
    if answered is None or not _certificate(answered):
        raise ConfigError(f"{name} was not granted; see 'kubectl describe csr {name}'")
    return base64.b64decode(_certificate(answered)), key


def renewal(certificate: bytes) -> float:
    """When to ask for a certificate (PEM) anew, in Unix seconds."""
    from cryptography import x509

    found = x509.load_pem_x509_certificate(certificate)
    begin, end = found.not_valid_before_utc.timestamp(), found.not_valid_after_utc.timestamp()
    return begin + RENEW_AT * (end - begin)


def keep(file: Path, content: bytes) -> None:
    """Write whole or not at all, for our own eyes."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = file.with_name(f"{file.name}.new")
    temporary.touch(mode=0o600)
    temporary.write_bytes(content)
    temporary.replace(file)


def _is_answered(csr: Obj | None) -> bool:
    if csr is None:
        return True
    return bool(_certificate(csr)) or any(objects.condition_is(csr, kind) for kind in ("Denied", "Failed"))


def _certificate(csr: Obj) -> str:
    return str(objects.get(csr, "status", "certificate") or "")


def _request(node: str, names: Sequence[str]) -> tuple[bytes, bytes]:
    """(key, request) in PEM form."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = [(NameOID.ORGANIZATION_NAME, "system:nodes"), (NameOID.COMMON_NAME, f"system:node:{node}")]
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(oid, value) for oid, value in subject])
    )
    if names:
        alternatives = x509.SubjectAlternativeName([_alternative(name) for name in names])
        builder = builder.add_extension(alternatives, critical=False)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return pem, builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _alternative(name: str) -> Any:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
