"""Who may use a node's API: the API server's client certificate, and administrators'.

Rule: TLS has seen to it that the cluster's CA signed the certificate; its subject decides here. A node's own
certificate is signed by the same CA and opens nothing.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

MASTERS: Final = "system:masters"


@lru_cache(maxsize=64)
def is_master(certificate: bytes) -> bool:
    """Is the subject of this certificate (DER) of the organization whose members may do everything?"""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    subject = x509.load_der_x509_certificate(certificate).subject
    return any(a.value == MASTERS for a in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME))
