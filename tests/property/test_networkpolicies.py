"""Every pod to every pod by every port, whatever the policies: the rules decide as the API's words do.

The words are read here once more, straight from the objects; the rules by ``testing/filter.py``. A state that grew by
changes in any order must have the rules of one that was told at once.
"""

from __future__ import annotations

import ipaddress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pybernetes.meta import objects, selectors
from pybernetes.meta.objects import Obj
from pybernetes.network.policy.state import PolicyState
from pybernetes.network.ruleset import NOTHING, Fragment, compose
from pybernetes.testing.filter import Filter, Packet

NAMESPACES = {"x": {"ns": "x", "team": "a"}, "y": {"ns": "y", "team": "a"}, "z": {"ns": "z"}}
PORTS = [("tcp", 80), ("tcp", 81), ("udp", 81)]
LABELS = st.dictionaries(st.sampled_from(["pod", "tier"]), st.sampled_from(["a", "b"]), max_size=2)


def selector() -> st.SearchStrategy[Obj]:
    keys = st.sampled_from(["pod", "tier", "ns", "team"])
    expression = st.fixed_dictionaries(
        {"key": keys, "operator": st.sampled_from(["In", "NotIn"]), "values": st.just(["a", "x"])}
    ) | st.fixed_dictionaries({"key": keys, "operator": st.sampled_from(["Exists", "DoesNotExist"])})
    return st.one_of(
        st.just({}),
        st.fixed_dictionaries({"matchLabels": st.dictionaries(keys, st.sampled_from(["a", "b", "x"]), max_size=1)}),
        st.fixed_dictionaries({"matchExpressions": st.lists(expression, max_size=1)}),
    )


BLOCKS = st.fixed_dictionaries(
    {"cidr": st.sampled_from(["10.0.0.0/24", "10.0.0.0/30"])},
    optional={"except": st.just(["10.0.0.2/32", "10.0.0.4/31"])},
)
PEERS = st.fixed_dictionaries({"ipBlock": BLOCKS}) | st.fixed_dictionaries(
    {}, optional={"podSelector": selector(), "namespaceSelector": selector()}
).filter(bool)
POLICY_PORTS = st.one_of(
    st.fixed_dictionaries({"protocol": st.sampled_from(["TCP", "UDP"])}, optional={"port": st.sampled_from([80, 81])}),
    st.just({"protocol": "TCP", "port": 79, "endPort": 81}),
    st.sampled_from(["serve-80", "serve-81"]).map(lambda name: {"protocol": "TCP", "port": name}),
)


def rules(peers: str) -> st.SearchStrategy[list[Obj]]:
    rule = st.fixed_dictionaries(
        {}, optional={peers: st.lists(PEERS, max_size=2), "ports": st.lists(POLICY_PORTS, max_size=2)}
    )
    return st.lists(rule, max_size=2)


@st.composite
def policies(draw: Any) -> list[Obj]:
    specs = draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "podSelector": selector(),
                    "policyTypes": st.sampled_from([["Ingress"], ["Egress"], ["Ingress", "Egress"]]),
                    "ingress": rules("from"),
                    "egress": rules("to"),
                }
            ),
            max_size=4,
        )
    )
    return [
        {"metadata": {"name": f"p{i}", "namespace": draw(st.sampled_from(sorted(NAMESPACES)))}, "spec": spec}
        for i, spec in enumerate(specs)
    ]


@st.composite
def pods(draw: Any) -> list[Obj]:
    found = []
    for index in range(1, 7):
        ports = [{"name": f"serve-{80 + index % 2}", "containerPort": 80 + index % 2, "protocol": "TCP"}]
        found.append(
            {
                "metadata": {
                    "name": f"pod{index}", "uid": str(index), "labels": draw(LABELS),
                    "namespace": draw(st.sampled_from(sorted(NAMESPACES))),
                },
                "spec": {"nodeName": "n", "containers": [{"name": "c", "ports": ports}]},
                "status": {"podIP": f"10.0.0.{index}", "phase": "Running"},
            }
        )  # fmt: skip
    return found


def composed(state: PolicyState, subjects: set[Any]) -> Fragment:
    return compose({s: f for s in subjects if (f := state.fragment(s)) != NOTHING})


