"""Claims and volumes in a little world: in whatever order things happen, nobody's volume is ever given to another."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pybernetes.controllers.volumes import binder, protection
from pybernetes.meta import objects, volumes
from pybernetes.meta.objects import Obj
from pybernetes.testing.world import World

SIZES = ("1Gi", "2Gi", "3Gi")
MODES = (["ReadWriteOnce"], ["ReadWriteOnce", "ReadWriteMany"])
sizes, modes, names = st.sampled_from(SIZES), st.sampled_from(MODES), st.integers(0, 3)
ops = st.one_of(
    st.tuples(st.just("volume"), names, sizes, modes),
    st.tuples(st.just("claim"), names, sizes, modes),
    st.tuples(st.just("delete claim"), names, sizes, modes),
    st.tuples(st.just("delete volume"), names, sizes, modes),
)


def volume(number: int, size: str, modes: list[str]) -> Obj:
    spec = {"capacity": {"storage": size}, "accessModes": modes, "hostPath": {"path": "/x"}}
    return {"kind": "PersistentVolume", "apiVersion": "v1", "metadata": {"name": f"v{number}"}, "spec": spec}


def claim(number: int, size: str, modes: list[str]) -> Obj:
    spec = {"accessModes": modes, "storageClassName": "", "resources": {"requests": {"storage": size}}}
    metadata = {"name": f"c{number}", "namespace": "default"}
    return {"kind": "PersistentVolumeClaim", "apiVersion": "v1", "metadata": metadata, "spec": spec}


def change(here: World, op: str, number: int, size: str, modes: list[str]) -> None:
    resource, make = (volumes.VOLUMES, volume) if op.endswith("volume") else (volumes.CLAIMS, claim)
    obj = make(number, size, modes)
    found = here.api.objects.get(resource, objects.namespace(obj), objects.name(obj))
    if op.startswith("delete"):
        if found is not None:
            here.api.delete(resource, objects.namespace(obj), objects.name(obj))
    elif found is None:
        here.api.create(resource, obj)


def bindings(here: World) -> dict[str, str]:
    """Uid of a claim → the volume whose ``claimRef`` holds it. Fails where there are two."""
    found: dict[str, str] = {}
    for each in here.api.objects.list(volumes.VOLUMES):
        uid = volumes.claim_ref(each).get("uid")
        if uid:
            assert uid not in found, f"two volumes for one claim: {found[uid]} and {objects.name(each)}"
            found[uid] = objects.name(each)
    return found


def watched(here: World) -> None:
    """At every instant: a claim that is finished with a volume is the one that this names, and fits it."""
    for each in here.api.objects.list(volumes.CLAIMS):
        held = here.api.objects.get(volumes.VOLUMES, "", objects.get(each, "spec", "volumeName", default=""))
        if volumes.is_bound(each) and held is not None and volumes.phase(each) == "Bound":
            ref = volumes.claim_ref(held)
            assert not ref or volumes.is_for(held, each) or volumes.phase(each) == "Lost"


@given(changes=st.lists(ops, max_size=14), seed=st.integers(0, 2**32))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_in_the_end_claims_and_volumes_agree_and_nothing_that_fits_is_left(changes: list[Any], seed: int) -> None:
    here, chance = World([binder.CONTROLLER, protection.CLAIMS, protection.VOLUMES]), random.Random(seed)
    here.checks.append(lambda: watched(here))
    for each in changes:
        change(here, *each)
        for _ in range(chance.randrange(25)):
            if steps := here.steps():
                chance.choice(steps)()
    here.run(chance.randrange)
    held = bindings(here)
    free = [v for v in here.api.objects.list(volumes.VOLUMES) if not volumes.claim_ref(v)]
    for each in here.api.objects.list(volumes.CLAIMS):
        phase = volumes.phase(each)
        if phase == "Bound":
            assert held[objects.uid(each)] == each["spec"]["volumeName"]
            assert volumes.phase(here.api.get(volumes.VOLUMES, each["spec"]["volumeName"], "")) == "Bound"
        elif phase == "Pending":
            assert objects.uid(each) not in held
            assert volumes.find(each, free) is None
    for each in here.api.objects.list(volumes.VOLUMES):
        ref = volumes.claim_ref(each)
        if not ref:
            assert volumes.phase(each) == "Available"


@given(
    wanted=st.integers(1, 9),
    offered=st.lists(st.tuples(st.integers(1, 9), st.booleans(), st.booleans()), max_size=8),
)
def test_the_smallest_of_those_that_fit_is_found(wanted: int, offered: list[tuple[int, bool, bool]]) -> None:
    asking = claim(0, f"{wanted}Gi", ["ReadWriteOnce"])
    made = []
    for number, (size, available, taken) in enumerate(offered):
        each = {**volume(number, f"{size}Gi", ["ReadWriteOnce"]), "status": {"phase": "Available"}}
        if not available:
            each["status"] = {"phase": "Released"}
        made.append(objects.evolve(each, ("spec", "claimRef"), {"name": "other", "uid": "x"}) if taken else each)
    found = volumes.find(asking, made)
    fitting = [size for size, available, taken in offered if size >= wanted and available and not taken]
    assert (None if found is None else found["spec"]["capacity"]["storage"]) == (
        f"{min(fitting)}Gi" if fitting else None
    )
