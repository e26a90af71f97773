"""Server-side apply and the tracking of writes, as kubectl and controllers rely on them."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from pybernetes.kinds import schemas as data
from pybernetes.meta import apply, errors, managers, objects
from pybernetes.meta.schema import Schemas

SCHEMAS = Schemas(data.definitions())
DEPLOYMENT = "io.k8s.api.apps.v1.Deployment"
CONFIG_MAP = "io.k8s.api.core.v1.ConfigMap"
ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"


def at(second: int) -> str:
    return f"2026-01-31T10:00:{second:02}Z"


def config_map(data: dict[str, str] | None = None, **metadata: Any) -> Any:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", **metadata}, "data": data or {}}


def deployment(**spec: Any) -> Any:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "n"}, "spec": spec}


def applied(live: Any, config: Any, who: str = "one", *, force: bool = False, second: int = 0, **more: Any) -> Any:
    definition = CONFIG_MAP if config["kind"] == "ConfigMap" else DEPLOYMENT
    return apply.apply(
        SCHEMAS, definition, live, config, manager=who, api_version=config["apiVersion"], subresource="",
        force=force, now=at(second), **more,
    )  # fmt: skip


def written(old: Any, new: Any, who: str = "writer", *, second: int = 0, subresource: str = "", **more: Any) -> Any:
    """``new`` with the owners after ``who`` wrote it."""
    definition = CONFIG_MAP if new["kind"] == "ConfigMap" else DEPLOYMENT
    entries = apply.track(
        SCHEMAS, definition, old, new, manager=who, api_version=new["apiVersion"], subresource=subresource,
        now=at(second), **more,
    )  # fmt: skip
    return objects.evolve(new, ("metadata", "managedFields"), entries)


def owners(obj: Any) -> dict[str, Any]:
    return {e["manager"]: e["fieldsV1"] for e in obj["metadata"].get("managedFields", [])}


def times(obj: Any) -> dict[str, str]:
    return {e["manager"]: e["time"] for e in obj["metadata"]["managedFields"]}


# ── tracking ─────────────────────────────────────────────────────────────────────────────────────────────


def test_who_creates_owns_everything() -> None:
    obj = written(None, config_map({"a": "1"}, labels={"x": "y"}), "kubectl-create", second=7)
    assert obj["metadata"]["managedFields"] == [
        {
            "manager": "kubectl-create",
            "operation": "Update",
            "apiVersion": "v1",
            "time": at(7),
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:metadata": {"f:labels": {".": {}, "f:x": {}}}, "f:data": {".": {}, "f:a": {}}},
        }
    ]


def test_who_changes_a_field_takes_it_from_its_owner() -> None:
    first = written(None, config_map({"a": "1", "b": "1"}), "one", second=1)
    second = written(first, config_map({"a": "2", "b": "1"}), "two", second=2)
    assert owners(second) == {"one": {"f:data": {".": {}, "f:b": {}}}, "two": {"f:data": {"f:a": {}}}}
    assert times(second) == {"one": at(1), "two": at(2)}


def test_a_removed_field_belongs_to_nobody_and_changes_no_time() -> None:
    first = written(None, config_map({"a": "1", "b": "1"}), "one", second=1)
    second = written(first, config_map({"a": "1"}), "two", second=2)
    assert owners(second) == {"one": {"f:data": {".": {}, "f:a": {}}}}
    assert times(second) == {"one": at(1)}


def test_a_write_that_changes_nothing_leaves_the_owners_as_they_are() -> None:
    first = written(None, config_map({"a": "1"}), second=1)
    assert written(first, config_map({"a": "1"}), "other", second=2) == first


def test_the_status_has_owners_of_its_own() -> None:
    first = written(None, deployment(replicas=1), "one")
    new = {**first, "status": {"replicas": 1}}
    entries = written(first, new, "controller", subresource="status")["metadata"]["managedFields"]
    assert [(e["manager"], e.get("subresource")) for e in entries] == [("controller", "status"), ("one", None)]
    assert entries[0]["fieldsV1"] == {"f:status": {"f:replicas": {}}}


def test_ignored_fields_are_owned_by_nobody() -> None:
    obj = written(None, {**deployment(replicas=1), "status": {"replicas": 1}}, ignored=[("status",)])
    assert owners(obj) == {"writer": {"f:spec": {"f:replicas": {}}}}


@pytest.mark.parametrize("reset", [[], [{}]])
def test_a_client_may_have_all_owners_forgotten(reset: Any) -> None:
    first = written(None, config_map({"a": "1"}))
    assert not owners(written(first, config_map({"a": "2"}, managedFields=reset)))


def test_a_client_may_write_the_owners_itself_but_not_by_a_subresource() -> None:
    first = written(None, config_map({"a": "1"}))
    changed = copy.deepcopy(first)
    changed["metadata"]["managedFields"][0].update(manager="kubectl", operation="Apply")
    assert list(owners(written(first, changed))) == ["kubectl"]
    assert list(owners(written(first, changed, subresource="status"))) == ["writer"]


@pytest.mark.parametrize(
    "bad", [{"operation": "Mend"}, {"fieldsType": ""}, {"fieldsV1": {"x": {}}}, {"apiVersion": ""}]
)
def test_owners_that_make_no_sense_are_not_taken_from_a_client(bad: Any) -> None:
    first = written(None, config_map({"a": "1"}))
    changed = copy.deepcopy(first)
    changed["metadata"]["managedFields"][0].update({"manager": "x", **bad})
    assert list(owners(written(first, changed))) == ["writer"]


def test_an_object_without_owners_stays_so() -> None:
    assert not owners(written(config_map({"a": "1"}), config_map({"a": "2"})))


def test_the_oldest_of_many_writers_become_one() -> None:
    obj = written(None, config_map({"k0": "x"}), "w0", second=0)
    for n in range(1, 12):
        obj = written(obj, config_map({f"k{i}": "x" for i in range(n + 1)}), f"w{n}", second=n)
    found = owners(obj)
    assert len(found) == managers.MAX_UPDATERS
    assert found[managers.ANCIENT] == {"f:data": {".": {}, "f:k0": {}, "f:k1": {}, "f:k2": {}}}
    assert times(obj)[managers.ANCIENT] == at(2)


def test_entries_are_told_by_operation_time_and_name() -> None:
    obj = applied(None, config_map({"k": "1"}), "z", second=9)
    for who, second in (("c", 2), ("b", 2), ("a", 3)):
        obj = written(obj, {**obj, "data": {**obj["data"], who: "1"}}, who, second=second)
    assert list(owners(obj)) == ["z", "b", "c", "a"]


# ── apply ────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_applies_owns_what_they_applied_only() -> None:
    obj = applied(None, deployment(replicas=2, template={"spec": {"containers": [{"name": "c", "image": "i"}]}}))
    assert owners(obj) == {
        "one": {
            "f:spec": {
                "f:replicas": {},
                "f:template": {
                    "f:spec": {"f:containers": {'k:{"name":"c"}': {".": {}, "f:name": {}, "f:image": {}}}},
                },
            }
        }
    }
    assert obj["metadata"]["managedFields"][0]["operation"] == "Apply"


def test_applying_twice_changes_nothing() -> None:
    once = applied(None, config_map({"a": "1"}), second=1)
    assert applied(once, config_map({"a": "1"}), second=2) == once


def test_what_is_no_longer_applied_is_removed() -> None:
    once = applied(None, config_map({"a": "1", "b": "1"}))
    twice = applied(once, config_map({"a": "1"}))
    assert twice["data"] == {"a": "1"}
    assert owners(twice) == {"one": {"f:data": {"f:a": {}}}}


def test_what_others_own_too_stays_when_one_gives_it_up() -> None:
    obj = applied(None, config_map({"a": "1", "b": "1"}))
    obj = applied(obj, config_map({"b": "1"}), "two")
    obj = applied(obj, config_map({"a": "1"}))
    assert obj["data"] == {"a": "1", "b": "1"}
    assert owners(obj) == {"one": {"f:data": {"f:a": {}}}, "two": {"f:data": {"f:b": {}}}}


def test_a_list_element_goes_with_the_last_who_applied_it() -> None:
    one, two = ({"name": n, "image": n} for n in "ab")
    obj = applied(None, deployment(template={"spec": {"containers": [one, two]}}))
    obj = applied(obj, deployment(template={"spec": {"containers": [two]}}))
    assert obj["spec"]["template"]["spec"]["containers"] == [two]


def test_what_the_server_added_to_an_element_goes_with_it_but_stays_in_its_siblings() -> None:
    one = {"name": "a", "image": "1"}
    obj = applied(None, deployment(template={"spec": {"containers": [one, {"name": "b"}]}}))
    defaulted = [{**c, "imagePullPolicy": "Always"} for c in obj["spec"]["template"]["spec"]["containers"]]
    obj = objects.evolve(obj, ("spec", "template", "spec", "containers"), defaulted)
    obj = applied(obj, deployment(template={"spec": {"containers": [one]}}))
    assert obj["spec"]["template"]["spec"]["containers"] == [{**one, "imagePullPolicy": "Always"}]


def test_a_conflict_is_told_with_its_owner_and_field() -> None:
    live = written(None, deployment(replicas=1), "kubectl-client-side-apply")
    with pytest.raises(errors.Conflict) as refused:
        applied(live, deployment(replicas=2))
    assert refused.value.message == (
        'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas'
    )
    assert refused.value.status()["details"]["causes"] == [
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "kubectl-client-side-apply" using apps/v1',
            "field": ".spec.replicas",
        }
    ]


def test_several_conflicts_are_grouped_by_owner() -> None:
    live = applied(None, deployment(replicas=1), "b")
    live = written(live, {**live, "spec": {"replicas": 1, "paused": True, "minReadySeconds": 1}}, "a", subresource="x")
    with pytest.raises(errors.Conflict) as refused:
        applied(live, deployment(replicas=2, paused=False, minReadySeconds=2))
    assert refused.value.message == (
        'Apply failed with 3 conflicts: conflicts with "a" with subresource "x" using apps/v1:\n'
        '- .spec.minReadySeconds\n- .spec.paused\nconflicts with "b":\n- .spec.replicas'
    )


def test_force_takes_fields_from_their_owners() -> None:
    live = written(None, deployment(replicas=1, paused=True), "other")
    obj = applied(live, deployment(replicas=2), force=True)
    assert obj["spec"] == {"replicas": 2, "paused": True}
    assert owners(obj) == {"one": {"f:spec": {"f:replicas": {}}}, "other": {"f:spec": {"f:paused": {}}}}


def test_the_same_value_is_owned_together() -> None:
    live = written(None, deployment(replicas=1), "other", second=1)
    obj = applied(live, deployment(replicas=1), second=2)
    assert owners(obj) == {"one": {"f:spec": {"f:replicas": {}}}, "other": {"f:spec": {"f:replicas": {}}}}
    assert times(obj) == {"one": at(2), "other": at(1)}


def test_a_port_without_protocol_is_the_one_of_tcp() -> None:
    ports = [{"containerPort": 80, "protocol": "TCP"}]
    live = applied(None, deployment(template={"spec": {"containers": [{"name": "c", "ports": ports}]}}), "other")
    config = deployment(template={"spec": {"containers": [{"name": "c", "ports": [{"containerPort": 80}]}]}})
    assert applied(live, config)["spec"]["template"]["spec"]["containers"][0]["ports"] == ports


def test_an_atomic_value_is_replaced_as_a_whole() -> None:
    live = applied(None, deployment(selector={"matchLabels": {"a": "1"}}))
    assert applied(live, deployment(selector={"matchLabels": {"b": "2"}}))["spec"] == {
        "selector": {"matchLabels": {"b": "2"}}
    }


def test_an_object_without_owners_had_everything_before_its_first_apply() -> None:
    with pytest.raises(errors.Conflict, match=r'conflict with "before-first-apply" using v1: \.data\.a'):
        applied(config_map({"a": "1"}), config_map({"a": "2"}))


def test_what_the_server_keeps_is_not_applied() -> None:
    live = applied(None, config_map({"a": "1"}))
    live = objects.evolve(live, ("metadata", "creationTimestamp"), at(0))
    config = config_map({"a": "1"}, creationTimestamp=None)
    assert applied(live, config) == live


def test_owners_cannot_be_applied() -> None:
    with pytest.raises(errors.BadRequest, match=r"metadata\.managedFields must be nil"):
        applied(None, config_map(managedFields=[]))


def test_unknown_fields_are_refused_in_upstreams_words() -> None:
    with pytest.raises(errors.ApiError) as refused:
        applied(None, deployment(foo=1, bar=1))
    assert refused.value.http_code == 500
    assert "reason" not in refused.value.status()
    assert refused.value.message == (
        "failed to create typed patch object (n/d; apps/v1, Kind=Deployment): errors:\n"
        "  .spec.foo: field not declared in schema\n  .spec.bar: field not declared in schema"
    )


# ── kubectl's annotation ─────────────────────────────────────────────────────────────────────────────────


def client_side(replicas: int) -> Any:
    """What client-side ``kubectl apply`` leaves."""
    config = deployment(replicas=replicas)
    annotated = objects.evolve(config, ("metadata", "annotations", ANNOTATION), json.dumps(config))
    return written(None, annotated, "kubectl-client-side-apply")


def test_kubectl_may_take_over_what_its_annotation_tells() -> None:
    obj = applied(client_side(1), deployment(replicas=2), "kubectl")
    assert obj["spec"] == {"replicas": 2}
    assert json.loads(obj["metadata"]["annotations"][ANNOTATION]) == deployment(replicas=2)


def test_kubectl_may_not_take_over_what_another_changed_since() -> None:
    live = client_side(1)
    live = written(live, {**live, "spec": {"replicas": 5}}, "scaler")
    with pytest.raises(errors.Conflict, match=r'conflict with "scaler" using apps/v1: \.spec\.replicas'):
        applied(live, deployment(replicas=2), "kubectl")


def test_another_manager_may_not_take_over_by_the_annotation() -> None:
    with pytest.raises(errors.Conflict):
        applied(client_side(1), deployment(replicas=2), "helm")
