"""Services in a little world: in whatever order things happen, Endpoints and slices end up telling the same truth."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pybernetes.controllers import endpoints, endpointslice, pods, replicaset
from pybernetes.controllers.endpointslicepacking import pack
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.testing.podlife import NODE, PodLife
from pybernetes.testing.world import World

APPS = ("a", "b")
ops = st.one_of(
    st.tuples(st.just("replicas"), st.sampled_from(APPS), st.integers(0, 5)),
    st.tuples(st.just("selector"), st.sampled_from(APPS), st.none()),
    st.tuples(st.just("kill"), st.integers(0, 9), st.none()),
    st.tuples(st.just("unready"), st.integers(0, 9), st.none()),
)


def world() -> World:
    made = World([replicaset.CONTROLLER, endpoints.CONTROLLER, endpointslice.CONTROLLER], [PodLife(is_healthy)])
    made.api.create("nodes", {"metadata": {"name": NODE}})
    for app in APPS:
        template = {"metadata": {"labels": {"app": app}}, "spec": {"containers": [{"name": "main"}]}}
        spec = {"replicas": 1, "selector": {"matchLabels": {"app": app}}, "template": template}
        metadata = {"name": app, "namespace": "default"}
        made.api.create(
            "replicasets.apps", {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": spec}
        )
    service = {"selector": {"app": "a"}, "ports": [{"port": 80, "targetPort": 8080}], "clusterIP": "10.96.0.7"}
    made.api.create("services", {"metadata": {"name": "web", "namespace": "default"}, "spec": service})
    return made


def is_healthy(pod: Obj) -> bool:
    return "broken" not in objects.annotations(pod)


def change(here: World, op: str, what: Any, value: Any) -> None:
    if op == "replicas":
        owner = here.api.get("replicasets.apps", what)
        here.api.update("replicasets.apps", objects.evolve(owner, ("spec", "replicas"), value))
    elif op == "selector":
        service = here.api.get("services", "web")
        here.api.update("services", objects.evolve(service, ("spec", "selector"), {"app": what}))
    elif found := here.api.objects.list("pods"):
        pod = found[what % len(found)]
        if op == "kill":
            here.api.delete("pods", "default", objects.name(pod))
        else:
            broken = objects.evolve(pod, ("metadata", "annotations"), {"broken": "yes"})
            here.api.update("pods", broken)
            here.api.update(
                "pods", objects.evolve(here.api.get("pods", objects.name(pod)), ("status", "conditions"), []), "status"
            )


def selected(here: World) -> dict[str, bool]:
    """Address → readiness of the pods that the Service selects."""
    app = here.api.get("services", "web")["spec"]["selector"]["app"]
    found = (pod for pod in here.api.objects.list("pods") if objects.labels(pod)["app"] == app)
    return {ip: pods.is_ready(pod) for pod in found if (ip := objects.get(pod, "status", "podIP"))}


@given(changes=st.lists(ops, max_size=8), seed=st.integers(0, 2**32))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_both_lists_end_up_telling_which_pods_are_ready(changes: list[tuple[str, Any, Any]], seed: int) -> None:
    here, chance = world(), random.Random(seed)
    for each in changes:
        change(here, *each)
        for _ in range(chance.randrange(20)):
            if steps := here.steps():
                chance.choice(steps)()
    here.run(chance.randrange)
    told = here.api.get("endpoints", "web").get("subsets") or []
    listed = {a["ip"]: ready for s in told for f, ready in _FIELDS for a in s.get(f, ())}
    sliced = [e for each in here.api.objects.list(endpointslice.SLICES) for e in each["endpoints"]]
    assert listed == selected(here)
    assert sorted((e["addresses"][0], e["conditions"]["ready"]) for e in sliced) == sorted(listed.items())


_FIELDS = (("addresses", True), ("notReadyAddresses", False))


@given(
    before=st.lists(st.lists(st.integers(0, 40), max_size=5, unique=True), max_size=6),
    wanted=st.sets(st.integers(0, 40)),
)
def test_packing_holds_what_is_wanted_once_and_leaves_what_need_not_change(
    before: list[list[int]], wanted: set[int]
) -> None:
    existing = [
        {"metadata": {"name": f"s{n}"}, "endpoints": [{"addresses": [str(i)]} for i in numbers]}
        for n, numbers in enumerate(before)
    ]
    packed = pack(existing, [{"addresses": [str(i)]} for i in sorted(wanted)], most=5)
    slices = [*packed.created, *packed.changed.values(), *packed.kept.values()]
    assert sorted(int(e["addresses"][0]) for each in slices for e in each) == sorted(wanted)
    assert all(0 < len(each) <= 5 for each in slices)
    for each in existing:
        name = each["metadata"]["name"]
        assert (name in packed.kept) + (name in packed.changed) + (name in packed.deleted) == 1
        assert name not in packed.kept or packed.kept[name] == each["endpoints"]
