from __future__ import annotations

from typing import Any

from pybernetes.control.actions import After, Create, Delete, Update
from pybernetes.controllers.endpointslice import CONTROLLER, SLICES
from pybernetes.controllers.endpointslicemirroring import CONTROLLER as MIRRORING
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

from . import build
from .build import NOW, pod, service

NODE: Obj = {"metadata": {"name": "n1", "labels": {"topology.kubernetes.io/zone": "z1"}}}


def plan(owner: Obj, *pods: Obj, slices: list[Obj] | None = None, nodes: tuple[Obj, ...] = (NODE,)) -> list[Any]:
    snapshot = build.Snapshot(pods=pods, services=[owner], nodes=nodes, **{SLICES: slices or []})
    return list(CONTROLLER.plan(snapshot, build.key(), NOW))


def stored(actions: list[Any]) -> list[Obj]:
    """What the creations leave behind."""
    created = [a.obj for a in actions if isinstance(a, Create)]
    return [objects.evolve(obj, ("metadata", "name"), f"web-{n}") for n, obj in enumerate(created)]


def many(count: int, first: int = 0) -> list[Obj]:
    return [behind(f"p{n:04}", f"10.0.{n // 250}.{n % 250}") for n in range(first, first + count)]


def behind(name: str, ip: str, *, ready: float | None = 9, **more: Any) -> Obj:
    return pod(name, ready=ready, status__podIP=ip, **more)


# ── one endpoint ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_slice_belongs_to_its_service() -> None:
    made = stored(plan(service(), behind("a", "10.0.0.1")))[0]
    assert made["metadata"]["generateName"] == "web-"
    assert made["metadata"]["ownerReferences"] == [objects.owner_reference(service())]
    assert objects.labels(made) == {
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }
    assert made["addressType"] == "IPv4"
    assert made["ports"] == [{"name": "", "port": 8080, "protocol": "TCP"}]
    assert made["endpoints"] == [
        {
            "addresses": ["10.0.0.1"],
            "conditions": {"ready": True, "serving": True, "terminating": False},
            "nodeName": "n1",
            "zone": "z1",
            "targetRef": {"kind": "Pod", "namespace": "default", "name": "a", "uid": "uid-a"},
        }
    ]


def test_a_pod_on_its_way_out_still_serves_but_is_not_ready() -> None:
    dying = behind("a", "10.0.0.1", metadata__deletionTimestamp=build.ago(1))
    expected = {"ready": False, "serving": True, "terminating": True}
    assert stored(plan(service(), dying))[0]["endpoints"][0]["conditions"] == expected
    expected["ready"] = True
    owner = service(publishNotReadyAddresses=True)
    assert stored(plan(owner, dying))[0]["endpoints"][0]["conditions"] == expected


def test_hints_are_given_where_the_service_asks_for_nearness() -> None:
    def told(distribution: str, pod: Obj) -> Any:
        near = service(trafficDistribution=distribution)
        return stored(plan(near, pod))[0]["endpoints"][0].get("hints")

    ready = behind("a", "10.0.0.1", spec__nodeName="n1")
    assert told("PreferClose", ready) == {"forZones": [{"name": "z1"}]}
    assert told("PreferSameNode", ready) == {"forZones": [{"name": "z1"}], "forNodes": [{"name": "n1"}]}
    assert told("PreferClose", behind("a", "10.0.0.1", ready=None)) is None


def test_a_headless_service_without_ports_has_endpoints_all_the_same() -> None:
    made = stored(plan(service(clusterIP="None", ports=None), behind("a", "10.0.0.1")))[0]
    assert (made["ports"], len(made["endpoints"])) == ([], 1)
    assert objects.labels(made)["service.kubernetes.io/headless"] == ""


def test_pods_of_different_ports_go_to_different_slices() -> None:
    containers = [{"name": "main", "ports": [{"name": "http", "containerPort": 81}]}]
    owner = service(ports=[{"port": 80, "targetPort": "http"}, {"name": "x", "port": 90}])
    made = stored(plan(owner, behind("a", "10.0.0.1"), behind("b", "10.0.0.2", spec__containers=containers)))
    assert sorted(len(each["ports"]) for each in made) == [1, 2]


def test_each_family_of_a_service_has_slices_of_its_own() -> None:
    owner = service(ipFamilies=["IPv4", "IPv6"])
    both = behind("a", "10.0.0.1", status__podIPs=[{"ip": "10.0.0.1"}, {"ip": "fd00::1"}])
    made = {each["addressType"]: each["endpoints"][0]["addresses"] for each in stored(plan(owner, both))}
    assert made == {"IPv4": ["10.0.0.1"], "IPv6": ["fd00::1"]}


def test_a_pod_whose_node_is_missing_waits() -> None:
    actions = plan(service(), behind("a", "10.0.0.1"), nodes=())
    assert stored(actions)[0]["endpoints"] == []
    assert any(isinstance(a, After) for a in actions)