def told(pods: list[Obj], policies: list[Obj]) -> Fragment:
    state, subjects = PolicyState("n"), set()
    for name, labels in NAMESPACES.items():
        subjects |= state.put_namespace(None, {"metadata": {"name": name, "labels": labels}})
    for pod in pods:
        subjects |= state.put_pod(None, pod)
    for policy in policies:
        subjects |= state.put_policy(None, policy)
    return composed(state, subjects)


# ── the words of the API ─────────────────────────────────────────────────────────────────────────────────


def is_allowed(policies: list[Obj], source: Obj, target: Obj, protocol: str, port: int) -> bool:
    if source is target:
        return True
    sides = (("Ingress", "ingress", "from", target, source), ("Egress", "egress", "to", source, target))
    for type_, side, peers, subject, other in sides:
        isolating = [p for p in policies if type_ in p["spec"]["policyTypes"] and selects(p, subject)]
        found = [rule for p in isolating for rule in p["spec"][side] if meant(p, rule.get(peers), other)
                 and open_(rule.get("ports"), target, protocol, port)]  # fmt: skip
        if isolating and not found:
            return False
    return True


def selects(policy: Obj, pod: Obj) -> bool:
    same = objects.namespace(policy) == objects.namespace(pod)
    return same and matches(policy["spec"]["podSelector"], objects.labels(pod))


def matches(selector: Obj, labels: dict[str, str]) -> bool:
    return selectors.from_label_selector(selector).matches(labels)


def meant(policy: Obj, peers: list[Obj] | None, pod: Obj) -> bool:
    for peer in peers or ():
        if block := peer.get("ipBlock"):
            address = ipaddress.ip_address(pod["status"]["podIP"])
            excepted = any(address in ipaddress.ip_network(e) for e in block.get("except", ()))
            if address in ipaddress.ip_network(block["cidr"]) and not excepted:
                return True
            continue
        namespace = objects.namespace(pod)
        in_namespace = (
            matches(peer["namespaceSelector"], NAMESPACES[namespace])
            if "namespaceSelector" in peer
            else namespace == objects.namespace(policy)
        )
        if in_namespace and matches(peer.get("podSelector", {}), objects.labels(pod)):
            return True
    return not peers


def open_(ports: list[Obj] | None, target: Obj, protocol: str, port: int) -> bool:
    declared = {p["name"]: p["containerPort"] for p in target["spec"]["containers"][0]["ports"]}
    for each in ports or ():
        if each["protocol"].lower() != protocol:
            continue
        asked = each.get("port")
        first = declared.get(asked, -1) if isinstance(asked, str) else asked
        if first is None or first <= port <= each.get("endPort", first):
            return True
    return not ports


# ── properties ───────────────────────────────────────────────────────────────────────────────────────────


@given(pods(), policies())
@settings(max_examples=150, deadline=None)
def test_rules_decide_as_the_policies_say(pods: list[Obj], policies: list[Obj]) -> None:
    kernel = Filter(told(pods, policies))
    for source in pods:
        for target in pods:
            for protocol, port in PORTS:
                packet = Packet(source["status"]["podIP"], target["status"]["podIP"], protocol, port)
                assert kernel.passes(packet) == is_allowed(policies, source, target, protocol, port), packet


@given(pods(), policies(), st.lists(st.tuples(st.integers(0, 5), LABELS, st.booleans()), max_size=6), st.booleans())
@settings(max_examples=100, deadline=None)
def test_changes_lead_where_telling_it_at_once_does(
    pods: list[Obj], policies: list[Obj], changes: list[tuple[int, dict[str, str], bool]], drop: bool
) -> None:
    state = PolicyState("n")
    fragments: dict[Any, Fragment] = {}

    def tell(subjects: set[Any]) -> None:
        fragments.update({subject: state.fragment(subject) for subject in subjects})

    for policy in policies:
        tell(state.put_policy(None, policy))
    for pod in pods:
        tell(state.put_pod(None, pod))
    for name, labels in NAMESPACES.items():
        tell(state.put_namespace(None, {"metadata": {"name": name, "labels": labels}}))
    now = {objects.name(pod): pod for pod in pods}
    for index, labels, is_gone in changes:
        old = now.pop(f"pod{index + 1}", None)
        new = None if is_gone else objects.evolve(pods[index], ("metadata", "labels"), labels)
        if new is not None:
            now[objects.name(new)] = new
        if old is not None or new is not None:
            tell(state.put_pod(old, new))
    if drop and policies:
        tell(state.put_policy(policies[0], None))
        policies = policies[1:]
    assert compose(fragments) == told(list(now.values()), policies)
