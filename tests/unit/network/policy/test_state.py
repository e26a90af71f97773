"""Which pods the kernel may know, and what one change touches."""

from __future__ import annotations

from typing import Any

from pybernetes.meta.objects import Obj
from pybernetes.network.policy import render
from pybernetes.network.policy.allowance import StandIn
from pybernetes.network.policy.model import Pod
from pybernetes.network.policy.state import PolicyState
from pybernetes.network.ruleset import NOTHING, compose
from pybernetes.testing.filter import Filter, Packet

DNS = StandIn(
    Pod("kube-system", {"k8s-app": "kube-dns"}, "172.30.77.11", frozenset({("dns", "udp", 53)})), "10.96.0.10", 10053
)


def pod(name: str, address: str = "", *, uid: str = "1", node: str = "n", phase: str = "Running", **labels: str) -> Obj:
    return {
        "metadata": {"namespace": "x", "name": name, "uid": uid, "labels": labels},
        "spec": {"nodeName": node, "containers": []},
        "status": {"podIP": address, "phase": phase},
    }


def policy(**spec: Any) -> Obj:
    return {"metadata": {"namespace": "x", "name": "p"}, "spec": {"podSelector": {}, **spec}}


def known(state: PolicyState, *names: str) -> set[str]:
    return {k for name in names for s, k in state.fragment(("pod", "x", name)).elements if s == "known"}


def test_a_pod_is_known_from_its_admission_on_whatever_the_api_knows() -> None:
    state = PolicyState("n")
    state.put_pod(None, pod("a"))
    assert known(state, "a") == set()
    assert state.admit(("x", "a"), "1", "10.0.0.2") == {("pod", "x", "a")}
    assert known(state, "a") == {"10.0.0.2"}
    state.put_pod(None, pod("a", app="web"))
    assert known(state, "a") == {"10.0.0.2"}
    assert state.put_pod(pod("a"), None) == {("pod", "x", "a")}
    assert known(state, "a") == set()


def test_an_address_that_goes_on_to_another_pod_is_the_other_ones() -> None:
    state = PolicyState("n")
    old = pod("old", "10.0.0.2", isolated="yes")
    state.put_policy(None, policy(podSelector={"matchLabels": {"isolated": "yes"}}))
    state.put_pod(None, old)
    state.put_pod(None, pod("new"))
    assert state.admit(("x", "new"), "1", "10.0.0.2") >= {("pod", "x", "old"), ("pod", "x", "new")}
    state.put_pod(None, {**old, "status": {**old["status"], "reason": "late"}})
    assert known(state, "old") == set()
    rules = compose({name: state.fragment(("pod", "x", name)) for name in ("old", "new")})
    assert ("ingress", "10.0.0.2") not in rules.elements


def test_a_pod_of_the_same_name_is_not_taken_for_the_one_before() -> None:
    state = PolicyState("n")
    state.put_pod(None, pod("web-0"))
    state.admit(("x", "web-0"), "1", "10.0.0.2")
    state.put_pod(None, pod("web-0", uid="2"))
    assert known(state, "web-0") == set()
    state.admit(("x", "web-0"), "2", "10.0.0.3")
    assert known(state, "web-0") == {"10.0.0.3"}


def test_a_pod_at_its_end_gives_its_address_back() -> None:
    state = PolicyState("n")
    state.put_pod(None, pod("a"))
    state.admit(("x", "a"), "1", "10.0.0.2")
    state.put_pod(None, pod("a", "10.0.0.2", phase="Succeeded"))
    assert known(state, "a") == set()


def test_a_pod_elsewhere_touches_only_the_policies_that_mean_it() -> None:
    state = PolicyState("n")
    state.put_pod(None, pod("a", "10.0.0.2"))
    state.put_policy(None, policy(ingress=[{"from": [{"podSelector": {"matchLabels": {"friend": "yes"}}}]}]))
    before = state.fragment(("policy", "x", "p"))
    assert state.put_pod(None, pod("b", "10.1.0.2", node="m")) == set()
    assert state.put_pod(None, pod("c", "10.1.0.3", node="m", friend="yes")) == {("policy", "x", "p")}
    script = render.table("10.0.0.0/24").difference(before, state.fragment(("policy", "x", "p")))
    assert script == "add element ip pybernetes-policy ingress/x/p/0/pods { 10.1.0.3 }\n"


def test_a_policy_that_selects_no_pod_of_this_node_costs_nothing() -> None:
    state = PolicyState("n")
    state.put_pod(None, pod("b", "10.1.0.2", node="m"))
    state.put_policy(None, policy())
    assert state.fragment(("policy", "x", "p")) == NOTHING


def test_dns_is_met_where_the_node_serves_it_by_whoever_may_ask_its_pods() -> None:
    state = PolicyState("n", [DNS])
    state.put_namespace(None, {"metadata": {"name": "kube-system", "labels": {"name": "kube-system"}}})
    state.put_pod(None, pod("a", "10.0.0.2"))
    question = Packet("10.0.0.2", "172.30.77.11", "udp", 10053)

    def may_ask(*egress: Obj) -> bool:
        state.put_policy(None, policy(policyTypes=["Egress"], egress=list(egress)))
        subjects = [("pod", "x", "a"), ("policy", "x", "p")]
        return Filter(compose({s: state.fragment(s) for s in subjects})).may_leave(question)  # type: ignore[arg-type]

    dns_pods = {"namespaceSelector": {}, "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}
    port = {"protocol": "UDP", "port": 53}
    assert not may_ask()
    assert may_ask({})
    assert may_ask({"ports": [port]})
    assert may_ask({"to": [dns_pods], "ports": [port]})
    assert may_ask({"to": [{"ipBlock": {"cidr": "10.96.0.10/32"}}]})
    assert not may_ask({"to": [dns_pods], "ports": [{"protocol": "UDP", "port": 54}]})
    assert not may_ask({"to": [{"podSelector": {}}]})


def test_a_long_name_becomes_one_that_the_kernel_takes() -> None:
    state = PolicyState("n")
    state.put_pod(None, pod("a", "10.0.0.2"))
    state.put_policy(None, {"metadata": {"namespace": "x", "name": "p" * 253}, "spec": {"podSelector": {}}})
    assert [len(c) < 64 for c in state.fragment(("policy", "x", "p" * 253)).chains] == [True]
