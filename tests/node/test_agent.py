"""The agent on real containers: from a pod in the API to processes, and back to its status."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pybernetes.meta import objects
from pybernetes.testing.onenode import FOREVER, OneNode, shell
from pybernetes.testing.onenode import container_status as status

pytestmark = pytest.mark.node


def waiting(pod: Any, reason: str) -> bool:
    return any(
        objects.get(s, "state", "waiting", "reason") == reason
        for s in objects.get(pod, "status", "containerStatuses") or ()
    )


async def test_a_pod_with_two_containers_becomes_ready_and_leaves_nothing(world: OneNode) -> None:
    await world.pod("p", shell("a", FOREVER), shell("b", FOREVER))
    pod = await world.ready("p")
    assert pod["status"]["phase"] == "Running"
    assert pod["status"]["podIP"].startswith("10.222.0.")
    assert [status(pod, c)["restartCount"] for c in "ab"] == [0, 0]
    assert await world.said("p", "Started container b")
    await world.admin.delete("pods", "p", "default", grace_period_seconds=5)
    await world.until("p", lambda found: found is None)
    assert await world.said("p", "Stopping container a")
    uid = objects.uid(pod)
    await world.eventually(lambda: not (world.config.kubelet / "pods" / uid).exists())
    assert not await world.runtime.sandboxes(uid) and not await world.runtime.containers(uid)
    assert list(world.config.logs.glob(f"*{uid}")) == list(Path("/sys/fs/cgroup").glob(f"*/**/pod{uid}")) == []


async def test_a_container_finds_its_files_variables_and_names(world: OneNode) -> None:
    await world.create("configmaps", "ConfigMap", "cm", data={"key": "value"})
    await world.pod(
        "p",
        shell(
            "c", FOREVER,
            env=[
                {"name": "FROM_MAP", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "key"}}},
                {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            ],
            volumeMounts=[
                {"name": "cm", "mountPath": "/cm"},
                {"name": "cm", "mountPath": "/one", "subPath": "key"},
                {"name": "ram", "mountPath": "/ram"},
            ],
        ),
        volumes=[
            {"name": "cm", "configMap": {"name": "cm"}},
            {"name": "ram", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
        ],
        hostAliases=[{"ip": "192.0.2.9", "hostnames": ["far.away"]}],
    )  # fmt: skip
    pod = await world.ready("p")
    seen = await world.run_in(
        pod, "c", "sh", "-c", "cat /cm/key /one; echo; echo $FROM_MAP $IP $KUBERNETES_SERVICE_HOST"
    )
    assert seen.split() == ["valuevalue", "value", pod["status"]["podIP"], "10.96.0.1"]
    hosts = await world.run_in(pod, "c", "cat", "/etc/hosts")
    assert f"{pod['status']['podIP']}\tp\n" in hosts and "192.0.2.9\tfar.away" in hosts
    assert "nameserver 10.96.0.10" in await world.run_in(pod, "c", "cat", "/etc/resolv.conf")
    assert "size=1024k" in await world.run_in(pod, "c", "grep", "/ram", "/proc/mounts")
    token = await world.run_in(pod, "c", "cat", "/var/run/secrets/kubernetes.io/serviceaccount/token")
    assert token.count(".") == 2


async def test_a_pod_may_use_its_nodes_network_and_files(world: OneNode, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("from the node")
    await world.pod(
        "p", shell("c", FOREVER, volumeMounts=[{"name": "h", "mountPath": "/h", "readOnly": True}]),
        hostNetwork=True, volumes=[{"name": "h", "hostPath": {"path": str(tmp_path), "type": "Directory"}}],
    )  # fmt: skip
    pod = await world.ready("p")
    assert pod["status"]["podIP"] == pod["status"]["hostIP"] == "192.0.2.1"
    assert await world.run_in(pod, "c", "cat", "/h/f") == "from the node"
    assert (await world.run_in(pod, "c", "cat", "/etc/hosts")).startswith("# Kubernetes-managed hosts file (host net")
    await world.run_in(pod, "c", "touch", "/h/g")
    assert not (tmp_path / "g").exists()


async def test_a_container_runs_as_whom_its_pod_says_and_shares_files_by_group(world: OneNode) -> None:
    await world.pod(
        "p",
        shell(
            "c", FOREVER,
            volumeMounts=[{"name": "e", "mountPath": "/e"}],
            securityContext={"readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}},
        ),
        securityContext={"runAsUser": 1234, "runAsGroup": 5, "fsGroup": 77, "supplementalGroups": [78]},
        volumes=[{"name": "e", "emptyDir": {}}],
    )  # fmt: skip
    pod = await world.ready("p")
    assert (await world.run_in(pod, "c", "id", "-u")).strip() == "1234"
    assert set((await world.run_in(pod, "c", "id", "-G")).split()) == {"5", "77", "78"}
    made = await world.run_in(pod, "c", "sh", "-c", "touch /e/f && stat -c %g /e/f; touch /f || echo refused")
    assert made.split() == ["77", "refused"]
    token = "/var/run/secrets/kubernetes.io/serviceaccount/token"
    assert await world.run_in(pod, "c", "sh", "-c", f"test -r {token} && echo readable") == "readable\n"


async def test_a_changed_config_map_shows_in_a_running_container(world: OneNode) -> None:
    await world.create("configmaps", "ConfigMap", "cm", data={"key": "old"})
    await world.pod(
        "p", shell("c", FOREVER, volumeMounts=[{"name": "cm", "mountPath": "/cm"}]),
        volumes=[{"name": "cm", "configMap": {"name": "cm"}}],
    )  # fmt: skip
    pod = await world.ready("p")
    await world.admin.patch("configmaps", "cm", {"data": {"key": "new", "more": "x"}}, namespace="default")

    async def shows() -> bool:
        return (await world.run_in(pod, "c", "sh", "-c", "cat /cm/key; echo; ls /cm")).split() == ["new", "key", "more"]

    await world.eventually(shows)


async def test_a_pod_waits_for_a_config_map_and_goes_on_when_it_comes(world: OneNode) -> None:
    await world.pod("p", shell("c", FOREVER), volumes=[{"name": "cm", "configMap": {"name": "cm"}}])
    event = await world.said("p", 'MountVolume.SetUp failed for volume "cm" : configmap "cm" not found')
    assert (event["type"], event["reason"]) == ("Warning", "FailedMount")
    await world.create("configmaps", "ConfigMap", "cm", data={"key": "value"})
    await world.ready("p")


async def test_a_variable_from_nowhere_is_a_config_error_until_its_secret_comes(world: OneNode) -> None:
    await world.pod("p", shell("c", FOREVER, envFrom=[{"secretRef": {"name": "s"}}]))
    pod = await world.until("p", lambda found: waiting(found, "CreateContainerConfigError"))
    assert status(pod, "c")["state"]["waiting"]["message"] == 'secret "s" not found'
    assert await world.said("p", 'Error: secret "s" not found')
    await world.create("secrets", "Secret", "s")
    await world.ready("p")


async def test_init_containers_run_first_one_by_one(world: OneNode) -> None:
    share: Any = {"volumeMounts": [{"name": "e", "mountPath": "/e"}]}
    await world.pod(
        "p", shell("c", FOREVER, **share),
        initContainers=[shell("i1", "echo 1 >> /e/f", **share), shell("i2", "echo 2 >> /e/f", **share)],
        volumes=[{"name": "e", "emptyDir": {}}],
    )  # fmt: skip
    pod = await world.ready("p")
    assert await world.run_in(pod, "c", "cat", "/e/f") == "1\n2\n"
    assert [s["state"]["terminated"]["reason"] for s in pod["status"]["initContainerStatuses"]] == ["Completed"] * 2


async def test_a_crash_is_restarted_at_once_then_backs_off_with_its_last_words(world: OneNode) -> None:
    await world.pod("p", shell("c", "echo -n last words > /dev/termination-log; exit 3"))
    pod = await world.until("p", lambda found: waiting(found, "CrashLoopBackOff"))
    assert status(pod, "c")["restartCount"] == 1
    ended = status(pod, "c")["lastState"]["terminated"]
    assert (ended["exitCode"], ended["reason"], ended["message"]) == (3, "Error", "last words")
    assert await world.said("p", "Back-off restarting failed container c in pod p_default")


async def test_a_failed_container_may_leave_the_end_of_its_log_as_last_words(world: OneNode) -> None:
    words = "echo one; echo two >&2; exit 1"
    await world.pod("p", shell("c", words, terminationMessagePolicy="FallbackToLogsOnError"), restartPolicy="Never")
    pod = await world.until("p", lambda found: found["status"]["phase"] == "Failed")
    assert sorted(status(pod, "c")["state"]["terminated"]["message"].split()) == ["one", "two"]


async def test_a_completed_pod_succeeds_and_keeps_its_log(world: OneNode) -> None:
    await world.pod("p", shell("c", "echo done"), restartPolicy="OnFailure")
    pod = await world.until("p", lambda found: found["status"]["phase"] == "Succeeded")
    log = world.config.logs / f"default_p_{objects.uid(pod)}" / "c" / "0.log"
    assert log.read_text().endswith(" stdout F done\n")
    await world.eventually(lambda: world.agent and world.agent.is_at_rest())
    assert [s.ready for s in await world.runtime.sandboxes(objects.uid(pod))] == [False]


async def test_memory_beyond_the_limit_is_told_as_such(world: OneNode) -> None:
    hungry = "x=a; while :; do x=$x$x; done"
    await world.pod("p", shell("c", hungry, resources={"limits": {"memory": "20Mi"}}), restartPolicy="Never")
    pod = await world.until("p", lambda found: found["status"]["phase"] == "Failed")
    assert status(pod, "c")["state"]["terminated"]["reason"] == "OOMKilled"
    assert status(pod, "c")["state"]["terminated"]["exitCode"] == 137


async def test_an_image_that_is_not_there_fails_and_then_backs_off(world: OneNode) -> None:
    await world.pod("p", {"name": "c", "image": "localhost:1/nothing:1"})
    pod = await world.until("p", lambda found: waiting(found, "ErrImagePull"))
    assert "localhost:1/nothing:1" in status(pod, "c")["state"]["waiting"]["message"]
    pod = await world.until("p", lambda found: waiting(found, "ImagePullBackOff"))
    assert status(pod, "c")["state"]["waiting"]["message"].startswith('Back-off pulling image "localhost:1/nothing:1"')
    for text in ("Pulling image", "Failed to pull image", "Error: ErrImagePull", "Back-off pulling image"):
        assert await world.said("p", text)


async def test_an_image_that_must_not_be_pulled_is_told_as_such(world: OneNode) -> None:
    await world.pod("p", {"name": "c", "image": "nothing:1", "imagePullPolicy": "Never"})
    pod = await world.until("p", lambda found: waiting(found, "ErrImageNeverPull"))
    told = 'Container image "nothing:1" is not present with pull policy of Never'
    assert status(pod, "c")["state"]["waiting"]["message"] == told


async def test_a_command_that_is_not_there_is_a_failed_start(world: OneNode) -> None:
    await world.pod("p", {"name": "c", "image": "busybox:test", "command": ["/nothing"]}, restartPolicy="Never")
    pod = await world.until("p", lambda found: found["status"]["phase"] == "Failed")
    assert status(pod, "c")["state"]["terminated"]["reason"] == "StartError"


async def test_a_container_that_heeds_no_signal_is_killed_after_its_grace(world: OneNode) -> None:
    await world.pod("p", shell("c", "trap '' TERM; while :; do sleep 0.05; done"))
    await world.ready("p")
    began = world.clock.monotonic()
    await world.admin.delete("pods", "p", "default", grace_period_seconds=1)
    await world.until("p", lambda found: found is None)
    assert world.clock.monotonic() - began >= 1


async def test_an_agent_that_comes_back_touches_nothing_that_runs(world: OneNode) -> None:
    await world.pod("p", shell("a", FOREVER), shell("b", FOREVER))
    await world.pod("q", shell("c", FOREVER))
    before = [await world.ready(name) for name in "pq"]
    await world.stop_agent()
    await world.admin.delete("pods", "q", "default", grace_period_seconds=0)
    await world.start_agent()
    await world.eventually(lambda: world.agent and world.agent.is_at_rest())
    pod = await world.ready("p")
    for name in "ab":
        same = ("containerID", "restartCount", "state")
        assert [status(pod, name)[k] for k in same] == [status(before[0], name)[k] for k in same]
    assert await world.runtime.sandboxes(objects.uid(before[1])) == []


async def test_an_exit_while_no_agent_looked_is_found_and_restarted(world: OneNode) -> None:
    await world.pod("p", shell("c", FOREVER))
    pod = await world.ready("p")
    await world.stop_agent()
    await world.runtime.stop_container(status(pod, "c")["containerID"].removeprefix("containerd://"), 0)
    await world.start_agent()
    await world.until("p", lambda found: status(found, "c")["restartCount"] == 1)
    await world.ready("p")


async def test_a_dead_sandbox_is_replaced_with_everything_in_it(world: OneNode, containerd: Any) -> None:
    await world.pod("p", shell("c", FOREVER))
    pod = await world.ready("p")
    sandbox = (await world.runtime.sandboxes(objects.uid(pod)))[0]
    containerd.ctr("tasks", "kill", "-s", "KILL", sandbox.id)
    assert await world.said("p", "Pod sandbox changed, it will be killed and re-created.")
    await world.until("p", lambda found: status(found, "c")["restartCount"] == 1)
    await world.ready("p")


async def test_the_node_is_ready_with_what_the_machine_has(world: OneNode) -> None:
    node = await world.admin.get("nodes", "node-1")
    assert objects.condition_is(node, "Ready")
    assert node["spec"]["podCIDR"] == "10.222.0.0/24"
    assert node["status"]["capacity"]["pods"] == "110"
    assert node["status"]["nodeInfo"]["containerRuntimeVersion"].startswith("containerd://")
    assert any("docker.io/library/busybox:test" in i["names"] for i in node["status"]["images"])
    lease = await world.eventually(lambda: world.admin.find("leases.coordination.k8s.io", "node-1", "kube-node-lease"))
    assert lease["spec"]["leaseDurationSeconds"] == 40
