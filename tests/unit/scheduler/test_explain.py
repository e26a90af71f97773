"""The sentence of FailedScheduling, word for word."""

from __future__ import annotations

from pybernetes.scheduler import explain

from .build import cordoned, decided, node, pod, told


def test_no_nodes_at_all() -> None:
    assert told(pod("p"), []) == "no nodes available to schedule pods"


def test_each_node_counts_for_the_first_plugin_that_rejects_it_and_texts_are_sorted() -> None:
    asking = pod("p", cpu="3", memory="7Gi", nodeSelector={"disk": "ssd"})
    ssd = {"disk": "ssd"}
    there = [
        cordoned(node("cordoned", cpu="1")),
        node("tainted", taints=["hw=gpu:NoSchedule"]),
        node("unlabelled", cpu="1"),
        *(node(f"full-{i}", labels=ssd) for i in range(10)),
        node("small", labels=ssd, cpu="1", memory="1Gi"),
    ]
    placed = [pod(f"q{i}", on=f"full-{i}", cpu="2") for i in range(10)]
    assert told(asking, there, placed) == (
        "0/14 nodes are available: 1 Insufficient memory, 1 node(s) didn't match Pod's node affinity/selector, "
        "1 node(s) had untolerated taint {hw: gpu}, 1 node(s) were unschedulable, 11 Insufficient cpu. "
        "preemption: 0/14 nodes are available: 10 No preemption victims found for incoming pod, "
        "4 Preemption is not helpful for scheduling."
    )


def test_a_pod_that_never_preempts() -> None:
    asking = pod("p", cpu="8", preemptionPolicy="Never")
    assert told(asking, [node("n")]) == (
        "0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never."
    )


def test_the_plugins_that_rejected_first_are_the_ones_to_wait_for() -> None:
    there = [cordoned(node("a", cpu="1")), node("b", cpu="1")]
    assert explain.plugins(decided(pod("p", cpu="2"), there)) == {"NodeUnschedulable", "NodeResourcesFit"}


def test_a_note_is_cut_to_what_an_event_holds() -> None:
    assert explain.note("x" * 1024) == "x" * 1024
    assert explain.note("x" * 2000) == "x" * 1020 + " ..."
