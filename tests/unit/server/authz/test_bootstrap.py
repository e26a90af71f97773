"""The default roles are whole: every binding finds its role, and every object would pass its own validation."""

from __future__ import annotations

from pybernetes.meta import objects
from pybernetes.server.authz import bootstrap

from ..build import KINDS


def test_every_binding_finds_its_role() -> None:
    made = bootstrap.objects([bootstrap.cluster_role("system:controller:replicaset-controller", [])])
    roles = {
        (obj["kind"], objects.namespace(obj), objects.name(obj)) for _, obj in made if obj["kind"].endswith("Role")
    }
    for _, obj in made:
        if ref := obj.get("roleRef"):
            where = "" if ref["kind"] == "ClusterRole" else objects.namespace(obj)
            assert (ref["kind"], where, ref["name"]) in roles


def test_a_controllers_role_is_bound_to_its_account() -> None:
    made = bootstrap.objects([bootstrap.cluster_role("system:controller:job-controller", [])])
    (bound,) = (obj for _, obj in made if objects.name(obj) == "system:controller:job-controller" and "roleRef" in obj)
    assert bound["subjects"] == [{"kind": "ServiceAccount", "namespace": "kube-system", "name": "job-controller"}]


def test_names_are_unique_and_objects_valid() -> None:
    made = bootstrap.objects()
    keys = [(resource, objects.namespace(obj), objects.name(obj)) for resource, obj in made]
    assert len(set(keys)) == len(keys)
    for resource, obj in made:
        kind = KINDS.by_resource(resource)
        assert kind is not None
        assert not kind.strategy.validate(obj)
