"""Rows with which the API itself is extended and guarded: ``admissionregistration``, ``apiextensions``,
``apiregistration`` and ``flowcontrol``.
"""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.columns import access
from pybernetes.kinds.kind import Kind
from pybernetes.kinds.row import maker
from pybernetes.kinds.strategy import definition, extension, policies

_admission = maker("admissionregistration.k8s.io", "v1", "io.k8s.api.admissionregistration")
_apiextensions = maker("apiextensions.k8s.io", "v1", "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions")
_apiregistration = maker("apiregistration.k8s.io", "v1", "io.k8s.kube-aggregator.pkg.apis.apiregistration")
_flowcontrol = maker("flowcontrol.apiserver.k8s.io", "v1", "io.k8s.api.flowcontrol")
_EXTENSIONS = ("api-extensions",)

_WEBHOOKS = {
    "categories": _EXTENSIONS,
    "namespaced": False,
    "strategy": extension.WEBHOOKS,
    "columns": access.WEBHOOKS,
}
_BINDING = {"namespaced": False, "strategy": policies.BINDING, "columns": access.POLICY_BINDINGS}

ADMISSION: Final[tuple[Kind, ...]] = (
    _admission(
        "MutatingAdmissionPolicy",
        "mutatingadmissionpolicies",
        namespaced=False,
        strategy=policies.MUTATING,
        columns=access.MUTATING_POLICIES,
    ),
    _admission("MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings", **_BINDING),
    _admission("MutatingWebhookConfiguration", "mutatingwebhookconfigurations", **_WEBHOOKS),
    _admission(
        "ValidatingAdmissionPolicy",
        "validatingadmissionpolicies",
        status=True,
        categories=_EXTENSIONS,
        namespaced=False,
        strategy=policies.VALIDATING,
        columns=access.VALIDATING_POLICIES,
    ),
    _admission(
        "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", categories=_EXTENSIONS, **_BINDING
    ),
    _admission("ValidatingWebhookConfiguration", "validatingwebhookconfigurations", **_WEBHOOKS),
)

APIEXTENSIONS: Final[tuple[Kind, ...]] = (
    _apiextensions(
        "CustomResourceDefinition",
        "customresourcedefinitions",
        "crd",
        "crds",
        namespaced=False,
        categories=_EXTENSIONS,
        status=True,
        strategy=definition.DEFINITION,
        columns=access.CUSTOM_RESOURCE_DEFINITIONS,
    ),
)

APIREGISTRATION: Final[tuple[Kind, ...]] = (
    _apiregistration(
        "APIService",
        "apiservices",
        namespaced=False,
        categories=_EXTENSIONS,
        status=True,
        strategy=extension.API_SERVICE,
        columns=access.API_SERVICES,
    ),
)

FLOWCONTROL: Final[tuple[Kind, ...]] = (
    _flowcontrol(
        "FlowSchema",
        "flowschemas",
        namespaced=False,
        status=True,
        strategy=extension.FLOW,
        columns=access.FLOW_SCHEMAS,
    ),
    _flowcontrol(
        "PriorityLevelConfiguration",
        "prioritylevelconfigurations",
        namespaced=False,
        status=True,
        strategy=extension.LEVEL,
        columns=access.PRIORITY_LEVELS,
    ),
)
