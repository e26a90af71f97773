"""Client certificates: the common name is the user, each organization a group (apiserver/pkg/authentication/x509).

Rule: the TLS handshake has verified the certificate against the cluster's CA; here it is only read, once per
certificate, and its end is watched because a connection may outlive it.
"""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

from pybernetes.lib.clock import Clock
from pybernetes.server.authn.table import authenticated, unauthorized
from pybernetes.server.context import Request, User

_KEPT: Final = 4096


class _Read(NamedTuple):
    user: User | None
    """None: a certificate without a common name names nobody."""
    begin: float
    end: float


class X509:
    """An authenticator of ``table.py``."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._read: dict[bytes, _Read] = {}

    def authenticate(self, request: Request) -> User | None:
        """Raises Unauthorized for a certificate that has ended."""
        certificate = request.peer_certificate
        if certificate is None:
            return None
        found = self._read.get(certificate)
        if found is None:
            if len(self._read) >= _KEPT:
                self._read.clear()
            found = self._read[certificate] = _read(certificate)
        if not found.begin <= self._clock.time() <= found.end:
            raise unauthorized()
        return found.user


def _read(der: bytes) -> _Read:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    certificate = x509.load_der_x509_certificate(der)
    names = [str(a.value) for a in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    groups = [str(a.value) for a in certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    begin, end = certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp()
    if not names or not names[-1]:
        return _Read(None, begin, end)
    identity = {"authentication.kubernetes.io/credential-id": (f"X509SHA256={hashlib.sha256(der).hexdigest()}",)}
    return _Read(authenticated(User(names[-1], groups=tuple(groups), extra=identity)), begin, end)
