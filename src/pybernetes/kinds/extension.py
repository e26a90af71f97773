"""Rows with which the API itself is extended and guarded: ``admissionregistration``, ``apiextensions``,
``apiregistration`` and ``flowcontrol``.
"""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.kind import Kind
from pybernetes.kinds.row import maker

_admission = maker("admissionregistration.k8s.io", "v1", "io.k8s.api.admissionregistration")
_apiextensions = maker("apiextensions.k8s.io", "v1", "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions")
_apiregistration = maker("apiregistration.k8s.io", "v1", "io.k8s.kube-aggregator.pkg.apis.apiregistration")
_flowcontrol = maker("flowcontrol.apiserver.k8s.io", "v1", "io.k8s.api.flowcontrol")
_EXTENSIONS = ("api-extensions",)

ADMISSION: Final[tuple[Kind, ...]] = tuple(
    _admission(kind, plural, namespaced=False, categories=categories, status=status)
    for kind, plural, categories, status in (
        ("MutatingAdmissionPolicy", "mutatingadmissionpolicies", (), False),
        ("MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings", (), False),
        ("MutatingWebhookConfiguration", "mutatingwebhookconfigurations", _EXTENSIONS, False),
        ("ValidatingAdmissionPolicy", "validatingadmissionpolicies", _EXTENSIONS, True),
        ("ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", _EXTENSIONS, False),
        ("ValidatingWebhookConfiguration", "validatingwebhookconfigurations", _EXTENSIONS, False),
    )
)

APIEXTENSIONS: Final[tuple[Kind, ...]] = (
    _apiextensions(
        "CustomResourceDefinition", "customresourcedefinitions", "crd", "crds",
        namespaced=False, categories=_EXTENSIONS, status=True,
    ),
)  # fmt: skip

APIREGISTRATION: Final[tuple[Kind, ...]] = (
    _apiregistration("APIService", "apiservices", namespaced=False, categories=_EXTENSIONS, status=True),
)

FLOWCONTROL: Final[tuple[Kind, ...]] = (
    _flowcontrol("FlowSchema", "flowschemas", namespaced=False, status=True),
    _flowcontrol("PriorityLevelConfiguration", "prioritylevelconfigurations", namespaced=False, status=True),
)
