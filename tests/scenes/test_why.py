"""Whoever asks why gets an answer that is true of the cluster as it is."""

from __future__ import annotations

from typing import Any

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.testing.cluster import Cluster
from pybernetes.why import ask
from pybernetes.why.answer import Answer


def pod(name: str, container: Obj | None = None, labels: dict[str, str] | None = None, **spec: Any) -> Obj:
    made = {"containers": [{"name": "c", "image": "i:1", **(container or {})}], **spec}
    head = {"name": name, "namespace": "default", "labels": labels or {}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": head, "spec": made}


def service(name: str, target: int | str = 80, **selector: str) -> Obj:
    spec = {"selector": selector, "ports": [{"port": 80, "targetPort": target}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "default"}, "spec": spec}


async def why(cluster: Cluster, what: str) -> Answer:
    kind, _, name = what.partition("/")
    return await ask.why(cluster.client, kind, name, "default")


async def pending(cluster: Cluster, made: Obj) -> Answer:
    await cluster.create("pods", made)
    await cluster.until_events(objects.name(made), "FailedScheduling", bool)
    return await why(cluster, f"pod/{objects.name(made)}")


async def runs(cluster: Cluster, made: Obj) -> None:
    await cluster.create("pods", made)
    await cluster.until("pods", objects.name(made), lambda p: objects.condition_is(p, "Ready"))


async def test_what_a_pod_asks_too_much_of_is_told_with_what_there_is(cluster: Cluster) -> None:
    await runs(cluster, pod("small", {"resources": {"requests": {"cpu": "500m"}}}, nodeName="node-1"))
    told = await pending(cluster, pod("big", {"resources": {"requests": {"cpu": "33", "memory": "1Gi"}}}))
    assert told.what.endswith("0/2 nodes are available: 2 Insufficient cpu.")
    assert list(told.because) == [
        "node-1  NodeResourcesFit: Insufficient cpu (asks 33; 31500m of 32 free)",
        "node-2  NodeResourcesFit: Insufficient cpu (asks 33; 32 of 32 free)",
    ]
    assert list(told.helps) == ["request 1 less cpu (at most 32): then it fits on node-2"]


async def test_a_toleration_a_label_or_another_node_would_help(cluster: Cluster) -> None:
    taint = {"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}
    await cluster.client.patch("nodes", "node-1", {"spec": {"taints": [taint]}})
    await cluster.client.patch("nodes", "node-2", {"spec": {"unschedulable": True}})
    told = await pending(cluster, pod("picky"))
    assert list(told.helps) == [
        "uncordon node-2: then it fits on node-2",
        "tolerate dedicated=gpu:NoSchedule: then it fits on node-1",
        "add one more node like node-2",
    ]
    told = await pending(cluster, pod("ssd", nodeSelector={"disk": "ssd"}, tolerations=[{"operator": "Exists"}]))
    assert list(told.helps) == ["label node-1 disk=ssd: then it fits on node-1"]


async def test_what_is_told_to_help_helps(cluster: Cluster) -> None:
    told = await pending(cluster, pod("ssd", nodeSelector={"disk": "ssd"}))
    assert told.helps[0].startswith("label node-1 disk=ssd")
    await cluster.client.patch("nodes", "node-1", {"metadata": {"labels": {"disk": "ssd"}}})
    await cluster.until("pods", "ssd", lambda p: objects.condition_is(p, "Ready"))
    assert (await why(cluster, "pod/ssd")).what == "pod/ssd is Running and ready on node-1"


async def test_what_a_pod_names_and_is_not_there_is_told(cluster: Cluster) -> None:
    volume = {"name": "v", "persistentVolumeClaim": {"claimName": "data"}}
    told = await pending(cluster, pod("p", {"envFrom": [{"configMapRef": {"name": "settings"}}]}, volumes=[volume]))
    assert list(told.because) == [
        "ConfigMap settings does not exist; container c names it",
        "PersistentVolumeClaim data does not exist",
    ]


async def test_a_service_that_selects_nothing_is_shown_what_is_near(cluster: Cluster) -> None:
    await runs(cluster, pod("p", labels={"app": "wbe"}))
    await cluster.create("services", service("web", app="web"))
    told = await why(cluster, "svc/web")
    assert told.what == "service/web has no endpoints: it selects no pod"
    assert list(told.because) == ["no pod of namespace default has app=web", "nearest: p, which have app=wbe"]
    assert list(told.helps) == ["select app=wbe, or label the pods app=web"]


async def test_a_target_port_that_no_container_has_is_told(cluster: Cluster) -> None:
    await runs(cluster, pod("p", {"ports": [{"name": "www", "containerPort": 8080}]}, labels={"app": "web"}))
    await cluster.create("services", service("named", "http", app="web"))
    await cluster.create("services", service("numbered", 80, app="web"))
    named, numbered = await why(cluster, "service/named"), await why(cluster, "service/numbered")
    assert list(named.because) == ["port 80: no container of p has a port named http (named: www)"]
    assert list(numbered.because) == ["port 80: targetPort 80 is none of the ports that the containers declare (8080)"]


async def test_an_ingress_is_followed_to_its_services(cluster: Cluster) -> None:
    await cluster.create("services", service("web", app="web"))
    backends = [("/", "web", 81), ("/b", "bew", 80)]
    paths = [
        {"path": path, "pathType": "Prefix", "backend": {"service": {"name": name, "port": {"number": port}}}}
        for path, name, port in backends
    ]
    spec = {
        "ingressClassName": "none", "rules": [{"host": "a", "http": {"paths": paths}}],
        "tls": [{"hosts": ["a"], "secretName": "cert"}],
    }  # fmt: skip
    made = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "web", "namespace": "default"},
    }
    await cluster.create("ingresses.networking.k8s.io", {**made, "spec": spec})
    told = (await why(cluster, "ingress/web")).because
    assert told[0].startswith("IngressClass none does not exist")
    assert told[1:3] == ["tls of a: Secret cert does not exist", "a/: Service web has no port 81 (it has: 80)"]
    assert told[3].startswith("a/: service/web has no endpoints: it selects no pod")
    assert told[4] == "a/b: Service bew does not exist (there is: kubernetes, web)"


async def test_a_deployment_is_followed_to_its_pods(cluster: Cluster) -> None:
    template = pod("", {"resources": {"requests": {"memory": "1Ti"}}}, labels={"app": "d"})
    spec = {
        "replicas": 2, "selector": {"matchLabels": {"app": "d"}},
        "template": {"metadata": template["metadata"], "spec": template["spec"]},
    }  # fmt: skip
    made = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "default"}}
    await cluster.create("deployments.apps", {**made, "spec": spec})
    await cluster.until_all("pods", lambda pods: len(pods) == 2)
    told = await why(cluster, "deploy/d")
    assert told.what == "deployment/d: 0 of 2 pods are ready"
    assert "is Pending: no node fits. 0/2 nodes are available: 2 Insufficient memory." in told.because[0]
    assert told.because[-1] == "1 more of its pods wait"
    assert list(told.helps) == ["request 768Gi less memory (at most 256Gi): then it fits on node-1"]


async def test_who_holds_what_is_terminating_is_told(cluster: Cluster) -> None:
    made = pod("held")
    made["metadata"]["finalizers"] = ["example.com/guard"]
    await cluster.create("pods", made)
    await cluster.client.delete("pods", "held", "default")
    told = await why(cluster, "po/held")
    assert told.what.startswith("pod/held is Terminating")
    assert "finalizer example.com/guard: whoever set it has not taken it away" in told.because
