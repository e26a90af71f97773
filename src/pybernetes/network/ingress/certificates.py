"""Certificates from Secrets, in the form in which the data plane reads them. Pure.

Rule: what cannot be used is none: one bad Secret must not keep the data plane from reading the others.
"""

from __future__ import annotations

import base64
import binascii
import functools
from typing import Any

from pybernetes.meta.objects import Obj


def pem(secret: Obj | None) -> bytes | None:
    """Certificate chain and key of a Secret in one, or None where they are missing or do not belong together."""
    data = (secret or {}).get("data") or {}
    try:
        chain, key = (base64.b64decode(data[name], validate=True) for name in ("tls.crt", "tls.key"))
    except (KeyError, TypeError, ValueError, binascii.Error):
        return None
    return _joined(chain, key)


@functools.lru_cache(maxsize=1024)
def _joined(chain: bytes, key: bytes) -> bytes | None:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    try:
        certificate = x509.load_pem_x509_certificates(chain)[0]
        public = serialization.load_pem_private_key(key, None).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    if _encoded(public) != _encoded(certificate.public_key()):
        return None
    return chain.strip() + b"\n" + key.strip() + b"\n"


def _encoded(key: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    encoded: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return encoded
