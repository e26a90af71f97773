"""Affinity between pods, and spreading them over domains."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.meta.objects import Obj
from pybernetes.scheduler import podinfo, snapshot
from pybernetes.scheduler.decide import decide
from pybernetes.scheduler.plugins import podaffinity, spread

from .build import cluster, decided, labelled, node, pod, rejected

HOST, ZONE = "kubernetes.io/hostname", "zone"
NODES = [
    node("a1", labels={ZONE: "a"}),
    node("a2", labels={ZONE: "a"}),
    node("b1", labels={ZONE: "b"}),
    node("none"),
]
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def term(key: str = HOST, app: str = "db", **more: Any) -> Obj:
    return {"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}, **more}


def near(*terms: Obj, name: str = "p", on: str = "", **labels: str) -> Obj:
    return labelled(pod(name, on, affinity={"podAffinity": {REQUIRED: list(terms)}}), **labels)


def away(*terms: Obj, name: str = "p", on: str = "", **labels: str) -> Obj:
    return labelled(pod(name, on, affinity={"podAntiAffinity": {REQUIRED: list(terms)}}), **labels)


def db(name: str, on: str, namespace: str = "default") -> Obj:
    made = labelled(pod(name, on), app="db")
    return {**made, "metadata": {**made["metadata"], "namespace": namespace}}


def only(*names: str, reason: str) -> dict[str, set[str]]:
    """All nodes but these are rejected."""
    return {each["metadata"]["name"]: {reason} for each in NODES if each["metadata"]["name"] not in names}


AFFINE: list[tuple[str, Obj, list[Obj], tuple[str, ...]]] = [
    ("on its node", near(term()), [db("q", "a1")], ("a1",)),
    ("in its zone", near(term(ZONE)), [db("q", "a1")], ("a1", "a2")),
    ("nobody there", near(term()), [], ()),
    ("another namespace", near(term()), [db("q", "a1", "other")], ()),
    ("a namespace by name", near(term(namespaces=["other"])), [db("q", "a1", "other")], ("a1",)),
    ("all namespaces", near(term(namespaceSelector={})), [db("q", "a1", "other")], ("a1",)),
    ("two terms", near(term(ZONE), term(HOST)), [db("q", "a2")], ("a2",)),
    ("the first of its group", near(term(ZONE), app="db"), [], ("a1", "a2", "b1")),
    ("the second of its group", near(term(ZONE), app="db"), [db("q", "b1")], ("b1",)),
]


@pytest.mark.parametrize(("what", "asking", "placed", "allowed"), AFFINE, ids=[row[0] for row in AFFINE])
def test_pod_affinity(what: str, asking: Obj, placed: list[Obj], allowed: tuple[str, ...]) -> None:
    assert rejected(asking, NODES, placed) == only(*allowed, reason=podaffinity.NOT_NEAR)


AVERSE: list[tuple[str, Obj, list[Obj], dict[str, set[str]]]] = [
    ("on its node", away(term()), [db("q", "a1")], {"a1": {podaffinity.TOO_NEAR}}),
    ("in its zone", away(term(ZONE)), [db("q", "a1")], {key: {podaffinity.TOO_NEAR} for key in ("a1", "a2")}),
    ("others do not matter", away(term(app="web")), [db("q", "a1")], {}),
    (
        "the other way round",
        labelled(pod("p"), app="db"),
        [away(term(ZONE), name="q", on="b1", app="web")],
        {"b1": {podaffinity.UNWELCOME}},
    ),
    (
        "itself",
        away(term(), app="db"),
        [away(term(), name="q", on="a1", app="db")],
        {"a1": {podaffinity.TOO_NEAR}},
    ),
]


@pytest.mark.parametrize(("what", "asking", "placed", "expected"), AVERSE, ids=[row[0] for row in AVERSE])
def test_pod_anti_affinity(what: str, asking: Obj, placed: list[Obj], expected: dict[str, set[str]]) -> None:
    assert rejected(asking, NODES, placed) == expected


def test_a_namespace_is_selected_by_its_labels() -> None:
    asking = near(term(namespaceSelector={"matchLabels": {"team": "x"}}))
    found = cluster(NODES, [db("q", "a1", "one"), db("r", "b1", "two")])
    found.namespaces = {"one": {"team": "y"}, "two": {"team": "x"}}
    assert decide(found, podinfo.of(asking), 0.0).node == "b1"


def test_preferences_draw_near_and_push_away_in_both_directions() -> None:
    wish = [{"weight": 100, "podAffinityTerm": term(ZONE)}]
    placed = [db("q", "b1")]
    assert decided(pod("p", affinity={"podAffinity": {PREFERRED: wish}}), NODES, placed).node == "b1"
    shy = pod("p", affinity={"podAntiAffinity": {PREFERRED: wish}})
    assert decided(shy, NODES[:3], [*placed, pod("r", "a1", cpu="2"), pod("s", "a2", cpu="1")]).node == "a2"
    drawing = [near(term(ZONE), name="q", on="b1", app="web")]
    assert decided(labelled(pod("p"), app="db"), NODES[:3], drawing).node == "b1"


# ── spread ───────────────────────────────────────────────────────────────────────────────────────────────


def even(key: str = ZONE, skew: int = 1, **more: Any) -> Obj:
    constraint = {
        "topologyKey": key, "maxSkew": skew, "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "db"}}, **more,
    }  # fmt: skip
    return labelled(pod("p", topologySpreadConstraints=[constraint]), app="db", version="2")


UNLABELLED = {"none": {spread.UNLABELLED}}
SPREAD: list[tuple[str, Obj, list[Obj], dict[str, set[str]]]] = [
    ("nobody yet", even(), [], UNLABELLED),
    ("one more is too many", even(), [db("q", "a1")], UNLABELLED | {key: {spread.SKEWED} for key in ("a1", "a2")}),
    ("a skew of two", even(skew=2), [db("q", "a1")], UNLABELLED),
    ("by host", even(HOST), [db("q", "a1"), db("r", "b1")], {key: {spread.SKEWED} for key in ("a1", "b1")}),
    ("other namespaces do not count", even(), [db("q", "a1", "other")], UNLABELLED),
    ("other versions do not count", even(matchLabelKeys=["version"]), [db("q", "a1")], UNLABELLED),
    (
        "fewer domains than wanted",
        even(minDomains=3),
        [db("q", "a1"), db("r", "b1")],
        UNLABELLED | {key: {spread.SKEWED} for key in ("a1", "a2", "b1")},
    ),
]


@pytest.mark.parametrize(("what", "asking", "placed", "expected"), SPREAD, ids=[row[0] for row in SPREAD])
def test_hard_spread(what: str, asking: Obj, placed: list[Obj], expected: dict[str, set[str]]) -> None:
    assert rejected(asking, NODES, placed) == expected


def test_domains_out_of_a_pods_reach_do_not_count_as_empty() -> None:
    asking = even()
    asking = {**asking, "spec": {**asking["spec"], "nodeSelector": {ZONE: "a"}}}
    assert decided(asking, NODES, [db("q", "a1"), db("r", "a2")]).node in ("a1", "a2")


def test_a_pod_on_its_way_out_does_not_count() -> None:
    going = db("q", "a1")
    going = {**going, "metadata": {**going["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}
    assert rejected(even(), NODES, [going]) == UNLABELLED


def test_soft_spread_prefers_the_emptier_domain() -> None:
    asking = even(whenUnsatisfiable="ScheduleAnyway")
    assert decided(asking, NODES, [db("q", "a1"), pod("r", "b1", cpu="1")]).node == "b1"


def test_nodes_that_gain_a_label_join_their_domain() -> None:
    found = cluster(NODES, [db("q", "a1")])
    found.put_node(snapshot.node_info(node("none", labels={ZONE: "c"})))
    assert decide(found, podinfo.of(even()), 0.9).node in ("none", "b1")


# ── default constraints ──────────────────────────────────────────────────────────────────────────────────


def owned(name: str, kind: str, on: str = "", **labels: str) -> Obj:
    made = labelled(pod(name, on), app="web", **labels)
    owner = {"apiVersion": "apps/v1", "kind": kind, "name": "web", "uid": "web", "controller": True}
    return {**made, "metadata": {**made["metadata"], "ownerReferences": [owner]}}


@pytest.mark.parametrize("kind", ["ReplicaSet", "ReplicationController", "StatefulSet"])
def test_pods_of_a_set_that_states_no_constraint_are_spread_over_nodes(kind: str) -> None:
    large = [node(f"n{i}", cpu="64", memory="512Gi") for i in range(3)]
    placed = [owned("q0", kind, "n0", **{"apps.kubernetes.io/pod-index": "0"}), owned("q1", kind, "n2")]
    asking = owned("p", kind, **{"apps.kubernetes.io/pod-index": "2"})
    assert {decided(asking, large, placed, chance).node for chance in (0.0, 0.5, 0.99)} == {"n1"}


def test_pods_of_other_kinds_have_no_default_constraints() -> None:
    assert podinfo.of(owned("p", "Job")).ties.spread == ()
    assert podinfo.of(labelled(pod("p"), app="web")).ties.spread == ()


def test_default_constraints_leave_out_no_node_without_a_label() -> None:
    placed = [owned(f"q{i}", "ReplicaSet", name) for i, name in enumerate(("a1", "a2", "b1"))]
    assert decided(owned("p", "ReplicaSet"), NODES, placed).node == "none"
