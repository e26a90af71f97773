"""Pods: what is filled in, what is refused and in which words, and what may change later."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from pybernetes.kinds.strategy import pod, qos


def made(*, container: Any = None, **spec: Any) -> Any:
    """A defaulted, created pod with one container that has these fields too."""
    containers = [{"name": "c", "image": "nginx", **(container or {})}]
    obj: Any = {"metadata": {"name": "p", "namespace": "n"}, "spec": {"containers": containers, **spec}}
    pod.default(obj)
    pod.prepare_create(obj)
    return obj


def complaints(obj: Any) -> list[str]:
    return [str(error) for error in pod.validate(obj)]


# ── defaults ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_pod_gets_upstreams_defaults() -> None:
    spec = made()["spec"]
    assert spec["containers"][0] == {
        "name": "c",
        "image": "nginx",
        "imagePullPolicy": "Always",
        "resources": {},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    }
    del spec["containers"]
    assert spec == {
        "dnsPolicy": "ClusterFirst",
        "enableServiceLinks": True,
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
    }


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"), ("nginx:latest", "Always"), ("nginx:1", "IfNotPresent"),
        ("localhost:5000/nginx", "Always"), ("nginx@sha256:" + "a" * 64, "IfNotPresent"),
    ],
)  # fmt: skip
def test_the_pull_policy_follows_the_tag(image: str, policy: str) -> None:
    assert made(container={"image": image})["spec"]["containers"][0]["imagePullPolicy"] == policy


def test_probes_volumes_and_ports_get_their_defaults() -> None:
    obj = made(
        container={"readinessProbe": {"httpGet": {"port": 80}}, "ports": [{"containerPort": 80}]},
        volumes=[{"name": "a"}, {"name": "b", "configMap": {"name": "m"}}],
    )
    (container,) = obj["spec"]["containers"]
    assert container["readinessProbe"] == {
        "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"},
        "timeoutSeconds": 1,
        "periodSeconds": 10,
        "successThreshold": 1,
        "failureThreshold": 3,
    }
    assert container["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    assert obj["spec"]["volumes"] == [
        {"name": "a", "emptyDir": {}},
        {"name": "b", "configMap": {"name": "m", "defaultMode": 420}},
    ]


def test_requests_follow_limits() -> None:
    resources = made(container={"resources": {"limits": {"cpu": "1"}}})["spec"]["containers"][0]["resources"]
    assert resources == {"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}


def test_a_new_pod_is_pending_whatever_its_author_says() -> None:
    assert made()["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
    gated = made(schedulingGates=[{"name": "a.b/c"}])["status"]
    assert gated["conditions"][0]["reason"] == "SchedulingGated"


@pytest.mark.parametrize(
    ("resources", "name"),
    [
        ({}, "BestEffort"),
        ({"requests": {"cpu": "0"}}, "BestEffort"),
        ({"requests": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"memory": "1Gi"}}, "Burstable"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}}, "Guaranteed"),
        ({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}, "Burstable"),
        ({"limits": {"cpu": "1000m", "memory": "1Gi"}, "requests": {"cpu": "1", "memory": "1024Mi"}}, "Guaranteed"),
    ],
)
def test_the_class_of_service_follows_the_resources(resources: Any, name: str) -> None:
    assert qos.qos_class(made(container={"resources": resources})["spec"]) == name


# ── validation ───────────────────────────────────────────────────────────────────────────────────────────

AT = "spec.containers[0]"
VOLUMES = [{"name": "v", "emptyDir": {}}]
MOUNT = {"name": "v", "mountPath": "/v"}


def test_a_good_pod_has_no_complaints() -> None:
    good = made(container={"volumeMounts": [MOUNT], "env": [{"name": "A", "value": "b"}]}, volumes=VOLUMES)
    assert complaints(good) == []


CASES: dict[str, tuple[Any, list[str]]] = {
    "no containers": (made(containers=[]), ["spec.containers: Required value"]),
    "no name": (made(container={"name": ""}), [f"{AT}.name: Required value"]),
    "no image": (made(container={"image": ""}), [f"{AT}.image: Required value"]),
    "a padded image": (
        made(container={"image": " x"}),
        [f'{AT}.image: Invalid value: " x": must not have leading or trailing whitespace'],
    ),
    "two of one name": (
        made(containers=[{"name": "c", "image": "i"}] * 2), ['spec.containers[1].name: Duplicate value: "c"'],
    ),
    "an unknown policy": (
        made(restartPolicy="Sometimes"),
        ['spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"'],
    ),
    "a port out of range": (
        made(container={"ports": [{"containerPort": 70000}]}),
        [f"{AT}.ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"],
    ),
    "a mount of nothing": (
        made(container={"volumeMounts": [MOUNT]}), [f'{AT}.volumeMounts[0].name: Not found: "v"'],
    ),
    "two mounts at one path": (
        made(container={"volumeMounts": [MOUNT, MOUNT]}, volumes=VOLUMES),
        [f'{AT}.volumeMounts[1].mountPath: Invalid value: "/v": must be unique'],
    ),
    "two volumes of one name": (
        made(volumes=VOLUMES * 2), ['spec.volumes[1].name: Duplicate value: "v"'],
    ),
    "a request above its limit": (
        made(container={"resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "2"}}}),
        [f'{AT}.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'],
    ),
    "a negative request": (
        made(container={"resources": {"requests": {"cpu": "-1"}}}),
        [f'{AT}.resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0'],
    ),
    "an unknown resource": (
        made(container={"resources": {"requests": {"gpu": "1"}}}),
        [f'{AT}.resources.requests[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified',
         f'{AT}.resources.requests[gpu]: Invalid value: "gpu": must be a standard resource for containers'],
    ),
    "a probe that does nothing": (
        made(container={"livenessProbe": {}}), [f"{AT}.livenessProbe: Required value: must specify a handler type"],
    ),
    "a liveness probe that must succeed twice": (
        made(container={"livenessProbe": {"tcpSocket": {"port": 1}, "successThreshold": 2}}),
        [f"{AT}.livenessProbe.successThreshold: Invalid value: 2: must be 1"],
    ),
    "two sources of one variable": (
        made(container={"env": [
            {"name": "A", "value": "b", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        ]}),
        [f'{AT}.env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty'],
    ),
    "a field that cannot be asked for": (
        made(container={"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.x"}}}]}),
        [f'{AT}.env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.x": error converting fieldPath: '
         "field label not supported: spec.x"],
    ),
    "own DNS without servers": (
        made(dnsPolicy="None"), ["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"],
    ),
    "a privileged container that may not escalate": (
        made(container={"securityContext": {"privileged": True, "allowPrivilegeEscalation": False}}),
        [f'{AT}.securityContext: Invalid value: {{"allowPrivilegeEscalation":false,"privileged":true}}: '
         "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"],
    ),
    "a hooked init container": (
        made(initContainers=[{"name": "i", "image": "i", "readinessProbe": {"tcpSocket": {"port": 1}}}]),
        ["spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without "
         "restartPolicy=Always"],
    ),
    "a bad deadline": (
        made(activeDeadlineSeconds=0),
        ["spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"],
    ),
    "two ports of the node": (
        made(container={"ports": [{"containerPort": 1, "hostPort": 2}, {"containerPort": 3, "hostPort": 2}]}),
        [f'{AT}.ports[1].hostPort: Duplicate value: "TCP//2"'],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("obj", "words"), CASES.values(), ids=CASES.keys())
def test_a_bad_pod_is_told_what_is_wrong(obj: Any, words: list[str]) -> None:
    assert complaints(obj) == words


# ── updates ──────────────────────────────────────────────────────────────────────────────────────────────


def changed(obj: Any, **spec: Any) -> list[str]:
    new = copy.deepcopy(obj)
    new["spec"].update(spec)
    return [str(error) for error in pod.validate_update(new, obj)]


def test_images_deadlines_and_more_tolerations_may_change() -> None:
    old = made(tolerations=[{"key": "a", "operator": "Exists"}])
    image = [{**old["spec"]["containers"][0], "image": "nginx:2"}]
    more = [*old["spec"]["tolerations"], {"key": "b", "operator": "Exists"}]
    assert changed(old, containers=image, activeDeadlineSeconds=5, tolerations=more) == []


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"hostNetwork": True}, "spec: Forbidden: pod updates may not change fields other than"),
        ({"containers": []}, "spec.containers: Forbidden: pod updates may not add or remove containers"),
        ({"tolerations": []},
         "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"),
        ({"activeDeadlineSeconds": None},
         "spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value"),
        ({"schedulingGates": [{"name": "x"}]},
         "spec.schedulingGates[0]: Forbidden: only deletion is allowed, but found new scheduling gate 'x'"),
    ],
)  # fmt: skip
def test_nothing_else_may_change(spec: Any, words: str) -> None:
    old = made(tolerations=[{"key": "a", "operator": "Exists"}], activeDeadlineSeconds=9)
    assert any(text.startswith(words) for text in changed(old, **spec))


def test_a_container_that_ended_for_good_stays_ended() -> None:
    old = made(restartPolicy="Never")
    old["status"] = {"containerStatuses": [{"name": "c", "state": {"terminated": {"exitCode": 1}}}]}
    new = copy.deepcopy(old)
    new["status"]["containerStatuses"][0]["state"] = {"running": {}}
    assert [str(e) for e in pod.validate_status_update(new, old)] == [
        "status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state"
    ]


@pytest.mark.parametrize(
    ("spec", "phase", "asked", "seconds"),
    [
        ({"nodeName": "n"}, "Running", None, 30), ({"nodeName": "n"}, "Running", 5, 5),
        ({"nodeName": "n"}, "Running", 0, 0), ({"nodeName": "n"}, "Succeeded", None, 0), ({}, "Pending", None, 0),
        ({"nodeName": "n", "terminationGracePeriodSeconds": -1}, "Running", None, 1),
    ],
)  # fmt: skip
def test_only_a_pod_that_runs_somewhere_is_given_time_to_end(
    spec: Any, phase: str, asked: int | None, seconds: int
) -> None:
    obj = made(**spec)
    obj["status"]["phase"] = phase
    assert pod.graceful(obj, asked) == seconds


# ── warnings ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("obj", "warning"),
    [
        (made(nodeSelector={"beta.kubernetes.io/os": "linux"}),
         'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead'),
        (made(container={"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}),
         f'{AT}.env[1]: hides previous definition of "A", which may be dropped when using apply'),
        (made(container={"resources": {"limits": {"memory": "100m"}}}),
         f'{AT}.resources.limits[memory]: fractional byte value "100m" is invalid, must be an integer'),
        (made(container={"ports": [{"containerPort": 80}, {"containerPort": 80}]}),
         f"{AT}.ports[1]: duplicate port definition with {AT}.ports[0]"),
    ],
)  # fmt: skip
def test_what_is_surely_not_meant_is_warned_of(obj: Any, warning: str) -> None:
    assert warning in pod.STRATEGY.warnings(obj, None)
    assert not pod.STRATEGY.warnings(obj, obj)
