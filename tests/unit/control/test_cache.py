from __future__ import annotations

from typing import Any

from pybernetes.control.cache import Cache
from pybernetes.meta import selectors
from pybernetes.meta.objects import Obj


def pod(name: str, version: int = 1, namespace: str = "default", **metadata: Any) -> Obj:
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-{name}",
            "resourceVersion": str(version),
            **metadata,
        }
    }


def names(found: Any) -> list[str]:
    return sorted(obj["metadata"]["name"] for obj in found)


def test_objects_are_found_by_name_namespace_owner_and_label() -> None:
    cache = Cache()
    cache.put(pod("a", labels={"app": "web"}, ownerReferences=[{"uid": "rs"}]))
    cache.put(pod("b", labels={"app": "db"}))
    cache.put(pod("c", namespace="other", labels={"app": "web"}))
    assert cache.get("default", "a") is not None
    assert cache.get("other", "a") is None
    assert names(cache.list()) == ["a", "b", "c"]
    assert names(cache.list("default")) == ["a", "b"]
    assert names(cache.owned("rs")) == ["a"]
    assert names(cache.select("default", selectors.parse_labels("app=web"))) == ["a"]
    assert names(cache.select("default", selectors.parse_labels("app in (web,db)"))) == ["a", "b"]
    assert names(cache.select("default", selectors.EVERYTHING)) == ["a", "b"]
    assert cache.select("default", selectors.NOTHING) == ()


def test_an_index_follows_every_change() -> None:
    cache = Cache()
    cache.put(pod("a", labels={"app": "web"}, ownerReferences=[{"uid": "x"}]))
    assert names(cache.owned("x")) == names(cache.select("default", selectors.parse_labels("app=web"))) == ["a"]
    cache.put(pod("a", 2, labels={"app": "db"}, ownerReferences=[{"uid": "y"}]))
    assert names(cache.owned("x")) == names(cache.select("default", selectors.parse_labels("app=web"))) == []
    assert names(cache.owned("y")) == names(cache.select("default", selectors.parse_labels("app=db"))) == ["a"]
    cache.drop(pod("a", 3))
    assert names(cache.owned("y")) == names(cache.list("default")) == []


def test_a_component_may_index_by_what_it_likes() -> None:
    cache = Cache()
    cache.put({**pod("a"), "spec": {"nodeName": "n1"}})
    cache.put({**pod("b"), "spec": {"nodeName": "n2"}})

    def by_node(obj: Obj) -> list[str]:
        return [obj["spec"]["nodeName"]]

    assert names(cache.indexed(by_node, "n1")) == ["a"]


def test_a_new_list_tells_what_came_changed_and_went_and_nothing_else() -> None:
    cache = Cache()
    old = {name: pod(name) for name in ("same", "changed", "gone", "remade")}
    for obj in old.values():
        cache.put(obj)
    changed, new, remade = pod("changed", 2), pod("new", 3), pod("remade", 4, uid="another")
    deltas = cache.replace([pod("same"), changed, new, remade])
    assert sorted(deltas, key=str) == sorted(
        [(old["gone"], None), (old["remade"], None), (old["changed"], changed), (None, new), (None, remade)], key=str
    )
    assert cache.get("default", "same") is old["same"]


def test_the_end_of_an_object_that_was_never_seen_is_no_change() -> None:
    assert Cache().drop(pod("a")) is None
