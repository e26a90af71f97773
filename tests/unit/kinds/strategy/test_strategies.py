"""The other kinds: what is filled in, and what is refused in which words. One row per rule that people meet."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from pybernetes.kinds.kind import Strategy
from pybernetes.kinds.table import builtin
from pybernetes.meta import objects

KINDS = builtin()


def strategy(resource: str) -> Strategy:
    kind = KINDS.by_resource(resource)
    assert kind is not None
    return kind.strategy


def made(resource: str, obj: Any) -> Any:
    """The object as the registry has it before it judges it."""
    made: Any = {"metadata": {"name": "x", "namespace": "n", "uid": "u"}, **copy.deepcopy(obj)}
    strategy(resource).default(made)
    strategy(resource).prepare_create(made)
    return made


def complaints(resource: str, obj: Any) -> list[str]:
    return [str(error) for error in strategy(resource).validate(made(resource, obj))]


LABELS = {"app": "web"}
POD = {"containers": [{"name": "c", "image": "i:1"}]}
TEMPLATE = {"metadata": {"labels": LABELS}, "spec": POD}
OWNER = {"selector": {"matchLabels": LABELS}, "template": TEMPLATE}
ONCE = {"template": {"spec": {**POD, "restartPolicy": "Never"}}}
CRON = {"schedule": "@hourly", "jobTemplate": {"spec": ONCE}}
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
PORT = {"port": 80}
RULE = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}
ROLE_REF = {"kind": "Role", "name": "r"}

# ── defaults ─────────────────────────────────────────────────────────────────────────────────────────────

DEFAULTS: dict[str, tuple[str, Any, Any]] = {
    "a deployment": (
        "deployments.apps", OWNER,
        {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
         "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}},
    ),
    "no replicas are not none": ("deployments.apps", {**OWNER, "replicas": 0}, {"replicas": 0}),
    "a replica set": ("replicasets.apps", OWNER, {"replicas": 1}),
    "a stateful set": (
        "statefulsets.apps", OWNER,
        {"replicas": 1, "revisionHistoryLimit": 10, "podManagementPolicy": "OrderedReady",
         "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
         "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"}},
    ),
    "a daemon set": (
        "daemonsets.apps", OWNER,
        {"revisionHistoryLimit": 10,
         "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}},
    ),
    "a job": (
        "jobs.batch", ONCE,
        {"completions": 1, "parallelism": 1, "backoffLimit": 6, "completionMode": "NonIndexed", "suspend": False,
         "manualSelector": False, "podReplacementPolicy": "TerminatingOrFailed",
         "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "u"}}},
    ),
    "a cron job": (
        "cronjobs.batch", CRON,
        {"concurrencyPolicy": "Allow", "suspend": False, "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1},
    ),
    "a service": (
        "services", {"ports": [PORT]},
        {"type": "ClusterIP", "sessionAffinity": "None", "internalTrafficPolicy": "Cluster",
         "ports": [{"port": 80, "targetPort": 80, "protocol": "TCP"}]},
    ),
    "a node port": ("services", {"type": "NodePort", "ports": [PORT]}, {"externalTrafficPolicy": "Cluster"}),
    "a sticky service": (
        "services", {"ports": [PORT], "sessionAffinity": "ClientIP"},
        {"sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 10800}}},
    ),
    "a claim": ("persistentvolumeclaims", CLAIM, {"volumeMode": "Filesystem"}),
    "a policy": ("networkpolicies.networking.k8s.io", {"egress": [{}]}, {"policyTypes": ["Ingress", "Egress"]}),
    "an autoscaler": (
        "horizontalpodautoscalers.autoscaling", {"maxReplicas": 2},
        {"minReplicas": 1,
         "metrics": [{"type": "Resource", "resource": {
             "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}]},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("resource", "spec", "filled"), DEFAULTS.values(), ids=DEFAULTS.keys())
def test_a_spec_gets_upstreams_defaults(resource: str, spec: Any, filled: Any) -> None:
    found = made(resource, {"spec": spec})["spec"]
    assert {key: found.get(key) for key in filled} == filled


def test_defaults_are_set_once() -> None:
    for resource, spec, _ in DEFAULTS.values():
        once: Any = {"metadata": {"name": "x"}, "spec": copy.deepcopy(spec)}
        strategy(resource).default(once)
        again = copy.deepcopy(once)
        strategy(resource).default(again)
        assert again == once


def test_plain_secrets_become_base64() -> None:
    secret = made("secrets", {"stringData": {"a": "b"}, "data": {"c": "ZA=="}})
    assert secret["data"] == {"a": "Yg==", "c": "ZA=="}
    assert secret["type"] == "Opaque"
    assert "stringData" not in secret


def test_a_jobs_pods_are_marked_as_its_own() -> None:
    labels = made("jobs.batch", {"spec": ONCE})["spec"]["template"]["metadata"]["labels"]
    assert labels == {
        "batch.kubernetes.io/controller-uid": "u",
        "batch.kubernetes.io/job-name": "x",
        "controller-uid": "u",
        "job-name": "x",
    }


# ── validation ───────────────────────────────────────────────────────────────────────────────────────────

BAD: dict[str, tuple[str, Any, list[str]]] = {
    "a selector that misses its template": (
        "deployments.apps", {"spec": {**OWNER, "selector": {"matchLabels": {"a": "b"}}}},
        ['spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`'],
    ),
    "an empty selector": (
        "deployments.apps", {"spec": {**OWNER, "selector": {}}},
        ["spec.selector: Invalid value: {}: empty selector is invalid for deployment"],
    ),
    "negative replicas": (
        "deployments.apps", {"spec": {**OWNER, "replicas": -1}},
        ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"],
    ),
    "a deployment that can never progress": (
        "deployments.apps",
        {"spec": {**OWNER, "strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}}}},
        ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0'],
    ),
    "a rolling update of what is recreated": (
        "deployments.apps", {"spec": {**OWNER, "strategy": {"type": "Recreate", "rollingUpdate": {}}}},
        ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
    ),
    "pods of a deployment that end": (
        "deployments.apps",
        {"spec": {**OWNER, "template": {**TEMPLATE, "spec": {**POD, "restartPolicy": "Never"}}}},
        ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
    ),
    "a deadline before readiness": (
        "deployments.apps", {"spec": {**OWNER, "minReadySeconds": 9, "progressDeadlineSeconds": 9}},
        ["spec.progressDeadlineSeconds: Invalid value: 9: must be greater than minReadySeconds"],
    ),
    "a job whose pods never end": (
        "jobs.batch", {"spec": {"template": {"spec": POD}}},
        ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
    ),
    "an indexed job without a count": (
        "jobs.batch", {"spec": {**ONCE, "completionMode": "Indexed", "parallelism": 2}},
        ["spec.completions: Required value: when completion mode is Indexed"],
    ),
    "a bad schedule": (
        "cronjobs.batch", {"spec": {**CRON, "schedule": "* * * *"}},
        ['spec.schedule: Invalid value: "* * * *": expected exactly 5 fields, found 4: [* * * *]'],
    ),
    "a service without ports": ("services", {"spec": {}}, ["spec.ports: Required value"]),
    "ports without names": (
        "services", {"spec": {"ports": [{"port": 80}, {"port": 81}]}},
        ["spec.ports[0].name: Required value", "spec.ports[1].name: Required value"],
    ),
    "a port twice": (
        "services", {"spec": {"ports": [{"name": "a", "port": 80}, {"name": "b", "port": 80}]}},
        ['spec.ports[1]: Duplicate value: {"port":80,"protocol":"TCP"}'],
    ),
    "a node port where none is": (
        "services", {"spec": {"ports": [{"port": 80, "nodePort": 30000}]}},
        ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ),
    "an external name without name": (
        "services", {"spec": {"type": "ExternalName"}}, ["spec.externalName: Required value"],
    ),
    "a key that is no file name": (
        "configmaps", {"data": {"a/b": ""}},
        ["data[a/b]: Invalid value: \"a/b\": a valid config key must consist of alphanumeric characters, '-', '_' or "
         "'.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"],
    ),
    "a certificate without its key": (
        "secrets", {"type": "kubernetes.io/tls", "data": {"tls.crt": ""}}, ["data[tls.key]: Required value"],
    ),
    "a claim of nothing": (
        "persistentvolumeclaims", {"spec": {"accessModes": ["ReadWriteOnce"]}},
        ["spec.resources[storage]: Required value"],
    ),
    "a claim without mode": (
        "persistentvolumeclaims", {"spec": {**CLAIM, "accessModes": []}},
        ["spec.accessModes: Required value: at least 1 access mode is required"],
    ),
    "a rule without verbs": (
        "roles.rbac.authorization.k8s.io", {"rules": [{**RULE, "verbs": []}]},
        ["rules[0].verbs: Required value: verbs must contain at least one value"],
    ),
    "a role for URLs": (
        "roles.rbac.authorization.k8s.io", {"rules": [{"verbs": ["get"], "nonResourceURLs": ["/x"]}]},
        ['rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs'],
    ),
    "an unknown subject": (
        "rolebindings.rbac.authorization.k8s.io", {"roleRef": ROLE_REF, "subjects": [{"kind": "X", "name": "y"}]},
        ['subjects[0].kind: Unsupported value: "X": supported values: "Group", "ServiceAccount", "User"'],
    ),
    "an ingress of nothing": (
        "ingresses.networking.k8s.io", {"spec": {}},
        ["spec: Invalid value: []: either `defaultBackend` or `rules` must be specified"],
    ),
    "an autoscaler without room": (
        "horizontalpodautoscalers.autoscaling",
        {"spec": {"scaleTargetRef": {"kind": "Deployment", "name": "d"}, "minReplicas": 3, "maxReplicas": 2}},
        ["spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("resource", "obj", "words"), BAD.values(), ids=BAD.keys())
def test_a_bad_object_is_told_what_is_wrong(resource: str, obj: Any, words: list[str]) -> None:
    assert complaints(resource, obj) == words


GOOD: dict[str, Any] = {
    "deployments.apps": {"spec": OWNER},
    "replicasets.apps": {"spec": OWNER},
    "replicationcontrollers": {"spec": {**OWNER, "selector": LABELS}},
    "statefulsets.apps": {"spec": {**OWNER, "serviceName": "s", "volumeClaimTemplates": [
        {"metadata": {"name": "d"}, "spec": CLAIM}]}},
    "daemonsets.apps": {"spec": OWNER},
    "jobs.batch": {"spec": ONCE},
    "cronjobs.batch": {"spec": CRON},
    "services": {"spec": {"ports": [PORT], "selector": LABELS}},
    "configmaps": {"data": {"a": "b"}, "binaryData": {"c": "ZA=="}},
    "secrets": {"stringData": {"a": "b"}},
    "namespaces": {},
    "serviceaccounts": {},
    "persistentvolumeclaims": {"spec": CLAIM},
    "persistentvolumes": {"spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"],
                                   "hostPath": {"path": "/x"}}},
    "storageclasses.storage.k8s.io": {"provisioner": "a.b/c"},
    "roles.rbac.authorization.k8s.io": {"rules": [RULE]},
    "clusterroles.rbac.authorization.k8s.io": {"rules": [{"verbs": ["get"], "nonResourceURLs": ["/healthz"]}]},
    "rolebindings.rbac.authorization.k8s.io": {
        "roleRef": ROLE_REF, "subjects": [{"kind": "User", "name": "u"}, {"kind": "ServiceAccount", "name": "s"}]},
    "ingresses.networking.k8s.io": {"spec": {"rules": [{"host": "*.a.b", "http": {"paths": [
        {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "s", "port": {"number": 80}}}}]}}]}},
    "networkpolicies.networking.k8s.io": {"spec": {"ingress": [{"from": [{"podSelector": {}}]}]}},
    "poddisruptionbudgets.policy": {"spec": {"minAvailable": 1, "selector": {"matchLabels": LABELS}}},
    "resourcequotas": {"spec": {"hard": {"pods": "5"}}},
    "limitranges": {"spec": {"limits": [{"type": "Container", "max": {"cpu": "1"}}]}},
    "priorityclasses.scheduling.k8s.io": {"value": 5},
    "leases.coordination.k8s.io": {"spec": {"holderIdentity": "a", "leaseDurationSeconds": 15}},
}  # fmt: skip


@pytest.mark.parametrize("resource", GOOD)
def test_a_good_object_has_no_complaints_and_may_stay_as_it_is(resource: str) -> None:
    assert complaints(resource, GOOD[resource]) == []
    old = made(resource, GOOD[resource])
    new = copy.deepcopy(old)
    strategy(resource).prepare_update(new, old)
    assert list(strategy(resource).validate_update(new, old)) == []


# ── updates ──────────────────────────────────────────────────────────────────────────────────────────────

CHANGES: dict[str, tuple[str, tuple[str, ...], Any, str]] = {
    "a deployment's selector": (
        "deployments.apps", ("spec", "selector"), {"matchLabels": {"a": "b"}}, "field is immutable",
    ),
    "a job's template": (
        "jobs.batch", ("spec", "template", "spec", "containers"), [{"name": "z", "image": "z"}], "field is immutable",
    ),
    "a stateful set's service": (
        "statefulsets.apps", ("spec", "serviceName"), "t",
        "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
        "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are "
        "forbidden",
    ),
    "a binding's role": (
        "rolebindings.rbac.authorization.k8s.io", ("roleRef", "name"), "s", "cannot change roleRef",
    ),
    "a claim's spec": (
        "persistentvolumeclaims", ("spec", "accessModes"), ["ReadWriteMany"],
        "spec: Forbidden: spec is immutable after",
    ),
    "a secret's type": ("secrets", ("type",), "other", "type: Invalid value: \"other\": field is immutable"),
    "a storage class": (
        "storageclasses.storage.k8s.io", ("provisioner",), "other", "updates to provisioner are forbidden",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("resource", "path", "value", "words"), CHANGES.values(), ids=CHANGES.keys())
def test_what_is_for_life_cannot_be_changed(resource: str, path: tuple[str, ...], value: Any, words: str) -> None:
    old = made(resource, GOOD[resource])
    found = [str(error) for error in strategy(resource).validate_update(objects.evolve(old, path, value), old)]
    assert any(words in text for text in found), found


def test_an_immutable_config_map_cannot_be_opened_or_changed() -> None:
    old: Any = {"metadata": {"name": "x"}, "data": {"a": "b"}, "immutable": True}
    judge = strategy("configmaps").validate_update
    assert [str(e) for e in judge({**old, "immutable": False, "data": {}}, old)] == [
        "immutable: Forbidden: field is immutable when `immutable` is set",
        "data: Forbidden: field is immutable when `immutable` is set",
    ]


def test_a_service_keeps_what_it_was_given() -> None:
    old = made("services", {"spec": {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30001}]}})
    old["spec"].update(clusterIP="10.96.0.9", clusterIPs=["10.96.0.9"])
    new = made("services", {"spec": {"type": "NodePort", "ports": [{"port": 80}]}})
    strategy("services").prepare_update(new, old)
    assert new["spec"]["clusterIP"] == "10.96.0.9"
    assert new["spec"]["ports"][0]["nodePort"] == 30001


def test_a_service_loses_what_its_new_type_has_no_use_for() -> None:
    old = made("services", {"spec": {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30001}]}})
    new = copy.deepcopy(old)
    new["spec"]["type"] = "ClusterIP"
    strategy("services").prepare_update(new, old)
    assert "nodePort" not in new["spec"]["ports"][0]
    assert "externalTrafficPolicy" not in new["spec"]


@pytest.mark.parametrize(
    ("resource", "name", "is_good"),
    [
        ("namespaces", "a.b", False), ("services", "0a", False), ("services", "a-b", True), ("pods", "a.b", True),
        ("clusterroles.rbac.authorization.k8s.io", "system:node", True), ("cronjobs.batch", "a" * 53, False),
    ],
)  # fmt: skip
def test_names_are_judged_by_kind(resource: str, name: str, is_good: bool) -> None:
    assert (not strategy(resource).validate_name(name, False)) is is_good
