from __future__ import annotations

from typing import Any

from pybernetes.kinds import schemas
from pybernetes.meta import strategic
from pybernetes.meta.objects import Obj
from pybernetes.meta.schema import Schemas
from pybernetes.node.statuspatch import changes

POD = "io.k8s.api.core.v1.Pod"


def pod(**status: Any) -> Obj:
    return {"metadata": {"name": "p", "uid": "u"}, "status": status}


def patched(before: Obj, wanted: Obj) -> Obj:
    patch = changes(before, wanted)
    assert patch is not None and patch["metadata"] == {"uid": "u"}
    after: Obj = strategic.apply(Schemas(schemas.definitions()), POD, before, patch)["status"]
    return after


def test_nothing_is_sent_where_nothing_differs() -> None:
    told = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True", "lastProbeTime": None}]}
    assert changes(pod(**told), told) is None
    assert changes(pod(phase="Running", conditions=[{"type": "Ready", "status": "True"}]), told) is None


def test_conditions_of_others_stay_and_old_reasons_go() -> None:
    before = pod(
        conditions=[
            {"type": "x/y", "status": "True"},
            {"type": "Ready", "status": "False", "reason": "ContainersNotReady", "message": "why"},
        ]
    )
    after = patched(before, {"conditions": [{"type": "Ready", "status": "True"}]})
    assert {c["type"]: c for c in after["conditions"]} == {
        "x/y": {"type": "x/y", "status": "True"},
        "Ready": {"type": "Ready", "status": "True"},
    }


def test_a_condition_that_others_added_to_is_not_sent_again() -> None:
    known = {"type": "Ready", "status": "True", "observedGeneration": 3}
    assert changes(pod(conditions=[known]), {"conditions": [{"type": "Ready", "status": "True"}]}) is None


def test_an_old_address_is_taken_away() -> None:
    before = pod(podIP="10.0.0.1", podIPs=[{"ip": "10.0.0.1"}])
    after = patched(before, {"podIP": "10.0.0.2", "podIPs": [{"ip": "10.0.0.2"}]})
    assert (after["podIP"], after["podIPs"]) == ("10.0.0.2", [{"ip": "10.0.0.2"}])


def test_container_statuses_are_replaced_whole() -> None:
    before = pod(containerStatuses=[{"name": "c", "state": {"waiting": {"reason": "ContainerCreating"}}}])
    wanted = {"containerStatuses": [{"name": "c", "state": {"running": {"startedAt": "x"}}}]}
    assert patched(before, wanted)["containerStatuses"] == wanted["containerStatuses"]


def test_a_reason_that_no_longer_holds_is_taken_away() -> None:
    assert "reason" not in patched(pod(reason="DeadlineExceeded", phase="Failed"), {"phase": "Failed"})
