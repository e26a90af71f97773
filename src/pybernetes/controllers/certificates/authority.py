"""The cluster's certificate authority at work: a request becomes a certificate. Pure: the same request at the same
moment has the same serial number.

Source: pkg/controller/certificates/authority/policies.go. Rule: a certificate lasts as long as was asked for, a year
where nothing was and at the most; it begins five minutes ago, so that clocks may differ, and never outlives the CA.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Callable
from typing import Any, Final

from pybernetes.controllers.certificates.requests import Asked
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

SECONDS_MAX: Final = 365 * 24 * 3600
_SECONDS_MIN: Final = 600
_SHORT_SECONDS: Final = 8 * 3600
_BACKDATE: Final = datetime.timedelta(minutes=5)
_KEY_USAGES: Final = {
    "signing": "digital_signature", "digital signature": "digital_signature",
    "content commitment": "content_commitment", "key encipherment": "key_encipherment",
    "data encipherment": "data_encipherment", "key agreement": "key_agreement", "cert sign": "key_cert_sign",
    "crl sign": "crl_sign", "encipher only": "encipher_only", "decipher only": "decipher_only",
}  # fmt: skip
_EXTENDED: Final = {
    "any": "2.5.29.37.0", "server auth": "1.3.6.1.5.5.7.3.1", "client auth": "1.3.6.1.5.5.7.3.2",
    "code signing": "1.3.6.1.5.5.7.3.3", "email protection": "1.3.6.1.5.5.7.3.4", "s/mime": "1.3.6.1.5.5.7.3.4",
    "ipsec end system": "1.3.6.1.5.5.7.3.5", "ipsec tunnel": "1.3.6.1.5.5.7.3.6",
    "ipsec user": "1.3.6.1.5.5.7.3.7", "timestamping": "1.3.6.1.5.5.7.3.8", "ocsp signing": "1.3.6.1.5.5.7.3.9",
    "microsoft sgc": "1.3.6.1.4.1.311.10.3.3", "netscape sgc": "2.16.840.1.113730.4.1",
}  # fmt: skip


class Authority:
    """``certificate`` and ``key`` in PEM form; they are read when they are first needed.

    ``ahead``: seconds by which the cluster's clock is ahead of those who check certificates.
    """

    def __init__(self, certificate: bytes, key: bytes, ahead: Callable[[], float] = float) -> None:
        self._pem, self._ahead = (certificate, key), ahead
        self._loaded: tuple[Any, Any] | None = None

    def issue(self, csr: Obj, asked: Asked, now: float) -> bytes:
        """The certificate in PEM form."""
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization

        ca, key = self._load()
        begin, end = lifetime(objects.get(csr, "spec", "expirationSeconds"), now - self._ahead())
        builder = (
            x509.CertificateBuilder()
            .subject_name(asked.request.subject)
            .issuer_name(ca.subject)
            .public_key(asked.request.public_key())
            .serial_number(_serial(csr))
            .not_valid_before(begin)
            .not_valid_after(min(end, ca.not_valid_after_utc))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.public_key()), critical=False)
        )
        for extension, critical in _extensions(asked):
            builder = builder.add_extension(extension, critical=critical)
        return bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def _load(self) -> tuple[Any, Any]:
        if self._loaded is None:
            from cryptography import x509
            from cryptography.hazmat.primitives import serialization

            certificate, key = self._pem
            self._loaded = (
                x509.load_pem_x509_certificate(certificate),
                serialization.load_pem_private_key(key, None),
            )
        return self._loaded


def lifetime(asked_seconds: int | None, now: float) -> tuple[datetime.datetime, datetime.datetime]:
    """From when to when a certificate is valid. The end of a long one is backdated as its begin is."""
    seconds = max(_SECONDS_MIN, min(asked_seconds or SECONDS_MAX, SECONDS_MAX))
    at = datetime.datetime.fromtimestamp(int(now), datetime.UTC)
    end = at + datetime.timedelta(seconds=seconds)
    return at - _BACKDATE, end if seconds < _SHORT_SECONDS else end - _BACKDATE


def _serial(csr: Obj) -> int:
    told = f"{objects.uid(csr)}/{objects.get(csr, 'spec', 'request')}".encode()
    return int.from_bytes(hashlib.sha256(told).digest()[:15]) + 1


def _extensions(asked: Asked) -> list[tuple[Any, bool]]:
    """(extension, is it critical?) that follow from the request."""
    from cryptography import x509

    flags = dict.fromkeys(_KEY_USAGES.values(), False)
    flags |= {_KEY_USAGES[usage]: True for usage in asked.usages if usage in _KEY_USAGES}
    if not flags["key_agreement"]:
        flags |= {"encipher_only": False, "decipher_only": False}
    found: list[tuple[Any, bool]] = []
    if any(flags.values()):
        found.append((x509.KeyUsage(**flags), True))
    extended = dict.fromkeys(_EXTENDED[usage] for usage in asked.usages if usage in _EXTENDED)
    if extended:
        found.append((x509.ExtendedKeyUsage([x509.ObjectIdentifier(oid) for oid in extended]), False))
    if asked.names:
        found.append((x509.SubjectAlternativeName(asked.names), False))
    return found
