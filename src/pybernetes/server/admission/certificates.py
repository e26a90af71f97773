"""CertificateApproval, CertificateSigning, CertificateSubjectRestriction: who may do what for which signer.

Source: plugin/pkg/admission/certificates. Rule: the verbs ``approve`` and ``sign`` on the virtual resource ``signers``
decide, by the signer's name or ``<domain>/*`` for all signers of a domain.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.server.admission.attributes import Attributes, forbidden
from pybernetes.server.admission.plugin import Plugin, World
from pybernetes.server.context import Info

_GROUP: Final = "certificates.k8s.io"
_REQUESTS: Final = f"certificatesigningrequests.{_GROUP}"
_CLIENTS: Final = "kubernetes.io/kube-apiserver-client"
_MASTERS: Final = "system:masters"


async def judge_approval(world: World, a: Attributes) -> None:
    """Raises Forbidden."""
    if not await _may(world, a, "approve"):
        raise forbidden(a, f'user not permitted to approve requests with signerName "{_signer(a.old)}"')


async def judge_signing(world: World, a: Attributes) -> None:
    """Whoever writes a certificate, or that there will be none, signs. Raises Forbidden."""
    if _outcome(a.obj) != _outcome(a.old) and not await _may(world, a, "sign"):
        raise forbidden(a, f'user not permitted to sign requests with signerName "{_signer(a.old)}"')


async def judge_subject(world: World, a: Attributes) -> None:
    """Nobody becomes a master by a certificate that is asked for. Raises Forbidden."""
    if _signer(a.obj) == _CLIENTS and _MASTERS in _organizations(objects.get(a.obj, "spec", "request", default="")):
        raise forbidden(a, f"use of {_CLIENTS} signer with {_MASTERS} group is not allowed")


async def _may(world: World, a: Attributes, verb: str) -> bool:
    name = _signer(a.old)
    for signer in (name, f"{name.partition('/')[0]}/*"):
        info = Info(True, verb, "", _GROUP, "*", "", "signers", "", signer)
        if (await world.authorizer.decide(a.user, info)).allowed:
            return True
    return False


def _signer(request: Obj | None) -> str:
    return str(objects.get(request, "spec", "signerName", default=""))


def _outcome(request: Obj | None) -> tuple[object, bool]:
    return objects.get(request, "status", "certificate"), objects.condition(request or {}, "Failed") is not None


def _organizations(request: str) -> list[str]:
    """The organizations of a request's subject; none where it is no request, which validation says."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    try:
        subject = x509.load_pem_x509_csr(base64.b64decode(request)).subject
    except (ValueError, binascii.Error):
        return []
    return [str(found.value) for found in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]


APPROVAL: Final = Plugin(
    name="CertificateApproval", verbs=("update",), resources=(_REQUESTS,), subresources=("approval",),
    validate=judge_approval,
)  # fmt: skip
SIGNING: Final = Plugin(
    name="CertificateSigning", verbs=("update",), resources=(_REQUESTS,), subresources=("status",),
    validate=judge_signing,
)  # fmt: skip
SUBJECT: Final = Plugin(
    name="CertificateSubjectRestriction", verbs=("create",), resources=(_REQUESTS,), validate=judge_subject
)
