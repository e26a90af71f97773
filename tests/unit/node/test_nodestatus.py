from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pybernetes.meta import objects
from pybernetes.node import nodestatus, sysinfo
from pybernetes.node.config import Config
from pybernetes.node.nodestatus import RuntimeState
from pybernetes.node.runtime.port import Condition, Image, Version
from pybernetes.node.sysinfo import Machine

from .build import NOW

CONFIG = Config(
    node="n", ip="192.0.2.1", pod_cidr="10.1.0.0/24", kubelet=Path("/k"), logs=Path("/l"), cgroup="/c",
    labels={"zone": "z"},
)  # fmt: skip
MACHINE = Machine(
    cpus=4, memory_bytes=8 << 30, disk_bytes=100 << 30, architecture="amd64", kernel="6.1", os_image="Debian",
    machine_id="m", boot_id="b", system_uuid="s", capabilities=frozenset(),
)  # fmt: skip
FINE = (Condition("RuntimeReady", True), Condition("NetworkReady", True))
RUNTIME = RuntimeState(
    Version("containerd", "1.7", "v1"), FINE, (Image("i", ("small:1",), (), 1), Image("j", size_bytes=2))
)


def told(runtime: RuntimeState = RUNTIME, known: objects.Obj | None = None, now: float = NOW) -> objects.Obj:
    return nodestatus.status(CONFIG, MACHINE, runtime, known, now)


def ready(runtime: RuntimeState) -> tuple[str, str, str]:
    found = objects.condition({"status": told(runtime)}, "Ready")
    assert found is not None
    return found["status"], found["reason"], found["message"]


def test_a_node_registers_with_its_labels_and_pod_network() -> None:
    node = nodestatus.node(CONFIG, MACHINE)
    assert node["spec"] == {"podCIDR": "10.1.0.0/24", "podCIDRs": ["10.1.0.0/24"]}
    assert node["metadata"]["labels"].items() >= {
        "kubernetes.io/hostname": "n", "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", "zone": "z",
    }.items()  # fmt: skip


def test_pods_may_have_what_neither_is_reserved_nor_makes_pods_go() -> None:
    config = replace(CONFIG, reserved={"cpu": "500m", "memory": "1Gi"}, capacity={"memory": "4Gi"})
    status = nodestatus.status(config, MACHINE, RUNTIME, None, NOW)
    assert status["capacity"]["memory"] == "4Gi"
    assert status["allocatable"]["cpu"] == "3500m"
    assert status["allocatable"]["memory"] == f"{(3 << 20) - 100 * 1024}Ki"
    assert status["allocatable"]["ephemeral-storage"] == str((100 << 30) * 9 // 10)


def test_a_node_tells_what_it_is_short_of() -> None:
    status = {"status": nodestatus.status(CONFIG, MACHINE, RUNTIME, None, NOW, ["DiskPressure"])}
    disk, memory = (objects.condition(status, f"{kind}Pressure") for kind in ("Disk", "Memory"))
    assert disk is not None and memory is not None
    assert (disk["status"], disk["reason"]) == ("True", "KubeletHasDiskPressure")
    assert (memory["status"], memory["reason"]) == ("False", "KubeletHasSufficientMemory")


def test_capacity_addresses_and_versions_are_the_machines() -> None:
    status = told()
    assert status["capacity"]["cpu"] == status["allocatable"]["cpu"] == "4"
    assert status["capacity"]["memory"] == "8388608Ki"
    assert status["addresses"] == [
        {"type": "InternalIP", "address": "192.0.2.1"}, {"type": "Hostname", "address": "n"},
    ]  # fmt: skip
    assert status["nodeInfo"]["containerRuntimeVersion"] == "containerd://1.7"
    assert [i["sizeBytes"] for i in status["images"]] == [2, 1]
    assert status["daemonEndpoints"] == {"kubeletEndpoint": {"Port": 10250}}


def test_a_node_is_ready_when_its_runtime_and_network_are() -> None:
    assert ready(RUNTIME) == ("True", "KubeletReady", "kubelet is posting ready status")
    lost = Condition("NetworkReady", False, "NetworkPluginNotReady", "cni plugin not initialized")
    assert ready(RuntimeState(conditions=(FINE[0], lost))) == (
        "False",
        "KubeletNotReady",
        "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady "
        "message:cni plugin not initialized",
    )


def test_a_condition_keeps_its_time_while_its_status_stays() -> None:
    later = told(known={"status": told()}, now=NOW + 60)
    assert {c["lastTransitionTime"] for c in later["conditions"]} == {"2023-11-14T22:13:20Z"}
    assert {c["lastHeartbeatTime"] for c in later["conditions"]} == {"2023-11-14T22:14:20Z"}
    assert nodestatus.without_times(later) == nodestatus.without_times(told())


def test_this_machine_can_be_read(tmp_path: Path) -> None:
    machine = sysinfo.read(tmp_path)
    assert machine.cpus > 0 and machine.memory_bytes > 0 and machine.disk_bytes > 0 and machine.boot_id
    assert sysinfo.capabilities(0b101) == {"CHOWN", "DAC_READ_SEARCH"}
