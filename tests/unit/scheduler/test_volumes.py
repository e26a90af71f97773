"""Where pods with claims may go: by the volumes that are bound, found or made, and by who uses them already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from pybernetes.meta import objects, volumes
from pybernetes.meta.objects import Obj
from pybernetes.scheduler import explain, podinfo, preempt, snapshot
from pybernetes.scheduler.decide import Decision, decide
from pybernetes.scheduler.plugins import volumes as plugin
from pybernetes.scheduler.snapshot import Snapshot
from pybernetes.scheduler.storage import Choice, Storage

from .build import node, pod

A, B, C = (node(name, labels={"zone": name}) for name in "abc")


def claim(name: str, size: str = "1Gi", *, bound: str = "", of: str = "late", **more: Any) -> Obj:
    metadata: Obj = {"name": name, "namespace": "default", "uid": f"uid-{name}", **more.pop("metadata", {})}
    spec = {"resources": {"requests": {"storage": size}}, "storageClassName": of, "accessModes": ["ReadWriteOnce"]}
    made = {"metadata": metadata, "spec": {**spec, **more}, "status": {"phase": "Pending"}}
    if not bound:
        return made
    return volumes.annotated(objects.evolve(made, ("spec", "volumeName"), bound), volumes.BIND_COMPLETED)


def volume(name: str, size: str = "1Gi", *nodes: str, of: str = "late", **labels: str) -> Obj:
    spec: Obj = {"capacity": {"storage": size}, "storageClassName": of, "accessModes": ["ReadWriteOnce"]}
    if nodes:
        terms = [{"matchExpressions": [{"key": "zone", "operator": "In", "values": [*nodes]}]}]
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": terms}}
    return {"metadata": {"name": name, "labels": labels}, "spec": spec, "status": {"phase": "Available"}}


def storage_class(name: str, provisioner: str = volumes.NO_PROVISIONER, **more: Any) -> Obj:
    waits = {"volumeBindingMode": "WaitForFirstConsumer"}
    return {"metadata": {"name": name}, "provisioner": provisioner, **waits, **more}


LATE, MADE = storage_class("late"), storage_class("made", "example.com/disk")


def storage(*objs: Obj) -> Storage:
    held = Storage()
    for obj in objs:
        spec = obj.get("spec") or {}
        cache = held.classes if "provisioner" in obj else held.volumes if "capacity" in spec else held.claims
        cache.put(obj)
    return held


def using(*claims: str, name: str = "p", on: str = "", **spec: Any) -> Obj:
    mounts = [{"name": c, "persistentVolumeClaim": {"claimName": c}} for c in claims]
    return pod(name, on, volumes=mounts, **spec)


def world(held: Storage, placed: Iterable[Obj] = (), nodes: Sequence[Obj] = (A, B, C)) -> Snapshot:
    made = Snapshot(held)
    for each in nodes:
        made.put_node(snapshot.node_info(each))
    for each in placed:
        made.put_pod(podinfo.of(each))
    return made


def decided(asking: Obj, held: Storage, placed: Iterable[Obj] = ()) -> Decision:
    return decide(world(held, placed), podinfo.of(asking), 0.0)


def told(asking: Obj, held: Storage, placed: Iterable[Obj] = ()) -> str:
    here, info = world(held, placed), podinfo.of(asking)
    decision = decide(here, info, 0.0)
    assert decision.node is None
    return explain.message(decision, preempt.preempt(here, info, decision).why_not)


def chosen(asking: Obj, held: Storage, where: str) -> dict[str, str]:
    """Claim → the volume that it gets on a node; empty for one that is to be made."""
    found = plugin.choose(world(held), podinfo.of(asking), where)
    assert found is not None
    static = {objects.name(c): objects.name(v) for c, v in found.static}
    return static | {objects.name(c): "" for c in found.provision}


NOT_HELPFUL = "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."


@pytest.mark.parametrize(
    ("held", "why"),
    [
        (storage(), 'persistentvolumeclaim "c" not found'),
        (storage(claim("c", of="")), "pod has unbound immediate PersistentVolumeClaims"),
        (storage(LATE, claim("c", volumeName="v")), "pod has unbound immediate PersistentVolumeClaims"),
        (
            storage(claim("c", bound="v", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})),
            'persistentvolumeclaim "c" is being deleted',
        ),
        (
            storage({**claim("c", volumeName="v"), "status": {"phase": "Lost"}}),
            'persistentvolumeclaim "c" bound to non-existent persistentvolume "v"',
        ),
    ],
)
def test_a_claim_without_hope_rejects_all_nodes_in_one_sentence(held: Storage, why: str) -> None:
    full = [pod(f"full-{n}", n, cpu="4") for n in "abc"]
    assert told(using("c", cpu="1"), held, full) == f"0/3 nodes are available: {why}. {NOT_HELPFUL}"


def test_a_pod_waits_for_its_ephemeral_claim_and_takes_nobody_elses() -> None:
    asking = pod("p", volumes=[{"name": "v", "ephemeral": {"volumeClaimTemplate": {}}}])
    assert "waiting for ephemeral volume controller to create the persistentvolumeclaim" in told(asking, storage())
    assert 'PVC "default/p-v" was not created for pod "default/p"' in told(asking, storage(claim("p-v")))


def test_a_bound_claim_keeps_the_pod_where_its_volume_is() -> None:
    held = storage(claim("c", bound="v"), volume("v", "1Gi", "b"))
    assert decided(using("c"), held).node == "b"
    pinned = using("c", nodeSelector={"zone": "a"})
    reasons = "1 node(s) had volume node affinity conflict, 2 node(s) didn't match Pod's node affinity/selector"
    assert told(pinned, held) == f"0/3 nodes are available: {reasons}. {NOT_HELPFUL}"


def test_a_bound_claim_whose_volume_is_gone_rejects_every_node() -> None:
    reason = "3 node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"
    assert reason in told(using("c"), storage(claim("c", bound="v")))


def test_a_claim_that_waits_gets_the_smallest_volume_of_the_node() -> None:
    held = storage(
        LATE, claim("c"), volume("large", "9Gi", "a"), volume("small", "2Gi", "a"), volume("other", "1Gi", "b"),
        volume("tiny", "1Mi", "c"),
    )  # fmt: skip
    assert chosen(using("c"), held, "a") == {"c": "small"}
    assert chosen(using("c"), held, "b") == {"c": "other"}
    assert "1 node(s) didn't find available persistent volumes to bind" in told(
        using("c", nodeSelector={"zone": "c"}), held
    )


def test_each_claim_of_a_pod_needs_a_volume_of_its_own() -> None:
    held = storage(
        LATE,
        claim("x"),
        claim("y", "2Gi"),
        volume("a1", "5Gi", "a"),
        volume("b1", "1Gi", "b"),
        volume("b2", "3Gi", "b"),
    )
    assert decided(using("x", "y"), held).node == "b"
    assert chosen(using("x", "y"), held, "b") == {"x": "b1", "y": "b2"}


def test_a_class_with_a_provisioner_makes_what_is_not_found() -> None:
    held = storage(MADE, claim("c", of="made"), volume("there", "1Gi", "b", of="made"))
    assert chosen(using("c"), held, "b") == {"c": "there"}
    assert chosen(using("c"), held, "a") == {"c": ""}


def test_volumes_are_made_only_where_the_class_allows_it() -> None:
    allowed = [{"matchLabelExpressions": [{"key": "zone", "values": ["c"]}]}]
    held = storage({**MADE, "allowedTopologies": allowed}, claim("c", of="made"))
    assert decided(using("c"), held).node == "c"


def test_what_a_decision_has_taken_is_no_other_pods() -> None:
    wanted = claim("c")
    held = storage(LATE, wanted, claim("d"), volume("v", "1Gi", "a"))
    held.assume("uid-q", Choice("a", ((wanted, volume("v", "1Gi", "a")),)))
    assert "didn't find available persistent volumes to bind" in told(using("d"), held)
    assert decided(using("c"), held).node == "a"
    held.forget("uid-q")
    assert decided(using("d"), held).node == "a"


def test_pods_of_one_claim_follow_the_first_decision() -> None:
    wanted = claim("c", of="made")
    held = storage(MADE, wanted)
    held.assume("uid-q", Choice("b", (), (wanted,)))
    assert decided(using("c"), held).node == "b"
    held.forget("uid-q")
    settled = claim("c", of="made", metadata={"annotations": {volumes.SELECTED_NODE: "c"}})
    assert decided(using("c"), storage(MADE, settled)).node == "c"


def test_a_claim_for_one_pod_rejects_a_second_that_may_preempt_the_first() -> None:
    held = storage(claim("c", bound="v", accessModes=["ReadWriteOncePod"]), volume("v"))
    holder = using("c", name="q", on="b")
    text = "3 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"
    assert text in told(using("c"), held, [holder])
    here, info = world(held, [holder]), podinfo.of(using("c", priority=9))
    found = preempt.preempt(here, info, decide(here, info, 0.0))
    assert found.chosen is not None
    assert (found.chosen.node, [v.name for v in found.chosen.victims]) == ("b", ["q"])


def test_a_node_holds_no_more_volumes_of_a_driver_than_it_says() -> None:
    def disk(name: str) -> Obj:
        source = {"driver": "disk.example.com", "volumeHandle": name}
        return objects.evolve(volume(name), ("spec", "csi"), source)

    held = storage(claim("c", bound="v"), disk("v"), claim("d", bound="w"), disk("w"))
    limits = [{"name": "disk.example.com", "nodeID": "b", "allocatable": {"count": 1}}]
    held.limit({"metadata": {"name": "b"}, "spec": {"drivers": limits}})
    there = using("d", name="q", on="b")
    pinned = using("c", nodeSelector={"zone": "b"})
    assert "1 node(s) exceed max volume count" in told(pinned, held, [there])
    assert decided(using("d", nodeSelector={"zone": "b"}), held, [there]).node == "b"  # the same volume counts once


def test_a_volume_of_a_zone_is_used_in_that_zone() -> None:
    zone = "topology.kubernetes.io/zone"
    held = storage(claim("c", bound="v"), volume("v", **{zone: "z1__z2"}))
    nodes = [node("x", labels={zone: "z2"}), node("y", labels={zone: "z3"}), node("anywhere")]
    decision = decide(world(held, nodes=nodes), podinfo.of(using("c")), 0.0)
    assert explain.reasons(decision) == {"node(s) had no available volume zone": 1}
