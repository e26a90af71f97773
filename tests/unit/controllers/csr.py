"""A certificate authority and requests to it, for tests of certificates."""

from __future__ import annotations

import base64
import functools
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pybernetes.cluster.pki import Pki
from pybernetes.controllers.certificates import requests
from pybernetes.meta import times
from pybernetes.meta.objects import Obj

from . import build


@functools.cache
def authority() -> tuple[bytes, bytes]:
    """(certificate, key) in PEM form."""
    with TemporaryDirectory() as directory:
        pki = Pki(Path(directory), build.NOW)
        pki.ensure(())
        return pki.certificate("ca").read_bytes(), pki.key("ca").read_bytes()


def request(name: str, groups: Sequence[str] = (), names: Sequence[Any] = ()) -> str:
    """A certificate request as it stands in ``spec.request``."""
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    subject = x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(list(names)), critical=False)
    made = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return base64.b64encode(made.public_bytes(serialization.Encoding.PEM)).decode()


def csr(text: str, *conditions: str, signer: str = requests.CLIENT, usages: Sequence[str] = ("client auth",),
        age: float = 0, **spec: Any) -> Obj:  # fmt: skip
    """The object; ``conditions`` became true at its creation, ``age`` seconds ago."""
    at = build.ago(age)
    return {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": "joe", "uid": "uid-joe", "creationTimestamp": at},
        "spec": {"request": text, "signerName": signer, "usages": list(usages), **spec},
        "status": {"conditions": [{"type": c, "status": "True", "lastUpdateTime": at} for c in conditions]},
    }


def issued(obj: Obj) -> x509.Certificate:
    return x509.load_pem_x509_certificate(requests.certificate(obj))


def seconds_left(obj: Obj) -> float:
    return issued(obj).not_valid_after_utc.timestamp() - times.parse(build.ago(0))
