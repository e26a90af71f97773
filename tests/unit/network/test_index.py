"""Services and their EndpointSlices find each other, whichever comes first."""

from __future__ import annotations

from pybernetes.meta.objects import Obj
from pybernetes.network.index import SERVICES, SLICES, ServiceIndex

KEY = ("default", "web")


def service(name: str = "web") -> Obj:
    return {"kind": "Service", "metadata": {"namespace": "default", "name": name}}


def endpoint_slice(name: str, owner: str | None = "web") -> Obj:
    labels = {"kubernetes.io/service-name": owner} if owner else {}
    return {"kind": "EndpointSlice", "metadata": {"namespace": "default", "name": name, "labels": labels}}


def test_slices_may_come_before_their_service() -> None:
    index = ServiceIndex()
    assert index.apply(SLICES, [(None, endpoint_slice("web-b")), (None, endpoint_slice("web-a"))]) == {KEY}
    assert index.service(KEY) is None
    assert index.apply(SERVICES, [(None, service())]) == {KEY}
    assert [s["metadata"]["name"] for s in index.slices(KEY)] == ["web-a", "web-b"]
    assert list(index) == [KEY]


def test_a_slice_that_changes_its_owner_touches_both() -> None:
    index = ServiceIndex()
    old, new = endpoint_slice("s"), endpoint_slice("s", "api")
    index.apply(SLICES, [(None, old)])
    assert index.apply(SLICES, [(old, new)]) == {KEY, ("default", "api")}
    assert index.slices(KEY) == []
    assert index.slices(("default", "api")) == [new]


def test_what_is_gone_is_forgotten() -> None:
    index = ServiceIndex()
    index.apply(SERVICES, [(None, service())])
    index.apply(SLICES, [(None, endpoint_slice("s"))])
    assert index.apply(SLICES, [(endpoint_slice("s"), None)]) == {KEY}
    assert index.apply(SERVICES, [(service(), None)]) == {KEY}
    assert index.service(KEY) is None
    assert index.slices(KEY) == []


def test_a_slice_without_owner_belongs_to_nobody() -> None:
    assert ServiceIndex().apply(SLICES, [(None, endpoint_slice("s", None))]) == set()
