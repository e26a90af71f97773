"""StatefulSets and DaemonSets in a whole cluster: names, order, claims, revisions, and who may be on which node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.testing.cluster import Cluster

from .workloads import template, with_template

SETS, DAEMONS, REVISIONS = "statefulsets.apps", "daemonsets.apps", "controllerrevisions.apps"
CLAIMS = "persistentvolumeclaims"


def workload(kind: str, **spec: Any) -> Obj:
    told = {"selector": {"matchLabels": {"app": "web"}}, "template": template(), **spec}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "web", "namespace": "default"}, "spec": told}


def stateful_set(replicas: int = 3, **spec: Any) -> Obj:
    return workload("StatefulSet", replicas=replicas, serviceName="h", **spec)


def with_claims(**spec: Any) -> Obj:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1G"}}, "storageClassName": "none"}
    return stateful_set(volumeClaimTemplates=[{"metadata": {"name": "data"}, "spec": claim}], **spec)


def is_rolled_out(obj: Obj) -> bool:
    """As ``kubectl rollout status`` decides of a StatefulSet without a partition."""
    status, wanted = obj.get("status") or {}, obj["spec"]["replicas"]
    if status.get("observedGeneration", 0) < obj["metadata"]["generation"]:
        return False
    counts = [status.get(field, 0) for field in ("replicas", "readyReplicas", "updatedReplicas", "currentReplicas")]
    return counts == [wanted] * 4 and status["currentRevision"] == status["updateRevision"]


def are(*names: str) -> Any:
    return lambda pods: sorted(map(objects.name, pods)) == list(names)


def images(pods: Sequence[Obj]) -> dict[str, str]:
    return {objects.name(pod): pod["spec"]["containers"][0]["image"] for pod in pods}


async def test_names_come_in_order_and_come_back(cluster: Cluster) -> None:
    await cluster.create(SETS, stateful_set())
    await cluster.until(SETS, "web", is_rolled_out)
    pods = await cluster.list("pods")
    versions = {objects.name(pod): pod["spec"]["hostname"] for pod in pods}
    assert versions == {"web-0": "web-0", "web-1": "web-1", "web-2": "web-2"}
    told = await cluster.until_events("web", "SuccessfulCreate", lambda told: len(told) == 3)
    assert told == [f"create Pod web-{number} in StatefulSet web successful" for number in range(3)]
    before = next(objects.uid(pod) for pod in pods if objects.name(pod) == "web-1")
    await cluster.client.delete("pods", "web-1", "default")
    await cluster.until("pods", "web-1", lambda pod: objects.uid(pod) != before and objects.condition_is(pod, "Ready"))
    scale = await cluster.client.get(SETS, "web", "default", subresource="scale")
    await cluster.client.update(SETS, {**scale, "spec": {"replicas": 1}}, subresource="scale")
    await cluster.until_all("pods", are("web-0"))
    told = await cluster.until_events("web", "SuccessfulDelete", lambda told: len(told) == 2)
    assert [text.split()[2] for text in told] == ["web-2", "web-1"]


async def test_a_partition_keeps_the_first_pods_as_they_are(cluster: Cluster) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
    await cluster.create(SETS, stateful_set(updateStrategy=strategy))
    await cluster.until(SETS, "web", is_rolled_out)
    await cluster.patch(SETS, "web", with_template(image="web:v2"))
    await cluster.until(SETS, "web", lambda obj: obj["status"].get("updatedReplicas") == 1)
    await cluster.until_all("pods", lambda pods: images(pods).get("web-2") == "web:v2")
    await cluster.client.delete("pods", "web-0", "default")
    back = {"web-0": "web:v1", "web-1": "web:v1", "web-2": "web:v2"}
    await cluster.until_all("pods", lambda pods: images(pods) == back and all(map(ready, pods)))
    await cluster.patch(SETS, "web", {"spec": {"updateStrategy": {"rollingUpdate": {"partition": 0}}}})
    await cluster.until(SETS, "web", is_rolled_out)
    assert set(images(await cluster.list("pods")).values()) == {"web:v2"}
    assert sorted(each["revision"] for each in await cluster.list(REVISIONS)) == [1, 2]


def ready(pod: Obj) -> bool:
    return objects.condition_is(pod, "Ready")


async def test_claims_outlive_the_pods_unless_the_policy_says_otherwise(cluster: Cluster) -> None:
    policy = {"whenScaled": "Delete", "whenDeleted": "Retain"}
    await cluster.create(SETS, with_claims(replicas=2, podManagementPolicy="Parallel"))
    claims = await cluster.until_all(CLAIMS, are("data-web-0", "data-web-1"))
    await cluster.until_all("pods", are("web-0", "web-1"))
    await cluster.patch(SETS, "web", {"spec": {"replicas": 1}})
    await cluster.until_all("pods", are("web-0"))
    assert len(await cluster.list(CLAIMS)) == 2
    await cluster.patch(SETS, "web", {"spec": {"replicas": 2}})
    pods = await cluster.until_all("pods", are("web-0", "web-1"))
    assert {pod["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] for pod in pods} == {
        objects.name(claim) for claim in claims
    }
    await cluster.patch(SETS, "web", {"spec": {"replicas": 1, "persistentVolumeClaimRetentionPolicy": policy}})
    await cluster.until_all(CLAIMS, are("data-web-0"))
    await cluster.client.delete(SETS, "web", "default", propagation="Background")
    await cluster.until_all("pods", are())
    assert [objects.name(claim) for claim in await cluster.list(CLAIMS)] == ["data-web-0"]


# ── DaemonSets ───────────────────────────────────────────────────────────────────────────────────────────


def covers(*names: str, image: str = "web:v1") -> Any:
    """Is there one ready pod of the image on each of these nodes, and no other?"""

    def holds(pods: Sequence[Obj]) -> bool:
        on = sorted(pod["spec"].get("nodeName", "") for pod in pods)
        return on == list(names) and all(map(ready, pods)) and set(images(pods).values()) <= {image}

    return holds


async def test_every_node_has_its_daemon_and_an_undo_brings_back_the_old_one(cluster: Cluster) -> None:
    await cluster.create(DAEMONS, workload("DaemonSet"))
    pods = await cluster.until_all("pods", covers("node-1", "node-2"))
    await cluster.client.delete("pods", objects.name(pods[0]), "default")
    await cluster.until_all("pods", lambda now: covers("node-1", "node-2")(now) and pods[0] not in now)
    await cluster.patch(DAEMONS, "web", with_template(image="web:v2"))
    pods = await cluster.until_all("pods", covers("node-1", "node-2", image="web:v2"))
    assert {objects.labels(pod)["pod-template-generation"] for pod in pods} == {"2"}
    await cluster.until(DAEMONS, "web", lambda obj: obj["status"].get("updatedNumberScheduled") == 2)
    first = next(each for each in await cluster.list(REVISIONS) if each["revision"] == 1)
    await cluster.patch(DAEMONS, "web", first["data"])
    await cluster.until_all("pods", covers("node-1", "node-2"))
    assert sorted(each["revision"] for each in await cluster.list(REVISIONS)) == [2, 3]


async def test_a_label_brings_the_daemon_and_its_loss_takes_it_away(cluster: Cluster) -> None:
    owner = workload("DaemonSet")
    owner["spec"]["template"]["spec"]["nodeSelector"] = {"os": "centos"}
    await cluster.create(DAEMONS, owner)
    await cluster.until(DAEMONS, "web", lambda obj: obj.get("status", {}).get("observedGeneration") == 1)
    for value, nodes in (("centos", ["node-1"]), ("ubuntu", [])):
        await cluster.client.patch("nodes", "node-1", {"metadata": {"labels": {"os": value}}})
        await cluster.until_all("pods", covers(*nodes))
        await cluster.until(DAEMONS, "web", desires(len(nodes)))


def desires(count: int) -> Any:
    return lambda obj: obj["status"]["desiredNumberScheduled"] == count
