from __future__ import annotations

from typing import Any

from pybernetes.control.actions import Create, Delete, Update
from pybernetes.controllers import endpoints
from pybernetes.controllers.endpoints import CONTROLLER
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

from . import build
from .build import NOW, pod, service

TRIGGER = "endpoints.kubernetes.io/last-change-trigger-time"


def plan(owner: Obj | None, *pods: Obj, current: Obj | None = None) -> list[Any]:
    snapshot = build.Snapshot(
        pods=pods, services=[owner] if owner else [], endpoints=[current] if current else [],
    )  # fmt: skip
    return list(CONTROLLER.plan(snapshot, build.key(), NOW))


def made(owner: Obj, *pods: Obj) -> Obj:
    action = plan(owner, *pods)[0]
    assert isinstance(action, Create)
    return action.obj


def behind(name: str, ip: str, *, ready: float | None = 9, **more: Any) -> Obj:
    return pod(name, ready=ready, status__podIP=ip, **more)


def test_ready_and_unready_pods_of_the_same_ports_share_a_subset() -> None:
    subsets = made(service(), behind("a", "10.0.0.2"), behind("b", "10.0.0.1"), behind("c", "10.0.0.3", ready=None))
    reference = {"kind": "Pod", "namespace": "default", "name": "b", "uid": "uid-b"}
    assert len(subsets["subsets"]) == 1
    subset = subsets["subsets"][0]
    assert [each["ip"] for each in subset["addresses"]] == ["10.0.0.1", "10.0.0.2"]
    assert subset["addresses"][0] == {"ip": "10.0.0.1", "nodeName": "n1", "targetRef": reference}
    assert [each["ip"] for each in subset["notReadyAddresses"]] == ["10.0.0.3"]
    assert subset["ports"] == [{"port": 8080, "protocol": "TCP"}]


def test_a_named_target_is_looked_up_in_each_pod() -> None:
    def serving(name: str, ip: str, number: int) -> Obj:
        containers = [{"name": "main", "ports": [{"name": "http", "containerPort": number}]}]
        return behind(name, ip, spec__containers=containers)

    owner = service(ports=[{"name": "web", "port": 80, "targetPort": "http"}])
    subsets = made(owner, serving("a", "10.0.0.1", 80), serving("b", "10.0.0.2", 81), behind("c", "10.0.0.3"))
    assert [(s["ports"][0]["port"], len(s["addresses"])) for s in subsets["subsets"]] == [(80, 1), (81, 1)]
    assert subsets["subsets"][0]["ports"][0]["name"] == "web"


def test_finished_dying_and_unaddressed_pods_are_left_out() -> None:
    gone = [
        behind("done", "10.0.0.1", phase="Succeeded"),
        behind("dying", "10.0.0.2", metadata__deletionTimestamp=build.ago(1)),
        pod("new"),
        behind("stranger", "10.0.0.4", metadata__labels={"app": "other"}),
    ]
    assert made(service(), *gone)["subsets"] == []


def test_a_service_that_publishes_what_is_not_ready_calls_all_ready() -> None:
    owner = service(publishNotReadyAddresses=True)
    dying = behind("b", "10.0.0.2", metadata__deletionTimestamp=build.ago(1))
    subset = made(owner, behind("a", "10.0.0.1", ready=None), dying)["subsets"][0]
    assert len(subset["addresses"]) == 2
    assert "notReadyAddresses" not in subset


def test_a_headless_service_needs_no_ports_and_names_its_pods() -> None:
    owner = service(clusterIP="None", ports=None)
    told = made(owner, behind("a", "10.0.0.1", spec__hostname="a-0", spec__subdomain="web"))
    assert told["subsets"][0]["addresses"][0]["hostname"] == "a-0"
    assert "ports" not in told["subsets"][0]
    assert objects.labels(told)["service.kubernetes.io/headless"] == ""


def test_the_labels_are_the_services() -> None:
    owner = service()
    owner["metadata"]["labels"] = {"team": "a"}
    assert objects.labels(made(owner)) == {"team": "a", "endpoints.kubernetes.io/managed-by": "endpoint-controller"}


def test_what_is_true_already_is_not_written() -> None:
    pods = [behind("a", "10.0.0.1"), behind("b", "10.0.0.2", ready=None)]
    assert plan(service(), *pods, current=made(service(), *pods)) == []


def test_a_pod_that_became_ready_is_written_with_the_time_of_it() -> None:
    before = made(service(), behind("a", "10.0.0.1", ready=None))
    update = plan(service(), behind("a", "10.0.0.1", ready=5), current=before)[0]
    assert isinstance(update, Update)
    assert objects.annotations(before)[TRIGGER] == build.ago(60)
    assert objects.annotations(update.obj)[TRIGGER] == build.ago(5)


def test_more_than_a_thousand_addresses_are_cut_ready_ones_kept_first() -> None:
    pods = [behind(f"p{n}", f"10.0.{n // 250}.{n % 250}", ready=9 if n < 900 else None) for n in range(1200)]
    told = made(service(), *pods)
    assert (len(told["subsets"][0]["addresses"]), len(told["subsets"][0]["notReadyAddresses"])) == (900, 100)
    assert objects.annotations(told)[endpoints.OVER_CAPACITY] == "truncated"
    assert plan(service(), *pods, current=told) == []


def test_a_service_without_selector_or_with_an_external_name_is_left_alone() -> None:
    assert plan(service(selector=None)) == []
    assert plan(service(type="ExternalName")) == []


def test_endpoints_go_with_their_service() -> None:
    delete = plan(None, current=made(service()))[0]
    assert isinstance(delete, Delete)


def test_a_pod_wakes_the_services_that_select_it_when_it_matters() -> None:
    keys = CONTROLLER.inputs[1].keys
    snapshot = build.Snapshot(services=[service(), service("other", selector={"app": "x"})])
    ready, unready = behind("a", "10.0.0.1"), behind("a", "10.0.0.1", ready=None)
    assert list(keys(snapshot, unready, ready)) == [build.key()]
    assert list(keys(snapshot, ready, ready)) == []
    assert list(keys(snapshot, None, pod("pending"))) == []
    assert list(keys(snapshot, ready, None)) == [build.key()]
    relabelled = objects.evolve(ready, ("metadata", "labels"), {"app": "x"})
    assert sorted(keys(snapshot, ready, relabelled)) == [build.key("other"), build.key()]
