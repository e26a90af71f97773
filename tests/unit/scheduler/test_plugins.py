"""Filters and scores, as a table: who is rejected for which reason, and who is liked best."""

from __future__ import annotations

import pytest

from pybernetes.meta.objects import Obj
from pybernetes.scheduler import podinfo
from pybernetes.scheduler.plugins import affinity as node_affinity
from pybernetes.scheduler.plugins import nodes, ports, resources, taints

from .build import affinity, cluster, cordoned, decided, expression, node, pod, rejected, with_ports

PLAIN, DISK, BIG = (
    node("plain"),
    node("disk", labels={"disk": "ssd", "size": "20"}),
    node("big", labels={"size": "100"}),
)
BOTH = {"disk", "big"}
GPU = node("gpu", taints=["hw=gpu:NoSchedule"])
HTTP = {"containerPort": 80, "hostPort": 8080, "protocol": "TCP"}
UNTOLERATED = "node(s) had untolerated taint {hw: gpu}"


def tolerating(**toleration: str) -> Obj:
    return pod("p", tolerations=[toleration])


def named(operator: str, *names: str) -> Obj:
    return {"matchFields": [{"key": "metadata.name", "operator": operator, "values": list(names)}]}


# (what, the pod, nodes, placed pods, reasons by node)
FILTERS: list[tuple[str, Obj, list[Obj], list[Obj], dict[str, set[str]]]] = [
    ("cordoned", pod("p"), [PLAIN, cordoned(DISK)], [], {"disk": {nodes.UNSCHEDULABLE}}),
    (
        "cordoned but tolerated",
        tolerating(key="node.kubernetes.io/unschedulable", operator="Exists", effect="NoSchedule"),
        [cordoned(PLAIN)], [], {},
    ),
    ("tainted", pod("p"), [PLAIN, GPU], [], {"gpu": {UNTOLERATED}}),
    ("tolerated by value", tolerating(key="hw", value="gpu", effect="NoSchedule"), [GPU], [], {}),
    ("another value", tolerating(key="hw", value="tpu"), [GPU], [], {"gpu": {UNTOLERATED}}),
    ("another effect", tolerating(key="hw", operator="Exists", effect="NoExecute"), [GPU], [], {"gpu": {UNTOLERATED}}),
    ("everything tolerated", tolerating(operator="Exists"), [GPU], [], {}),
    ("preferred not to", pod("p"), [node("n", taints=["a=b:PreferNoSchedule"])], [], {}),
    (
        "the first untolerated taint tells",
        tolerating(key="a", operator="Exists"),
        [node("n", taints=["a:NoSchedule", "b:NoExecute", "c:NoSchedule"])], [],
        {"n": {"node(s) had untolerated taint {b: }"}},
    ),
    (
        "cpu and memory", pod("p", cpu="5", memory="9Gi"),
        [PLAIN], [], {"plain": {"Insufficient cpu", "Insufficient memory"}},
    ),
    ("what is left", pod("p", cpu="2"), [PLAIN], [pod("q", "plain", cpu="2001m")], {"plain": {"Insufficient cpu"}}),
    ("just enough", pod("p", cpu="2"), [PLAIN], [pod("q", "plain", cpu="2")], {}),
    ("nothing asked of a full node", pod("p"), [PLAIN], [pod("q", "plain", cpu="9")], {}),
    ("too many pods", pod("p"), [node("n", pods="1")], [pod("q", "n")], {"n": {"Too many pods"}}),
    (
        "nobody has it", pod("p", resources={"requests": {"example.com/gpu": "1"}}),
        [PLAIN], [], {"plain": {"Insufficient example.com/gpu"}},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("what", "asking", "there", "placed", "expected"), FILTERS, ids=[row[0] for row in FILTERS])
def test_filters_reject(
    what: str, asking: Obj, there: list[Obj], placed: list[Obj], expected: dict[str, set[str]]
) -> None:
    assert rejected(asking, there, placed) == expected


# (what, spec, the nodes that match of PLAIN, DISK and BIG)
AFFINITIES: list[tuple[str, Obj, set[str]]] = [
    ("selector", {"nodeSelector": {"disk": "ssd"}}, {"disk"}),
    ("In", {"affinity": affinity(expression("disk", "In", "hdd", "ssd"))}, {"disk"}),
    ("NotIn", {"affinity": affinity(expression("disk", "NotIn", "ssd"))}, {"plain", "big"}),
    ("Exists", {"affinity": affinity(expression("size", "Exists"))}, {"disk", "big"}),
    ("DoesNotExist", {"affinity": affinity(expression("disk", "DoesNotExist"))}, {"plain", "big"}),
    ("Gt", {"affinity": affinity(expression("size", "Gt", "20"))}, {"big"}),
    ("Lt", {"affinity": affinity(expression("size", "Lt", "100"))}, {"disk"}),
    ("Lt of no number", {"affinity": affinity(expression("disk", "Lt", "20"))}, set()),
    ("one of two terms", {"affinity": affinity(expression("disk", "Exists"), expression("size", "Gt", "50"))}, BOTH),
    (
        "selector and term",
        {"nodeSelector": {"size": "20"}, "affinity": affinity(expression("size", "Gt", "50"))},
        set(),
    ),
    ("an empty term", {"affinity": affinity({})}, set()),
    ("all but a name", {"affinity": affinity(named("NotIn", "disk"))}, {"plain", "big"}),
]


@pytest.mark.parametrize(("what", "spec", "matching"), AFFINITIES, ids=[row[0] for row in AFFINITIES])
def test_node_affinity(what: str, spec: Obj, matching: set[str]) -> None:
    others = {"plain", "disk", "big"} - matching
    assert rejected(pod("p", **spec), [PLAIN, DISK, BIG]) == {name: {node_affinity.NO_MATCH} for name in others}


def test_nodes_that_are_not_named_are_left_out_before_all_other_filters() -> None:
    asking = pod("p", cpu="9", affinity=affinity(named("In", "disk")))
    assert rejected(asking, [PLAIN, DISK, cordoned(BIG)]) == {
        "plain": {node_affinity.NOT_NAMED},
        "big": {node_affinity.NOT_NAMED},
        "disk": {"Insufficient cpu"},
    }


@pytest.mark.parametrize(
    ("held", "wanted", "clash"),
    [
        ({}, {}, True),
        ({}, {"hostPort": 8081}, False),
        ({}, {"protocol": "UDP"}, False),
        ({}, {"hostIP": "10.0.0.1"}, True),
        ({"hostIP": "10.0.0.1"}, {}, True),
        ({"hostIP": "10.0.0.1"}, {"hostIP": "10.0.0.2"}, False),
        ({"hostPort": 0}, {}, False),
    ],
)
def test_a_port_of_the_node_has_one_holder(held: Obj, wanted: Obj, clash: bool) -> None:
    holder = with_ports(pod("q", "plain"), {**HTTP, **held})
    reasons = rejected(with_ports(pod("p"), {**HTTP, **wanted}), [PLAIN], [holder])
    assert reasons == ({"plain": {ports.TAKEN}} if clash else {})


def test_pods_spread_to_where_most_is_left() -> None:
    assert decided(pod("p", cpu="1"), [node("n1"), node("n2")], [pod("q", on="n1", cpu="2")]).node == "n2"


def test_pods_without_requests_spread_too() -> None:
    assert decided(pod("p"), [node("n1"), node("n2")], [pod(f"q{i}", on="n1") for i in range(4)]).node == "n2"


def test_least_allocated_rounds_down_as_upstream_does() -> None:
    snapshot = cluster([node("n1", cpu="3", memory="10Gi"), node("n2", cpu="0", memory="1Gi")])
    asking = podinfo.of(pod("p", cpu="1", memory="1Gi"))
    assert resources.least_allocated(snapshot, asking).tolist() == [(66 + 90) // 2, 0]


def test_balance_prefers_even_use_and_has_no_say_on_pods_without_requests() -> None:
    snapshot = cluster([node("even", cpu="4", memory="4Gi"), node("odd", cpu="4", memory="8Gi")])
    scores = resources.balanced(snapshot, podinfo.of(pod("p", cpu="2", memory="2Gi")))
    assert scores is not None
    assert scores.tolist() == [100, 87]
    assert resources.balanced(snapshot, podinfo.of(pod("p"))) is None


def test_preferred_terms_weigh_more_than_room() -> None:
    preferred = [{"weight": 10, "preference": expression("disk", "In", "ssd")}]
    asking = pod("p", affinity={"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}})
    assert decided(asking, [PLAIN, DISK], [pod("q", on="disk", cpu="2")]).node == "disk"


def test_untolerated_preferences_are_counted() -> None:
    snapshot = cluster([PLAIN, node("n", taints=["a:PreferNoSchedule", "b:PreferNoSchedule", "c:PreferNoSchedule"])])
    asking = podinfo.of(tolerating(key="b", operator="Exists"))
    counts = taints.discouraged(snapshot, asking)
    assert counts is not None
    assert counts.tolist() == [0, 2]
    assert taints.discouraged(cluster([PLAIN]), asking) is None


@pytest.mark.parametrize(
    ("operator", "value", "tolerated"), [("Gt", "5", True), ("Gt", "50", False), ("Lt", "x", False)]
)
def test_tolerations_compare_numbers(operator: str, value: str, tolerated: bool) -> None:
    asking = tolerating(key="load", operator=operator, value=value)
    assert (decided(asking, [node("n", taints=["load=20:NoSchedule"])]).node == "n") == tolerated


def test_a_node_named_already_is_the_only_one() -> None:
    assert decided(pod("p", on="disk"), [PLAIN, DISK, BIG]).node == "disk"


def test_chance_picks_among_equals() -> None:
    there = [node(f"n{i}") for i in range(4)]
    assert [decided(pod("p"), there, chance=chance).node for chance in (0.0, 0.3, 0.6, 1.0)] == ["n0", "n1", "n2", "n3"]
