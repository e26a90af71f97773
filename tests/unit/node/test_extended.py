"""Resources given to a node by hand become what its pods may have, and go again."""

import pytest

from pybernetes.meta.objects import Obj
from pybernetes.node import extended

DONGLE = "example.com/dongle"


def node(capacity: dict[str, str], allocatable: dict[str, str]) -> Obj:
    return {"status": {"capacity": {"cpu": "4", **capacity}, "allocatable": {"cpu": "3", **allocatable}}}


def test_what_the_node_has_its_pods_may_have() -> None:
    given = node({DONGLE: "4"}, {})
    assert extended.allocatable(given) == {DONGLE: "4"}
    assert not extended.is_told(given)
    assert extended.is_told(node({DONGLE: "4"}, {DONGLE: "4"}))


def test_what_the_node_has_no_more_goes() -> None:
    taken = node({}, {DONGLE: "4"})
    assert extended.allocatable(taken) == {DONGLE: None}
    assert not extended.is_told(taken)


@pytest.mark.parametrize("name", ["cpu", "hugepages-2Mi", "kubernetes.io/batch-cpu", "x.kubernetes.io/y"])
def test_native_resources_are_the_agents_own_matter(name: str) -> None:
    assert not extended.is_extended(name)
