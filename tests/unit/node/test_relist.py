from __future__ import annotations

from pybernetes.node import relist
from pybernetes.node.runtime import port

from .build import exited, running, sandbox, seen

LABELS = {port.POD_UID: "u", port.POD_NAME: "p", port.POD_NAMESPACE: "ns"}


def test_a_worker_that_has_seen_everything_is_left_alone() -> None:
    found = relist.by_pod([sandbox()], [running(labels=LABELS)])
    assert not relist.differs(seen(running()), found["u"])
    assert relist.differs(seen(exited()), found["u"])
    assert relist.differs(seen(running()), None)
    assert relist.differs(seen(running(), sandboxes=(sandbox(ready=False),)), found["u"])


def test_what_belongs_to_no_known_pod_is_told_as_a_pod_that_may_be_ended() -> None:
    grace = {port.GRACE_PERIOD: "7"}
    found = relist.by_pod([sandbox()], [running(labels=LABELS, annotations=grace), running("x", labels={})])
    assert list(relist.orphans(found, [], {"u"})) == []
    (pod,) = relist.orphans(found, [], set())
    assert pod["metadata"] == {"name": "p", "namespace": "ns", "uid": "u"}
    assert pod["spec"] == {"containers": [], "terminationGracePeriodSeconds": 7}


def test_a_directory_without_a_pod_is_one_too() -> None:
    (pod,) = relist.orphans({}, ["left", "known"], {"known"})
    assert pod["metadata"]["uid"] == "left"
