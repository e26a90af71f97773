"""The cluster's certificates: one CA, and a leaf for each identity of upstream's kubeadm table.

Keys are ECDSA P-256: a whole set is made in milliseconds, which is what lets a cluster be ready in under half a
second. Every leaf is made anew when it is missing, damaged, about to end, of another CA, or lacks a name it should
carry; the CA never, unless a part of it is missing.
Layout: ``ca.crt``, ``ca.key``, ``<leaf>.crt``, ``<leaf>.key``, and ``sa.key``, which signs ServiceAccount tokens.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pybernetes.cluster.config import ConfigError

CA_DAYS: Final = 3650
LEAF_DAYS: Final = 365
RENEW_BEFORE_DAYS: Final = 60


@dataclass(frozen=True, slots=True)
class Leaf:
    """One certificate to have. ``names`` are DNS names and IP addresses for the server's side."""

    file: str
    common_name: str
    organizations: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    server: bool = False
    client: bool = True


ADMIN: Final = Leaf("admin", "kubernetes-admin", ("system:masters",))
KUBELET_CLIENT: Final = Leaf("apiserver-kubelet-client", "kube-apiserver-kubelet-client", ("system:masters",))
CONTROLLER_MANAGER: Final = Leaf("controller-manager", "system:kube-controller-manager")
SCHEDULER: Final = Leaf("scheduler", "system:kube-scheduler")
FRONT_PROXY: Final = Leaf("front-proxy-client", "front-proxy-client")


def apiserver(names: Iterable[str]) -> Leaf:
    """The API server's serving certificate for these DNS names and addresses."""
    return Leaf("apiserver", "kube-apiserver", names=tuple(dict.fromkeys(names)), server=True, client=False)


def kubelet(node: str, addresses: Iterable[str]) -> Leaf:
    """A node's certificate: ``system:node:<n>`` in ``system:nodes`` as a client, its addresses as a server."""
    return Leaf(f"kubelet-{node}", f"system:node:{node}", ("system:nodes",), (node, *addresses), server=True)


class Pki:
    """The files under one ``pki`` directory; ``ensure`` makes what is missing and touches nothing that is good.

    ``now`` is Unix seconds. ``signs_tokens``: have the key for ServiceAccount tokens too.
    """

    def __init__(self, directory: Path, now: float, *, signs_tokens: bool = True) -> None:
        self.directory, self._signs_tokens = directory, signs_tokens
        self._now = datetime.datetime.fromtimestamp(now, datetime.UTC)
        self._ca: tuple[Any, Any] | None = None

    def certificate(self, leaf: Leaf | str) -> Path:
        return self.directory / f"{leaf if isinstance(leaf, str) else leaf.file}.crt"

    def key(self, leaf: Leaf | str) -> Path:
        return self.directory / f"{leaf if isinstance(leaf, str) else leaf.file}.key"

    def ensure(self, leaves: Sequence[Leaf]) -> None:
        """Have a CA, a token signing key and all ``leaves``."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (self.key("ca").exists() and self.certificate("ca").exists()):
            self._make_ca()
        authority, _ = self._load_ca()
        if self._signs_tokens and not self.key("sa").exists():
            _write_key(self.key("sa"), _new_key())
        for leaf in leaves:
            if not self._is_good(leaf, authority):
                self._make_leaf(leaf)

    def _make_ca(self) -> None:
        from cryptography import x509

        key = _new_key()
        name = _name("kubernetes", ())
        builder = (
            self._builder(name, name, key, CA_DAYS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(ca=True), critical=True)
        )
        _write_key(self.key("ca"), key)
        _write_certificate(self.certificate("ca"), _sign(builder, key))

    def _make_leaf(self, leaf: Leaf) -> None:
        from cryptography import x509
        from cryptography.x509.oid import ExtendedKeyUsageOID

        ca_certificate, ca_key = self._load_ca()
        key = _new_key()
        uses = [ExtendedKeyUsageOID.SERVER_AUTH] * leaf.server + [ExtendedKeyUsageOID.CLIENT_AUTH] * leaf.client
        builder = (
            self._builder(_name(leaf.common_name, leaf.organizations), ca_certificate.subject, key, LEAF_DAYS)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(ca=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_certificate.public_key()), critical=False
            )
        )
        if leaf.names:
            builder = builder.add_extension(x509.SubjectAlternativeName([_san(n) for n in leaf.names]), critical=False)
        _write_key(self.key(leaf), key)
        _write_certificate(self.certificate(leaf), _sign(builder, ca_key))

    def _builder(self, subject: Any, issuer: Any, key: Any, days: int) -> Any:
        from cryptography import x509

        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - datetime.timedelta(minutes=5))
            .not_valid_after(self._now + datetime.timedelta(days=days))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )

    def _load_ca(self) -> tuple[Any, Any]:
        if self._ca is None:
            from cryptography import x509
            from cryptography.hazmat.primitives import serialization

            certificate = _readable(x509.load_pem_x509_certificate, self.certificate("ca"))
            self._ca = certificate, _readable(lambda pem: serialization.load_pem_private_key(pem, None), self.key("ca"))
        return self._ca

    def _is_good(self, leaf: Leaf, authority: Any) -> bool:
        from cryptography import x509
        from cryptography.exceptions import InvalidSignature

        if not (self.certificate(leaf).exists() and self.key(leaf).exists()):
            return False
        try:
            found = x509.load_pem_x509_certificate(self.certificate(leaf).read_bytes())
            found.verify_directly_issued_by(authority)
        except (ValueError, InvalidSignature):
            return False
        if found.not_valid_after_utc - self._now < datetime.timedelta(days=RENEW_BEFORE_DAYS):
            return False
        return {_san(n) for n in leaf.names} <= _sans(found)


def _readable(parse: Callable[[bytes], Any], path: Path) -> Any:
    try:
        return parse(path.read_bytes())
    except ValueError as error:
        raise ConfigError(
            f"{path} is damaged: put back a copy of it, or remove the folder {path.parent} and let 'pybernetes up' "
            "make new certificates and a new kubeconfig; tokens of service accounts then lose their worth"
        ) from error


def _new_key() -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _name(common_name: str, organizations: Sequence[str]) -> Any:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, o) for o in organizations]
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _san(name: str) -> Any:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _sans(certificate: Any) -> set[Any]:
    from cryptography import x509

    try:
        return set(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return set()


def _usage(*, ca: bool) -> Any:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=True, key_encipherment=True, key_cert_sign=ca, crl_sign=ca,
        content_commitment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _sign(builder: Any, key: Any) -> Any:
    from cryptography.hazmat.primitives import hashes

    return builder.sign(key, hashes.SHA256())


def _write_key(path: Path, key: Any) -> None:
    from cryptography.hazmat.primitives import serialization

    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _replace(path, pem, 0o600)


def _write_certificate(path: Path, certificate: Any) -> None:
    from cryptography.hazmat.primitives import serialization

    _replace(path, certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _replace(path: Path, data: bytes, mode: int) -> None:
    """Write whole or not at all: a half-written key would lock the cluster out."""
    temporary = path.with_suffix(path.suffix + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    temporary.replace(path)
