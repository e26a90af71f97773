"""The command answers why, as the administrator of the cluster."""

import pytest

from pybernetes.testing.command import Command


def test_a_pod_that_no_node_can_hold_is_explained(cluster: Command) -> None:
    cluster.kubectl("create", "namespace", "asked")
    limits = '--overrides={"spec": {"nodeSelector": {"disk": "ssd"}}}'
    cluster.kubectl("run", "picky", "-n", "asked", "--image=web:1", limits)
    told = cluster("why", "pod/picky", "-n", "asked")
    assert told.startswith("pod/picky is Pending: no node fits.")
    assert "  - label sim-1 disk=ssd: then it fits on sim-1" in told
    cluster.kubectl("delete", "namespace", "asked", "--wait=false")


@pytest.mark.parametrize(
    ("what", "told"),
    [("picky", "looks like pod/web"), ("pod/absent", 'pods "absent" not found'), ("cat/tom", 'resource type "cat"')],
)
def test_what_cannot_be_asked_is_told_in_a_line(cluster: Command, what: str, told: str) -> None:
    done = cluster.run("why", what)
    assert (done.returncode, len(done.stdout.splitlines())) == (1, 1)
    assert told in done.stdout
