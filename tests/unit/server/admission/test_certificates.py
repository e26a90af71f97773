"""Who may approve and sign for which signer."""

from __future__ import annotations

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pybernetes.meta import errors
from pybernetes.meta.objects import Obj
from pybernetes.server.admission.table import Admission
from pybernetes.server.context import User

from ..build import ADMIN, JANE, Cluster, binding, named, role, rule

REQUESTS = "certificatesigningrequests.certificates.k8s.io"
CLIENTS = "kubernetes.io/kube-apiserver-client"


def request(organization: str = "developers", signer: str = CLIENTS, **status: object) -> Obj:
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject)
    pem = made.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return named("r", spec={"signerName": signer, "request": base64.b64encode(pem).decode()}, status=status)


async def refusal(subresource: str, new: Obj, old: Obj, user: User, *rules: Obj) -> str:
    made = Cluster()
    await made.put("clusterroles.rbac.authorization.k8s.io", role("r", *rules))
    await made.put("clusterrolebindings.rbac.authorization.k8s.io", binding("b", "ClusterRole r", "User jane"))
    write = made.write("update", REQUESTS, new, old=old, user=user, subresource=subresource)
    try:
        await Admission(made.world).validate(write)
    except errors.Forbidden as error:
        return error.message
    return ""


@pytest.mark.parametrize(
    ("names", "allowed"), [(CLIENTS, True), ("kubernetes.io/*", True), ("example.com/*", False), ("", True)]
)
async def test_who_approves_for_a_signer_needs_the_right_to(names: str, allowed: bool) -> None:
    right = rule("approve", "signers", "certificates.k8s.io", names)
    refused = await refusal("approval", request(), request(), JANE, right)
    assert (refused == "") is allowed
    if not allowed:
        assert refused.endswith(f'user not permitted to approve requests with signerName "{CLIENTS}"')


async def test_who_writes_a_certificate_needs_the_right_to_sign() -> None:
    signed = request(certificate="x")
    assert 'not permitted to sign requests with signerName "' in await refusal("status", signed, request(), JANE)
    assert await refusal("status", signed, signed, JANE) == ""
    assert await refusal("status", signed, request(), ADMIN) == ""


async def test_nobody_asks_to_become_a_master() -> None:
    made = Cluster()
    admission = Admission(made.world)
    await admission.validate(made.write("create", REQUESTS, request()))
    await admission.validate(made.write("create", REQUESTS, request("system:masters", "example.com/any")))
    with pytest.raises(errors.Forbidden, match="signer with system:masters group is not allowed"):
        await admission.validate(made.write("create", REQUESTS, request("system:masters")))
