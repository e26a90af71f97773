"""Patches and applies do for every object what they do for the examples."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pybernetes.kinds import schemas as data
from pybernetes.meta import apply, fieldmerge, fieldschema, fieldset, mergepatch, strategic
from pybernetes.meta.schema import Schemas

SCHEMAS = Schemas(data.definitions())
POD = "io.k8s.api.core.v1.Pod"
TYPE = fieldschema.root(SCHEMAS, POD)
NOW = "2026-01-31T10:00:00Z"
QUICK = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])

WORD = st.sampled_from(["a", "b", "c", "d"])
JSON = st.recursive(
    st.booleans() | st.integers(0, 3) | WORD,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORD, inner, max_size=3),
    max_leaves=6,
)
TEXTS = st.dictionaries(WORD, WORD, max_size=3)


def struct(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


def keyed(key: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    element = st.fixed_dictionaries({key: WORD}, optional=fields)
    return st.lists(element, max_size=4, unique_by=lambda e: e[key])


CONTAINERS = keyed("name", image=WORD, command=st.lists(WORD, max_size=2), env=keyed("name", value=WORD))
PODS = st.fixed_dictionaries(
    {},
    optional={
        "metadata": struct(labels=TEXTS, finalizers=st.lists(WORD, unique=True, max_size=3)),
        "spec": struct(containers=CONTAINERS, hostname=WORD, nodeSelector=TEXTS, dnsConfig=struct(options=JSON)),
    },
).map(lambda pod: {"apiVersion": "v1", "kind": "Pod", "metadata": {}, **pod})


# ── merge patches ────────────────────────────────────────────────────────────────────────────────────────


@QUICK
@given(JSON, JSON)
def test_a_merge_patch_applied_twice_is_applied_once(document: Any, patch: Any) -> None:
    once = mergepatch.apply(document, patch)
    assert mergepatch.apply(once, patch) == once


@QUICK
@given(st.dictionaries(WORD, JSON), st.dictionaries(WORD, JSON))
def test_the_difference_of_two_objects_merges_one_into_the_other(old: Any, new: Any) -> None:
    before = copy.deepcopy(old)
    assert mergepatch.apply(old, _difference(old, new)) == new
    assert old == before


def _difference(old: Any, new: Any) -> Any:
    gone = {key: None for key in old if key not in new}
    return gone | {
        key: _difference(old[key], value) if isinstance(value, dict) and isinstance(old.get(key), dict) else value
        for key, value in new.items()
    }


# ── strategic merge patches ──────────────────────────────────────────────────────────────────────────────


@QUICK
@given(PODS, PODS)
def test_a_strategic_patch_of_two_pods_makes_one_the_other(old: Any, new: Any) -> None:
    """The patch is made as kubectl makes it: elements by key, with deletions and the order."""
    before = copy.deepcopy(old)
    assert _without_empty(strategic.apply(SCHEMAS, POD, old, _strategic(old, new))) == _without_empty(new)
    assert old == before


def _strategic(old: Any, new: Any) -> Any:
    patch: dict[str, Any] = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            patch[key] = _strategic(before, value)
        elif key in ("containers", "env") and before is not None:
            patch |= _elements(key, before, value)
        elif key == "finalizers" and before is not None:
            patch[key] = [item for item in value if item not in before]
            patch[f"$deleteFromPrimitiveList/{key}"] = [item for item in before if item not in value]
            patch[f"$setElementOrder/{key}"] = value
        else:
            patch[key] = value
    return patch


def _elements(key: str, old: Any, new: Any) -> Any:
    olds = {element["name"]: element for element in old}
    names = [element["name"] for element in new]
    changed = [{**_strategic(olds.get(e["name"], {}), e), "name": e["name"]} for e in new]
    deleted = [{"name": name, "$patch": "delete"} for name in olds if name not in names]
    return {key: changed + deleted, f"$setElementOrder/{key}": [{"name": name} for name in names]}


def _without_empty(value: Any) -> Any:
    """Without empty maps and lists, which kubectl's patches do not tell from absent ones."""
    if isinstance(value, dict):
        kept = {key: _without_empty(inner) for key, inner in value.items()}
        return {key: inner for key, inner in kept.items() if inner not in ({}, [])}
    return [_without_empty(item) for item in value] if isinstance(value, list) else value


