"""A CertificateSigningRequest as signers and approvers see it (pkg/apis/certificates/helpers.go, signer.go).

Rule: each signer of Kubernetes' own has demands on the subject, the names and the usages; a request that falls short is
marked as failed, in upstream's words. ``legacy-unknown`` demands nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

RESOURCE: Final = "certificatesigningrequests.certificates.k8s.io"
CLIENT: Final = "kubernetes.io/kube-apiserver-client"
KUBELET_CLIENT: Final = "kubernetes.io/kube-apiserver-client-kubelet"
KUBELET_SERVING: Final = "kubernetes.io/kubelet-serving"
LEGACY: Final = "kubernetes.io/legacy-unknown"
_OPTIONAL: Final = ("digital signature", "key encipherment")
_NODES: Final = "system:nodes"
_NODE_PREFIX: Final = "system:node:"


class BadRequest(Exception):
    """A request that its signer does not sign; the text is for its conditions."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for; ``names`` are cryptography's GeneralNames."""

    request: Any
    common_name: str
    organizations: Sequence[str]
    names: Sequence[Any]
    usages: Sequence[str]

    def kinds(self) -> set[str]:
        """Of the names: ``DNSName``, ``IPAddress``, ``RFC822Name``, ``UniformResourceIdentifier``."""
        return {type(name).__name__ for name in self.names}


def read(csr: Obj) -> Asked:
    """Raises BadRequest for what is no certificate request, or not signed by its own key."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    spec = csr.get("spec") or {}
    try:
        request = x509.load_pem_x509_csr(base64.b64decode(spec.get("request") or ""))
        names = list(request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        names = []
    except ValueError as error:
        raise BadRequest(f"unable to parse the certificate request: {error}") from error
    if not request.is_signature_valid:
        raise BadRequest("the certificate request is not signed by its own key")
    common = [str(a.value) for a in request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    organizations = [str(a.value) for a in request.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    return Asked(request, common[-1] if common else "", organizations, names, list(spec.get("usages") or ()))


def check(asked: Asked, signer: str) -> None:
    """Raises BadRequest where the signer's demands are not met."""
    demands = _DEMANDS.get(signer)
    if demands is not None:
        demands(asked)


def conditions(csr: Obj) -> list[Obj]:
    found: list[Obj] = objects.get(csr, "status", "conditions", default=[])
    return found


def certificate(csr: Obj) -> bytes:
    """The issued certificate in PEM form; empty where there is none yet."""
    return base64.b64decode(objects.get(csr, "status", "certificate") or "")


# ── what signers demand ──────────────────────────────────────────────────────────────────────────────────


def _client(asked: Asked) -> None:
    for usage in asked.usages:
        if usage not in (*_OPTIONAL, "client auth"):
            raise BadRequest(f"invalid usage for client certificate: {usage}")
    if "client auth" not in asked.usages:
        raise BadRequest("missing required usage for client certificate: client auth")


def _kubelet_client(asked: Asked) -> None:
    _node(asked)
    for kind, told in _FORBIDDEN_NAMES.items():
        if kind in asked.kinds():
            raise BadRequest(f"{told} subjectAltNames are not allowed")
    _exact_usages(asked, "client auth")


def _kubelet_serving(asked: Asked) -> None:
    _node(asked)
    if not asked.kinds() & {"DNSName", "IPAddress"}:
        raise BadRequest("DNS or IP subjectAltName is required")
    for kind in ("RFC822Name", "UniformResourceIdentifier"):
        if kind in asked.kinds():
            raise BadRequest(f"{_FORBIDDEN_NAMES[kind]} subjectAltNames are not allowed")
    _exact_usages(asked, "server auth")


def _node(asked: Asked) -> None:
    if list(asked.organizations) != [_NODES]:
        raise BadRequest("subject organization is not system:nodes")
    if not asked.common_name.startswith(_NODE_PREFIX):
        raise BadRequest("subject common name does not begin with system:node:")


def _exact_usages(asked: Asked, main: str) -> None:
    """Key encipherment may be left out: only RSA keys can do it."""
    needed = {main, "digital signature"}
    if set(asked.usages) - {"key encipherment"} != needed:
        raise BadRequest(f"usages did not match [{' '.join(sorted((*needed, 'key encipherment')))}]")


_FORBIDDEN_NAMES: Final = {
    "DNSName": "DNS", "RFC822Name": "Email", "IPAddress": "IP", "UniformResourceIdentifier": "URI",
}  # fmt: skip
_DEMANDS: Final[dict[str, Callable[[Asked], None] | None]] = {
    CLIENT: _client,
    KUBELET_CLIENT: _kubelet_client,
    KUBELET_SERVING: _kubelet_serving,
    LEGACY: None,
}
SIGNERS: Final = tuple(_DEMANDS)
"""The signers of Kubernetes' own; requests to others are others' business."""
