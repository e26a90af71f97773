"""Probes, hooks, ephemeral containers and namespaces on real containers."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.meta import objects
from pybernetes.testing.onenode import FOREVER, OneNode, shell
from pybernetes.testing.onenode import container_status as status

pytestmark = pytest.mark.node

FAST = {"periodSeconds": 1, "failureThreshold": 1}
SERVE = "mkdir -p /www; echo ok > /www/health; exec httpd -f -p 8080 -h /www"


def restarted(pod: Any) -> bool:
    return bool(status(pod, "c").get("restartCount"))


@pytest.mark.parametrize(
    "probe",
    [
        {"httpGet": {"path": "/health", "port": "web"}},
        {"tcpSocket": {"port": 8080}},
        {"exec": {"command": ["cat", "/www/health"]}},
    ],
    ids=["httpGet", "tcpSocket", "exec"],
)
async def test_a_pod_becomes_ready_when_its_probe_reaches_it(world: OneNode, probe: dict[str, Any]) -> None:
    ports = [{"name": "web", "containerPort": 8080}]
    await world.pod("p", shell("c", f"sleep 1; {SERVE}", ports=ports, readinessProbe={**FAST, **probe}))
    pod = await world.ready("p")
    assert status(pod, "c")["restartCount"] == 0
    assert await world.said("p", "Readiness probe failed: ")


async def test_an_unhealthy_server_is_told_with_its_status_and_restarted_where_it_stands(world: OneNode) -> None:
    probe = {**FAST, "httpGet": {"path": "/health", "port": 8080}, "initialDelaySeconds": 1}
    await world.pod("p", shell("c", SERVE, livenessProbe=probe))
    before = await world.ready("p")
    await world.run_in(before, "c", "rm", "/www/health")
    after = await world.until("p", restarted)
    assert await world.said("p", "Liveness probe failed: HTTP probe failed with statuscode: 404")
    assert await world.said("p", "Container c failed liveness probe, will be restarted")
    assert (after["status"]["podIP"], objects.uid(after)) == (before["status"]["podIP"], objects.uid(before))


async def test_a_command_that_takes_too_long_is_a_failed_probe(world: OneNode) -> None:
    await world.pod("p", shell("c", FOREVER, readinessProbe={**FAST, "exec": {"command": ["sleep", "9"]}}))
    assert await world.said("p", 'Readiness probe failed: command timed out: "sleep 9" timed out after 1s')


async def test_a_readiness_gate_waits_for_whoever_sets_it(world: OneNode) -> None:
    await world.pod("p", shell("c", FOREVER), readinessGates=[{"conditionType": "example.org/gate"}])
    pod = await world.until("p", lambda found: objects.condition_is(found, "ContainersReady"))
    ready = objects.condition(pod, "Ready")
    assert ready is not None
    assert (ready["status"], ready["reason"]) == ("False", "ReadinessGatesNotReady")
    told = {"status": {"conditions": [{"type": "example.org/gate", "status": "True"}]}}
    await world.admin.patch("pods", "p", told, namespace="default", kind="strategic", subresource="status")
    await world.ready("p")


async def test_hooks_run_after_the_start_and_before_the_end(world: OneNode) -> None:
    lifecycle = {
        "postStart": {"exec": {"command": ["sh", "-c", "echo begun > /share/begun"]}},
        "preStop": {"exec": {"command": ["sh", "-c", "echo ended > /share/ended; sleep 0.5"]}},
    }
    share = {"volumeMounts": [{"name": "share", "mountPath": "/share"}]}
    watcher = "while [ ! -f /share/ended ]; do sleep 0.05; done; echo seen > /dev/termination-log; exit 0"
    await world.pod(
        "p", shell("c", FOREVER, lifecycle=lifecycle, **share), shell("w", watcher, **share),
        volumes=[{"name": "share", "emptyDir": {}}], restartPolicy="Never", terminationGracePeriodSeconds=5,
    )  # fmt: skip
    pod = await world.ready("p")
    assert await world.run_in(pod, "c", "cat", "/share/begun") == "begun\n"
    await world.admin.delete("pods", "p", "default", grace_period_seconds=5)

    def seen(found: Any) -> bool:
        return objects.get(status(found, "w"), "state", "terminated", "message") == "seen\n"

    await world.until("p", lambda found: found is None or seen(found))


async def test_a_debugger_sees_the_processes_of_its_target(world: OneNode) -> None:
    await world.pod("p", shell("c", FOREVER))
    before = await world.ready("p")
    debugger = {"name": "d", "image": "busybox:test", "command": ["sh", "-c", "ps > /dev/termination-log"]}
    change = {"spec": {"ephemeralContainers": [{**debugger, "targetContainerName": "c"}]}}
    await world.admin.patch(
        "pods", "p", change, namespace="default", kind="strategic", subresource="ephemeralcontainers"
    )
    pod = await world.until("p", lambda found: objects.get(_debugger(found), "state", "terminated") is not None)
    ended = _debugger(pod)["state"]["terminated"]
    assert ended["exitCode"] == 0
    assert FOREVER in ended["message"]
    assert status(pod, "c")["containerID"] == status(before, "c")["containerID"]
    assert objects.condition_is(pod, "Ready")
    assert await world.said("p", "Started container d")


def _debugger(pod: Any) -> Any:
    return objects.get(pod, "status", "ephemeralContainerStatuses", 0, default={})


async def test_containers_of_a_pod_share_processes_where_it_asks_for_it(world: OneNode) -> None:
    await world.pod("p", shell("a", FOREVER), shell("b", "sleep 1000"), shareProcessNamespace=True)
    pod = await world.ready("p")
    assert "sleep 1000" in await world.run_in(pod, "a", "ps")


async def test_a_pod_may_use_its_nodes_namespaces(world: OneNode) -> None:
    ends = "readlink /proc/self/ns/pid /proc/self/ns/ipc /proc/self/ns/net; " + FOREVER
    await world.pod("p", shell("c", ends), hostPID=True, hostIPC=True, hostNetwork=True)
    pod = await world.ready("p")
    inside = await world.run_in(pod, "c", "readlink", *(f"/proc/self/ns/{ns}" for ns in ("pid", "ipc", "net")))
    outside = await world.run_in(pod, "c", "readlink", *(f"/proc/1/ns/{ns}" for ns in ("pid", "ipc", "net")))
    assert inside.split() == outside.split()
    assert pod["status"]["podIP"] == world.config.ip


async def test_a_pods_names_are_what_it_asks_for(world: OneNode) -> None:
    names = {"hostname": "web-1", "subdomain": "web"}
    await world.pod("p", shell("c", FOREVER), **names)
    await world.pod("q", shell("c", FOREVER), **names, setHostnameAsFQDN=True)
    p, q = await world.ready("p"), await world.ready("q")
    assert await world.run_in(p, "c", "hostname") == "web-1\n"
    assert await world.run_in(q, "c", "hostname") == "web-1.web.default.svc.cluster.local\n"
    fqdn = "web-1.web.default.svc.cluster.local"
    assert f"{p['status']['podIP']}\t{fqdn}\tweb-1\n" in await world.run_in(p, "c", "cat", "/etc/hosts")


async def test_a_container_is_given_more_while_it_runs(world: OneNode) -> None:
    small, large = ({"limits": {"cpu": cpu, "memory": memory}} for cpu, memory in (("100m", "32Mi"), ("200m", "64Mi")))
    await world.pod("p", shell("c", FOREVER, resources=small))
    before = await world.ready("p")
    for resources in (large, small):
        change = {"spec": {"containers": [{"name": "c", "resources": {**resources, "requests": resources["limits"]}}]}}
        await world.admin.patch("pods", "p", change, namespace="default", kind="strategic", subresource="resize")
        wanted = resources["limits"]
        pod = await world.until(
            "p", lambda found, wanted=wanted: objects.get(status(found, "c"), "resources", "limits") == wanted
        )
    assert status(pod, "c")["containerID"] == status(before, "c")["containerID"]
    assert status(pod, "c")["restartCount"] == 0
