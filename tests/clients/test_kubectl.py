"""Real kubectl of every minor on this machine, through the commands of a first day with Kubernetes."""

import json
import uuid
from collections.abc import Iterator

import pytest

from pybernetes.testing.command import Command, kubectls

PROGRAMS = kubectls()


def version(program: str) -> str:
    return program.rpartition("/")[2]


@pytest.fixture(params=PROGRAMS or [None], ids=[version(p) for p in PROGRAMS] or ["none"])
def program(request: pytest.FixtureRequest) -> str:
    if request.param is None:
        pytest.skip("there is no kubectl on the PATH")
    return str(request.param)


@pytest.fixture
def namespace(cluster: Command, program: str) -> Iterator[str]:
    name = f"k-{uuid.uuid4().hex[:8]}"
    cluster.kubectl("create", "namespace", name, program=program)
    yield name
    cluster.kubectl("delete", "namespace", name, program=program)


DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: "web:1"}]}
"""


def test_apply_rollout_scale_undo_delete(cluster: Command, program: str, namespace: str) -> None:
    def k(*arguments: str, stdin: str | None = None) -> str:
        return cluster.kubectl("-n", namespace, *arguments, program=program, stdin=stdin)

    assert k("apply", "-f", "-", stdin=DEPLOYMENT).strip() == "deployment.apps/web created"
    assert k("apply", "-f", "-", stdin=DEPLOYMENT).strip() == "deployment.apps/web unchanged"
    assert "successfully rolled out" in k("rollout", "status", "deployment/web", "--timeout=30s")
    k("set", "image", "deployment/web", "c=web:2")
    k("rollout", "status", "deployment/web", "--timeout=30s")
    k("rollout", "undo", "deployment/web")
    k("rollout", "status", "deployment/web", "--timeout=30s")
    assert k("get", "deployment", "web", "-o", "jsonpath={.spec.template.spec.containers[0].image}") == "web:1"
    k("scale", "deployment", "web", "--replicas=3")
    k("rollout", "status", "deployment/web", "--timeout=30s")
    assert "3/3" in k("get", "deployment", "web")
    k("delete", "deployment", "web", "--wait=false")


def test_imperative_commands_send_protobuf_and_are_understood(cluster: Command, program: str, namespace: str) -> None:
    def k(*arguments: str) -> str:
        return cluster.kubectl("-n", namespace, *arguments, program=program)

    k("create", "deployment", "d", "--image=web:1", "--replicas=2", "--", "sleep", "60")
    k("create", "configmap", "c", "--from-literal=a=1")
    k("create", "secret", "generic", "s", "--from-literal=password=hunter2")
    k("create", "service", "clusterip", "svc", "--tcp=80:8080")
    k("create", "role", "r", "--verb=get,list", "--resource=pods,deployments.apps")
    k("create", "rolebinding", "rb", "--role=r", f"--serviceaccount={namespace}:default")
    k("create", "quota", "q", "--hard=pods=10")
    k("create", "job", "j", "--image=web:1", "--", "true")
    assert k("get", "secret", "s", "-o", "jsonpath={.data.password}") == "aHVudGVyMg=="
    role = json.loads(k("get", "role", "r", "-o", "json"))
    assert [r["apiGroups"] for r in role["rules"]] == [[""], ["apps"]]
    assert k("auth", "can-i", "create", "pods").strip() == "yes"


def test_what_is_wrong_is_named(cluster: Command, program: str, namespace: str) -> None:
    def k(*arguments: str, stdin: str | None = None) -> str:
        return cluster.kubectl("-n", namespace, *arguments, program=program, stdin=stdin, check=False)

    assert 'pods "nope" not found' in k("get", "pod", "nope")
    unknown = DEPLOYMENT.replace("replicas: 2", "replica: 2")
    assert 'unknown field "spec.replica"' in k("apply", "-f", "-", stdin=unknown)
    negative = DEPLOYMENT.replace("replicas: 2", "replicas: -2")
    assert "spec.replicas: Invalid value: -2" in k("apply", "-f", "-", stdin=negative)
    assert "the server doesn't have a resource type" in k("get", "nonsense")


def test_explain_and_api_resources_read_the_schemas(cluster: Command, program: str) -> None:
    assert "FIELD" in cluster.kubectl("explain", "deployment.spec.replicas", program=program)
    assert "deployments" in cluster.kubectl("api-resources", program=program)


def test_describe_reads_events_and_slices(cluster: Command, program: str, namespace: str) -> None:
    def k(*arguments: str, stdin: str | None = None) -> str:
        return cluster.kubectl("-n", namespace, *arguments, program=program, stdin=stdin)

    k("apply", "-f", "-", stdin=DEPLOYMENT)
    k("expose", "deployment", "web", "--port=80")
    k("rollout", "status", "deployment/web", "--timeout=30s")
    assert "ScalingReplicaSet" in k("describe", "deployment", "web")
    assert "Endpoints:" in k("describe", "service", "web")
    assert "Allocated resources" in k("describe", "node", "sim-1")