def test_a_service_that_selects_nothing_yet_keeps_one_empty_slice() -> None:
    empty = stored(plan(service()))
    assert (empty[0]["endpoints"], empty[0]["ports"]) == ([], [])
    assert plan(service(), slices=empty) == []
    actions = plan(service(), behind("a", "10.0.0.1"), slices=empty)
    assert [type(a) for a in actions] == [Create, Delete]


# ── few writes ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_slice_holds_no_more_than_a_hundred() -> None:
    assert [len(each["endpoints"]) for each in stored(plan(service(), *many(250)))] == [100, 100, 50]


def test_what_is_true_already_is_not_written() -> None:
    pods = many(150)
    assert plan(service(), *pods, slices=stored(plan(service(), *pods))) == []


def test_one_changed_pod_writes_one_slice() -> None:
    pods = many(250)
    before = stored(plan(service(), *pods))
    pods[7] = behind("p0007", "10.0.0.7", ready=None)
    actions = plan(service(), *pods, slices=before)
    assert [(type(a), a.obj["metadata"]["name"]) for a in actions] == [(Update, "web-0")]
    assert actions[0].obj["endpoints"][7]["conditions"]["ready"] is False


def test_a_replaced_pod_takes_the_place_of_the_other() -> None:
    before = stored(plan(service(), *many(150)))
    actions = plan(service(), *many(150, first=1), slices=before)
    assert [(type(a), a.obj["metadata"]["name"], len(a.obj["endpoints"])) for a in actions] == [(Update, "web-0", 100)]


def test_new_pods_go_into_the_slice_that_they_fill_best() -> None:
    before = stored(plan(service(), *many(150)))
    actions = plan(service(), *many(160), slices=before)
    assert [(a.obj["metadata"]["name"], len(a.obj["endpoints"])) for a in actions] == [("web-1", 60)]


def test_an_emptied_slice_goes() -> None:
    before = stored(plan(service(), *many(150)))
    actions = plan(service(), *many(100), slices=before)
    assert [(type(a), a.name) for a in actions] == [(Delete, "web-1")]


def test_slices_of_an_earlier_service_of_the_same_name_go() -> None:
    earlier = service()
    earlier["metadata"]["uid"] = "uid-before"
    before = stored(plan(earlier, behind("a", "10.0.0.1")))
    assert [type(a) for a in plan(service(), behind("a", "10.0.0.1"), slices=before)] == [Delete, Create]


def test_labels_of_the_service_follow_into_its_slices() -> None:
    before = stored(plan(service(), behind("a", "10.0.0.1")))
    owner = service()
    owner["metadata"]["labels"] = {"team": "a"}
    actions = plan(owner, behind("a", "10.0.0.1"), slices=before)
    assert [objects.labels(a.obj)["team"] for a in actions] == ["a"]


# ── mirroring ────────────────────────────────────────────────────────────────────────────────────────────


def mirror(source: Obj, owner: Obj | None, slices: list[Obj] | None = None) -> list[Any]:
    snapshot = build.Snapshot(endpoints=[source], services=[owner] if owner else [], **{SLICES: slices or []})
    return list(MIRRORING.plan(snapshot, build.key(), NOW))


def by_hand(**labels: str) -> Obj:
    subset = {
        "addresses": [{"ip": "192.0.2.1"}], "notReadyAddresses": [{"ip": "192.0.2.2"}],
        "ports": [{"port": 9376, "protocol": "TCP"}],
    }  # fmt: skip
    return {
        "apiVersion": "v1", "kind": "Endpoints", "metadata": build.metadata("web", labels=labels), "subsets": [subset],
    }  # fmt: skip


def test_hand_made_endpoints_are_mirrored_for_a_service_without_selector() -> None:
    made = stored(mirror(by_hand(team="a"), service(selector=None)))[0]
    assert objects.labels(made) == {
        "team": "a",
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
    }
    assert made["metadata"]["ownerReferences"][0]["kind"] == "Endpoints"
    assert made["ports"] == [{"name": "", "port": 9376, "protocol": "TCP"}]
    assert made["endpoints"] == [
        {"addresses": ["192.0.2.1"], "conditions": {"ready": True}},
        {"addresses": ["192.0.2.2"], "conditions": {"ready": False}},
    ]
    assert mirror(by_hand(team="a"), service(selector=None), [made]) == []


def test_endpoints_are_not_mirrored_where_a_selector_or_a_label_forbids_it() -> None:
    before = stored(mirror(by_hand(), service(selector=None)))
    skipped = by_hand(**{"endpointslice.kubernetes.io/skip-mirror": "true"})
    for source, owner in ((by_hand(), service()), (by_hand(), None), (skipped, service(selector=None))):
        assert [type(a) for a in mirror(source, owner, before)] == [Delete]
