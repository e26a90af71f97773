from __future__ import annotations

from typing import Any

from pybernetes.meta.objects import Obj
from pybernetes.node import admission
from pybernetes.node.eviction import CRITICAL_PRIORITY, DISK_PRESSURE

from .build import main, pod
from .scene import C, Scene

ALLOCATABLE = {"cpu": "2", "memory": "1Gi", "pods": "3"}


def new(**container: Any) -> Obj:
    return pod(main(**container)) | {"metadata": {"name": "new", "namespace": "ns", "uid": "new"}}


def cpu(amount: str) -> Obj:
    return {"resources": {"requests": {"cpu": amount}}}


def port(number: int, **more: str) -> Obj:
    return {"ports": [{"containerPort": 80, "hostPort": number, **more}]}


def refused(wanted: Obj, *others: Obj, pressures: tuple[str, ...] = ()) -> tuple[str, str]:
    found = admission.refusal(wanted, others, allocatable=ALLOCATABLE, pressures=pressures)
    return (found.reason, found.message) if found else ("", "")


def test_what_does_not_fit_beside_the_others_is_refused_with_the_numbers() -> None:
    why = "Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000"
    assert refused(new(**cpu("1500m")), pod(main(**cpu("1")))) == ("OutOfcpu", why)
    assert refused(new(**cpu("1")), pod(main(**cpu("1")))) == ("", "")
    assert refused(new(), pod(main(**cpu("9")))) == ("", "")


def test_a_finished_pod_takes_no_room() -> None:
    done = pod(main(**cpu("2")), status={"phase": "Succeeded"})
    assert refused(new(**cpu("2")), done) == ("", "")


def test_a_node_takes_only_so_many_pods() -> None:
    others = [pod() | {"metadata": {"name": n, "namespace": "ns", "uid": n}} for n in "abc"]
    assert refused(new(), *others)[0] == "OutOfpods"


def test_a_port_of_the_node_is_given_once() -> None:
    assert refused(new(**port(80)), pod(main(**port(80))))[0] == "NodePorts"
    assert refused(new(**port(81)), pod(main(**port(80))))[0] == ""


def test_the_same_port_of_another_address_or_protocol_is_another_port() -> None:
    local = pod(main(**port(80, hostIP="127.0.0.1")))
    assert refused(new(**port(80, hostIP="172.30.77.11")), local)[0] == ""
    assert refused(new(**port(80, protocol="UDP")), local)[0] == ""
    assert refused(new(**port(80)), local)[0] == "NodePorts"


def test_critical_pods_are_always_taken() -> None:
    wanted = new(**cpu("100"))
    assert refused(wanted, pressures=(DISK_PRESSURE,))[0] == "Evicted"
    wanted["spec"]["priority"] = CRITICAL_PRIORITY
    assert refused(wanted, pressures=(DISK_PRESSURE,)) == ("", "")


async def test_a_pod_too_large_for_its_node_fails_and_says_why(scene: Scene) -> None:
    await scene.pod("p", {**C, "resources": {"requests": {"cpu": "1000"}}})
    failed = await scene.turn(0.1, lambda found: found["status"]["phase"] == "Failed")
    assert failed["status"]["reason"] == "OutOfcpu"
    assert failed["status"]["message"].startswith("Pod was rejected: Node didn't have enough resource: cpu, requested:")
    assert (await scene.said("p", "Node didn't have enough resource: cpu"))["reason"] == "OutOfcpu"
    assert await scene.runtime.sandboxes() == []


async def test_the_room_of_a_pod_that_has_ended_is_free_at_once(scene: Scene) -> None:
    node = await scene.admin.get("nodes", "node-1")
    large = {**C, "resources": {"requests": {"memory": node["status"]["allocatable"]["memory"]}}}
    await scene.pod("p", large)
    await scene.ready("p")
    await scene.delete("p")
    await scene.pod("q", large)
    await scene.ready("q")
