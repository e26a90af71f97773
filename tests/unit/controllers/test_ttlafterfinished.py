from __future__ import annotations

from typing import Any

from pybernetes.control.actions import After, Delete
from pybernetes.controllers.ttlafterfinished import CONTROLLER
from pybernetes.meta.objects import Obj

from . import build
from .build import NOW, ago


def job(ttl: int | None, ended: float | None) -> Obj:
    conditions = [] if ended is None else [{"type": "Failed", "status": "True", "lastTransitionTime": ago(ended)}]
    metadata = {**build.metadata("web"), "resourceVersion": "7"}
    return {"metadata": metadata, "spec": {"ttlSecondsAfterFinished": ttl}, "status": {"conditions": conditions}}


def plan(obj: Obj) -> list[Any]:
    return list(CONTROLLER.plan(build.Snapshot(**{"jobs.batch": [obj]}), build.key(), NOW))


def test_a_finished_job_goes_with_its_pods_when_its_time_is_over() -> None:
    delete = plan(job(60, 60))[0]
    assert isinstance(delete, Delete)
    assert (delete.name, delete.uid, delete.resource_version) == ("web", "uid-web", "7")
    assert delete.propagation == "Foreground"


def test_until_then_it_is_waited_for() -> None:
    assert plan(job(60, 15)) == [After(45)]


def test_a_job_that_runs_or_has_no_such_limit_stays() -> None:
    assert plan(job(60, None)) == plan(job(None, 60)) == []
