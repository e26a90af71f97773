from __future__ import annotations

import pytest

from pybernetes.cluster import roles
from pybernetes.control.controller import Controller
from pybernetes.controllers import table
from pybernetes.controllers.deployment.sync import CONTROLLER as DEPLOYMENT
from pybernetes.kinds import metrics
from pybernetes.kinds import table as kind_table

KINDS = kind_table.KindTable([*kind_table.builtin(), *metrics.KINDS])
CONTROLLERS = table.controllers(table.Options(kinds=KINDS))
ONLY_IN_RULES = ("signers.certificates.k8s.io",)
"""Resources that nobody serves: who may use a signer is asked of RBAC by this name (KEP-1513)."""


def allows(controller: Controller, group: str, resource: str, verb: str) -> bool:
    return any(
        group in rule["apiGroups"] and resource in rule["resources"] and verb in rule["verbs"]
        for rule in roles.rules(controller)
    )


def test_inputs_are_read_and_outputs_written() -> None:
    assert allows(DEPLOYMENT, "apps", "replicasets", "create")
    assert allows(DEPLOYMENT, "apps", "replicasets", "watch")
    assert allows(DEPLOYMENT, "apps", "deployments/status", "update")
    assert allows(DEPLOYMENT, "", "pods", "list")
    assert not allows(DEPLOYMENT, "", "pods", "delete")
    assert not allows(DEPLOYMENT, "apps", "deployments", "delete")


def test_the_role_is_bound_to_the_controllers_account() -> None:
    made = {obj["kind"]: obj for _, obj in roles.bootstrap_objects([DEPLOYMENT])}
    assert made["ClusterRole"]["metadata"]["name"] == "system:controller:deployment-controller"
    subject = {"kind": "ServiceAccount", "name": "deployment-controller", "namespace": "kube-system"}
    assert made["ClusterRoleBinding"]["subjects"] == [subject]
    assert made["ServiceAccount"]["metadata"] == {"name": "deployment-controller", "namespace": "kube-system"}
    assert roles.user_name(DEPLOYMENT) == "system:serviceaccount:kube-system:deployment-controller"


@pytest.mark.parametrize("controller", CONTROLLERS, ids=lambda each: each.name)
def test_every_resource_that_a_controller_names_exists(controller: Controller) -> None:
    assert allows(controller, "", "events", "create")
    for told in [row.resource for row in (*controller.inputs, *controller.outputs)]:
        resource, _, subresource = told.partition("/")
        if "*" in told or resource in ONLY_IN_RULES:
            continue
        kind = KINDS.by_resource(resource)
        assert kind is not None, resource
        assert not subresource or subresource == "finalizers" or subresource in kind.subresources


def test_controllers_have_names_and_accounts_of_their_own() -> None:
    assert len({each.name for each in CONTROLLERS}) == len(CONTROLLERS)
    assert len({roles.account(each) for each in CONTROLLERS}) == len(CONTROLLERS)
