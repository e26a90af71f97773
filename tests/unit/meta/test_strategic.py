"""Strategic merge patches do what kubectl means by them."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from pybernetes.kinds import schemas as data
from pybernetes.meta import errors, strategic
from pybernetes.meta.schema import Schemas

SCHEMAS = Schemas(data.definitions())
POD_SPEC = "io.k8s.api.core.v1.PodSpec"
META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
DEPLOYMENT = "io.k8s.api.apps.v1.DeploymentSpec"

A, B, C = ({"name": n, "image": n} for n in "abc")
PORTS = {"containers": [{"name": "a", "ports": [{"containerPort": 80, "name": "x"}]}]}

CASES: dict[str, tuple[str, Any, Any, Any]] = {
    "a map merges and null removes": (
        META, {"labels": {"a": "1", "b": "2"}}, {"labels": {"b": None, "c": "3"}}, {"labels": {"a": "1", "c": "3"}},
    ),
    "nulls of a new map are dropped": (META, {}, {"labels": {"a": None, "b": "1"}}, {"labels": {"b": "1"}}),
    "an element is found by its merge key": (
        POD_SPEC, {"containers": [A, B]}, {"containers": [{"name": "b", "image": "z"}]},
        {"containers": [A, {"name": "b", "image": "z"}]},
    ),
    "a new element comes first": (POD_SPEC, {"containers": [A, B]}, {"containers": [C]}, {"containers": [C, A, B]}),
    "an ordering directive places new elements": (
        POD_SPEC, {"containers": [A, B]},
        {"$setElementOrder/containers": [{"name": "a"}, {"name": "b"}, {"name": "c"}], "containers": [C]},
        {"containers": [A, B, C]},
    ),
    "an ordering directive alone only reorders": (
        POD_SPEC, {"containers": [A, B]}, {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]},
        {"containers": [B, A]},
    ),
    "what the server added keeps its place": (
        POD_SPEC, {"containers": [A, B, C]}, {"$setElementOrder/containers": [{"name": "c"}, {"name": "b"}]},
        {"containers": [A, C, B]},
    ),
    "an ordering directive without any list does nothing": (
        POD_SPEC, {}, {"$setElementOrder/containers": [{"name": "a"}]}, {},
    ),
    "an element is deleted by directive": (
        POD_SPEC, {"containers": [A, B]}, {"containers": [{"name": "a", "$patch": "delete"}]}, {"containers": [B]},
    ),
    "deleting what is not there adds nothing": (
        POD_SPEC, {}, {"volumes": [{"name": "a", "$patch": "delete"}]}, {"volumes": []},
    ),
    "a list is replaced by directive": (
        POD_SPEC, {"containers": [A, B]}, {"containers": [{"$patch": "replace"}, C]}, {"containers": [C]},
    ),
    "a map is replaced by directive": (
        META, {"labels": {"a": "1"}}, {"labels": {"$patch": "replace", "b": "2"}}, {"labels": {"b": "2"}},
    ),
    "a map is emptied by directive": (META, {"labels": {"a": "1"}}, {"labels": {"$patch": "delete"}}, {"labels": {}}),
    "lists of primitives with strategy merge are sets": (
        META, {"finalizers": ["a", "b"]}, {"finalizers": ["c", "b"]}, {"finalizers": ["c", "a", "b"]},
    ),
    "a primitive is deleted by directive": (
        META, {"finalizers": ["a", "b"]}, {"$deleteFromPrimitiveList/finalizers": ["a"]}, {"finalizers": ["b"]},
    ),
    "a list of primitives is ordered by directive": (
        META, {"finalizers": ["a", "b"]},
        {"$setElementOrder/finalizers": ["c", "b"], "$deleteFromPrimitiveList/finalizers": ["a"], "finalizers": ["c"]},
        {"finalizers": ["c", "b"]},
    ),
    "a list without strategy is replaced": (
        POD_SPEC, {"containers": [{"name": "a", "args": ["1", "2"]}]}, {"containers": [{"name": "a", "args": ["3"]}]},
        {"containers": [{"name": "a", "args": ["3"]}]},
    ),
    "retained keys drop all others": (
        DEPLOYMENT, {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}},
        {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}, {"strategy": {"type": "Recreate"}},
    ),
    "a volume changes its source by retained keys": (
        POD_SPEC, {"volumes": [{"name": "v", "emptyDir": {}}]},
        {"volumes": [{"$retainKeys": ["name", "secret"], "name": "v", "secret": {"secretName": "s"}}]},
        {"volumes": [{"name": "v", "secret": {"secretName": "s"}}]},
    ),
    "a merge key may be a number": (
        POD_SPEC, PORTS, {"containers": [{"name": "a", "ports": [{"containerPort": 80, "name": "y"}]}]},
        {"containers": [{"name": "a", "ports": [{"containerPort": 80, "name": "y"}]}]},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("definition", "original", "patch", "wanted"), CASES.values(), ids=CASES.keys())
def test_a_patch_gives_the_object_that_was_meant(definition: str, original: Any, patch: Any, wanted: Any) -> None:
    before = copy.deepcopy((original, patch))
    assert strategic.apply(SCHEMAS, definition, original, patch) == wanted
    assert (original, patch) == before


@pytest.mark.parametrize(
    ("patch", "code", "message"),
    [
        ({"containers": [{"image": "x", "ports": [{"containerPort": 80}]}]}, 500,
         "map: map[image:x ports:[map[containerPort:80]]] does not contain declared merge key: name"),
        ({"containers": [{"name": "a", "$patch": "merge"}]}, 500, "merging lists cannot yet be specified in the patch"),
        ({"containers": [{"name": "a", "$patch": "no"}]}, 500, "unknown patch type: no in map: map[$patch:no name:a]"),
        ({"$retainKeys": ["volumes"], "hostNetwork": True}, 400, "invalid patch format of retainKeys"),
        ({"$setElementOrder/containers": {}}, 400, "invalid patch format of setElementOrder list"),
        ({"$setElementOrder/containers": [], "containers": None}, 400,
         "invalid patch format of setElementOrder list"),
        ({"$setElementOrder/tolerations": [{"key": "a"}]}, 500, "lists of lists are not supported"),
        ({"$deleteFromPrimitiveList/x": {}}, 400, "invalid patch format of primitive list"),
        ({"$setElementOrder/containers": [{"name": "b"}], "containers": [{"name": "a"}]}, 500,
         "The order in patch list:\n[map[name:a]]\n doesn't match $setElementOrder list:\n[map[name:b]]\n"),
    ],
)  # fmt: skip
def test_a_patch_that_does_not_fit_is_refused_in_upstreams_words(patch: Any, code: int, message: str) -> None:
    with pytest.raises(errors.ApiError) as refused:
        strategic.apply(SCHEMAS, POD_SPEC, {"containers": [A]}, patch)
    assert (refused.value.http_code, refused.value.message) == (code, message)


def test_what_a_patch_leaves_alone_is_shared() -> None:
    original = {"metadata": {"labels": {}}, "spec": {"containers": [A, B], "volumes": []}}
    patch = {"spec": {"containers": [{"name": "b", "image": "z"}]}}
    patched = strategic.apply(SCHEMAS, "io.k8s.api.core.v1.Pod", original, patch)
    assert patched["metadata"] is original["metadata"]
    assert patched["spec"]["containers"][0] is A
