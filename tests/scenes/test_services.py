"""What stands behind Services in a whole cluster: readiness, switching, canaries, hand-made endpoints."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.testing.cluster import Cluster

from .workloads import SETS, is_ready, replica_set, service

SLICES = "endpointslices.discovery.k8s.io"


async def addresses(cluster: Cluster, **labels: str) -> set[str]:
    """The addresses of the pods of these labels."""
    found = await cluster.list("pods", ",".join(f"{key}={value}" for key, value in labels.items()))
    return {pod["status"]["podIP"] for pod in found}


async def until_behind(cluster: Cluster, wanted: Collection[str], name: str = "web") -> None:
    """Wait until Endpoints and slices lead to exactly these addresses."""

    def slices_lead(found: Sequence[Obj]) -> bool:
        endpoints = [e for each in found for e in each.get("endpoints") or () if e["conditions"]["ready"]]
        return {address for e in endpoints for address in e["addresses"]} == set(wanted)

    await cluster.until("endpoints", name, lambda obj: ready(obj) == set(wanted))
    await cluster.until_all(SLICES, slices_lead, labels=f"kubernetes.io/service-name={name}")


def ready(endpoints: Obj) -> set[str]:
    return {a["ip"] for subset in endpoints.get("subsets") or () for a in subset.get("addresses") or ()}


async def say_ready(cluster: Cluster, name: str, status: str) -> None:
    condition: Any = {"type": "Ready", "status": status, "lastTransitionTime": "2030-01-01T00:00:00Z"}
    await cluster.patch("pods", name, {"status": {"conditions": [condition]}}, subresource="status")


async def test_endpoints_follow_the_readiness_of_pods(cluster: Cluster) -> None:
    await cluster.create("services", service())
    await cluster.create(SETS, replica_set())
    await cluster.until(SETS, "web", is_ready(2))
    both = await addresses(cluster, app="web")
    await until_behind(cluster, both)

    pod = (await cluster.list("pods"))[0]
    await say_ready(cluster, objects.name(pod), "False")
    await until_behind(cluster, both - {pod["status"]["podIP"]})
    endpoints = await cluster.client.get("endpoints", "web", "default")
    assert endpoints["subsets"][0]["notReadyAddresses"][0]["ip"] == pod["status"]["podIP"]
    assert endpoints["subsets"][0]["ports"] == [{"port": 8080, "protocol": "TCP"}]

    await say_ready(cluster, objects.name(pod), "True")
    await until_behind(cluster, both)


async def test_the_services_address_stays_while_pods_come_and_go(cluster: Cluster) -> None:
    before = await cluster.create("services", service())
    await cluster.create(SETS, replica_set())
    await cluster.until(SETS, "web", is_ready(2))
    old = {objects.uid(pod) for pod in await cluster.list("pods")}
    for pod in await cluster.list("pods"):
        await cluster.client.delete("pods", objects.name(pod), "default")
    await cluster.until_all("pods", lambda pods: len(pods) == 2 and not old & set(map(objects.uid, pods)))
    await cluster.until(SETS, "web", is_ready(2))
    await until_behind(cluster, await addresses(cluster, app="web"))
    after = await cluster.client.get("services", "web", "default")
    assert after["spec"]["clusterIP"] == before["spec"]["clusterIP"]


async def test_relabelling_a_pod_moves_it_to_another_service(cluster: Cluster) -> None:
    await cluster.create("services", service("one", at="one"))
    await cluster.create("services", service("two", at="two"))
    spec = {"containers": [{"name": "main", "image": "web:v1"}]}
    metadata = {"name": "p", "namespace": "default", "labels": {"at": "one"}}
    await cluster.create("pods", {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    pod = await cluster.until("pods", "p", lambda obj: objects.condition_is(obj, "Ready"))
    await until_behind(cluster, {pod["status"]["podIP"]}, "one")
    await cluster.patch("pods", "p", {"metadata": {"labels": {"at": "two"}}})
    await until_behind(cluster, {pod["status"]["podIP"]}, "two")
    await until_behind(cluster, set(), "one")


async def test_blue_and_green_are_switched_by_the_selector(cluster: Cluster) -> None:
    for version in ("v1", "v2"):
        await cluster.create(SETS, replica_set(f"web-{version}", image=f"web:{version}", app="web", ver=version))
        await cluster.until(SETS, f"web-{version}", is_ready(2))
    await cluster.create("services", service(ver="v1"))
    for version in ("v1", "v2", "v1"):
        await cluster.patch("services", "web", {"spec": {"selector": {"ver": version}}})
        await until_behind(cluster, await addresses(cluster, ver=version))
    assert len(await cluster.list("pods")) == 4


async def test_a_canary_shares_a_label_with_the_rest(cluster: Cluster) -> None:
    await cluster.create("services", service(type="app"))
    for version, replicas in (("v1", 3), ("v2", 1)):
        made = replica_set(f"web-{version}", replicas, f"web:{version}", type="app", ver=version)
        await cluster.create(SETS, made)
        await cluster.until(SETS, f"web-{version}", is_ready(replicas))
    await until_behind(cluster, await addresses(cluster, type="app"))
    await cluster.patch(SETS, "web-v2", {"spec": {"replicas": 0}})
    await until_behind(cluster, await addresses(cluster, ver="v1"))


async def test_endpoints_written_by_hand_are_mirrored_and_left_alone(cluster: Cluster) -> None:
    made = service()
    del made["spec"]["selector"]
    await cluster.create("services", made)
    subset = {"addresses": [{"ip": "192.0.2.7"}], "ports": [{"port": 8080}]}
    metadata = {"name": "web", "namespace": "default"}
    await cluster.create(
        "endpoints", {"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata, "subsets": [subset]}
    )
    await until_behind(cluster, {"192.0.2.7"})
    await cluster.client.delete("endpoints", "web", "default")
    await cluster.until_all(SLICES, lambda found: not any("web" in objects.name(each) for each in found))


async def test_what_belongs_to_a_service_goes_with_it(cluster: Cluster) -> None:
    await cluster.create("services", service())
    await cluster.until("endpoints", "web", lambda obj: True)
    await cluster.until_all(
        SLICES, lambda found: any(objects.labels(each).get("kubernetes.io/service-name") == "web" for each in found)
    )
    await cluster.client.delete("services", "web", "default")
    await cluster.until_gone("endpoints", "web")
    await cluster.until_all(
        SLICES, lambda found: not any(objects.labels(each).get("kubernetes.io/service-name") == "web" for each in found)
    )


async def test_a_namespace_takes_everything_in_it_along(cluster: Cluster) -> None:
    await cluster.client.create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "nm"}})
    for resource, obj in (("services", service()), (SETS, replica_set())):
        await cluster.create(resource, objects.evolve(obj, ("metadata", "namespace"), "nm"))
    await cluster.until(SETS, "web", is_ready(2), namespace="nm")
    await cluster.client.delete("namespaces", "nm")
    await cluster.until_gone("namespaces", "nm", namespace="")
    for resource in ("pods", SETS, "services", "endpoints", SLICES, "configmaps", "serviceaccounts"):
        assert await cluster.list(resource, namespace="nm") == []