# ── sets of fields ───────────────────────────────────────────────────────────────────────────────────────


def members(fields: Any) -> set[tuple[str, ...]]:
    return set(fieldset.paths(fields))


SETS = st.lists(PODS, min_size=1, max_size=2).map(
    lambda pods: fieldset.union(TYPE.owned(pods[0]), TYPE.compared({}, pods[-1]).changed)
)


@QUICK
@given(SETS, SETS)
def test_sets_of_fields_are_sets(one: Any, other: Any) -> None:
    assert members(fieldset.union(one, other)) == members(one) | members(other)
    assert members(fieldset.difference(one, other)) == members(one) - members(other)
    assert members(fieldset.intersection(one, other)) == members(one) & members(other)
    assert fieldset.is_valid(one)


@QUICK
@given(PODS, PODS)
def test_a_comparison_is_empty_only_for_the_same(old: Any, new: Any) -> None:
    found = TYPE.compared(old, new)
    # the order within a keyed list belongs to nobody
    assert bool(found.changed or found.gone) == (_told(old) != _told(new))
    assert not fieldset.intersection(found.changed, found.gone)


def _told(pod: Any) -> Any:
    """A pod without what a comparison does not see: order, and empty values of fields that are always there."""
    spec = {k: v for k, v in pod.get("spec", {}).items() if (k, v) != ("containers", [])}
    by_name = {c["name"]: {**c, "env": _sorted(c.get("env"))} for c in spec.pop("containers", [])}
    metadata = {**pod["metadata"]}
    if metadata.get("finalizers"):
        metadata["finalizers"] = sorted(metadata["finalizers"])
    return metadata, spec, by_name


def _sorted(elements: Any) -> Any:
    return elements and sorted(elements, key=lambda e: e["name"])


# ── apply ────────────────────────────────────────────────────────────────────────────────────────────────


def applied(live: Any, config: Any, who: str, *, force: bool = True) -> Any:
    return apply.apply(
        SCHEMAS, POD, live, config, manager=who, api_version="v1", subresource="", force=force, now=NOW
    )  # fmt: skip


def written(old: Any, new: Any, who: str) -> Any:
    entries = apply.track(SCHEMAS, POD, old, new, manager=who, api_version="v1", subresource="", now=NOW)
    return {**new, "metadata": {**new["metadata"], "managedFields": entries}}


def owned(obj: Any) -> dict[str, Any]:
    return {e["manager"]: e["fieldsV1"] for e in obj["metadata"].get("managedFields", [])}


@QUICK
@given(PODS, PODS)
def test_applying_the_same_again_changes_nothing(live: Any, config: Any) -> None:
    once = applied(written(None, live, "writer"), config, "applier")
    assume(owned(once))  # where nobody owns anything, whatever is there came before the first apply
    assert applied(once, config, "applier") == once


@QUICK
@given(PODS, PODS)
def test_what_is_applied_is_there_and_what_is_applied_no_more_is_gone(first: Any, second: Any) -> None:
    once = applied(None, first, "applier")
    twice = applied(once, second, "applier")
    assert _without_empty(_bare(twice)) == _without_empty(_bare(applied(None, second, "applier")))


def _bare(obj: Any) -> Any:
    return {**obj, "metadata": {k: v for k, v in obj["metadata"].items() if k != "managedFields"}}


@QUICK
@given(PODS, PODS, PODS)
def test_a_field_has_several_owners_only_while_they_agree(live: Any, config: Any, later: Any) -> None:
    obj = applied(written(None, live, "writer"), config, "applier")
    obj = written(obj, {**later, "metadata": {**later["metadata"]}}, "changer")
    changed = TYPE.compared(applied(written(None, live, "writer"), config, "applier"), later).changed
    for who, fields in owned(obj).items():
        assert who == "changer" or not fieldset.intersection(fields, changed)


@QUICK
@given(PODS, PODS)
def test_without_force_an_apply_changes_no_field_of_another(live: Any, config: Any) -> None:
    before = written(None, live, "writer")
    merged = fieldmerge.merged(TYPE, live, config)
    taken = fieldset.intersection(owned(before).get("writer", {}), TYPE.compared(live, merged).changed)
    assume(not taken)
    after = applied(before, config, "applier", force=False)
    assert owned(after).get("writer") == owned(before).get("writer")
