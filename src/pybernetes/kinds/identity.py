"""Rows about who is asking: ``authentication``, ``authorization`` and ``certificates`` (all ``.k8s.io/v1``).

Reviews are create-only: the server answers them from the authenticator or the authorizer and stores nothing.
"""

from __future__ import annotations

from typing import Final

from pybernetes.kinds import fields
from pybernetes.kinds.columns import cluster
from pybernetes.kinds.kind import Kind
from pybernetes.kinds.row import CREATE_ONLY, maker, same
from pybernetes.kinds.strategy import csr

_authentication = maker("authentication.k8s.io", "v1", "io.k8s.api.authentication")
_authorization = maker("authorization.k8s.io", "v1", "io.k8s.api.authorization")
_certificates = maker("certificates.k8s.io", "v1", "io.k8s.api.certificates")

AUTHENTICATION: Final[tuple[Kind, ...]] = (
    _authentication("SelfSubjectReview", "selfsubjectreviews", namespaced=False, verbs=CREATE_ONLY),
    _authentication("TokenReview", "tokenreviews", namespaced=False, verbs=CREATE_ONLY),
)

AUTHORIZATION: Final[tuple[Kind, ...]] = (
    _authorization("LocalSubjectAccessReview", "localsubjectaccessreviews", verbs=CREATE_ONLY),
    _authorization("SelfSubjectAccessReview", "selfsubjectaccessreviews", namespaced=False, verbs=CREATE_ONLY),
    _authorization("SelfSubjectRulesReview", "selfsubjectrulesreviews", namespaced=False, verbs=CREATE_ONLY),
    _authorization("SubjectAccessReview", "subjectaccessreviews", namespaced=False, verbs=CREATE_ONLY),
)

CERTIFICATES: Final[tuple[Kind, ...]] = (
    _certificates(
        "CertificateSigningRequest",
        "certificatesigningrequests",
        "csr",
        namespaced=False,
        status=True,
        subresources=same("CertificateSigningRequest", "approval"),
        strategy=csr.STRATEGY,
        columns=cluster.CERTIFICATE_SIGNING_REQUESTS,
        fields=fields.CERTIFICATE_SIGNING_REQUESTS,
    ),
)
