"""Objects are judged by the published schemas, in the words of Go's decoder."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.kinds import schemas as data
from pybernetes.meta.schema import Schemas

SCHEMAS = Schemas(data.definitions())
POD = "io.k8s.api.core.v1.Pod"
GOOD: Any = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p", "creationTimestamp": "2026-01-31T00:00:00Z", "labels": {"a": "b"}},
    "spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": "1", "memory": "5"}}, "ports": []}]},
}


def pod(**spec: Any) -> Any:
    return {**GOOD, "spec": {**GOOD["spec"], **spec}}


def test_a_good_object_is_answered_as_it_is() -> None:
    assert not SCHEMAS.inspect(POD, GOOD)
    assert SCHEMAS.drop_unknown(POD, GOOD) is GOOD


def test_unknown_fields_are_told_by_their_paths_and_dropped() -> None:
    odd = pod(foo=1, containers=[{"name": "c", "bar": {}}])
    assert sorted(SCHEMAS.unknown(POD, odd)) == ["spec.containers[0].bar", "spec.foo"]
    assert SCHEMAS.drop_unknown(POD, odd) == pod(containers=[{"name": "c"}])


def test_null_is_absence() -> None:
    assert not SCHEMAS.unknown(POD, pod(hostname=None))
    assert SCHEMAS.drop_unknown(POD, pod(hostname=None)) == GOOD


def test_a_null_in_a_list_is_an_empty_value_of_its_type() -> None:
    odd = pod(containers=[None], tolerations=[None])
    assert [str(e) for e in SCHEMAS.validate(POD, odd)] == ["spec.containers[0].name: Required value"]
    told = SCHEMAS.drop_unknown(POD, {**odd, "metadata": {"finalizers": [None]}})
    assert told["metadata"]["finalizers"] == [""]
    assert told["spec"]["tolerations"] == [{}]


def test_quantities_are_written_as_go_writes_them() -> None:
    told = pod(containers=[{"name": "c", "resources": {"limits": {"cpu": 1, "memory": "0.1Gi", "x.io/y": "1000m"}}}])
    assert not SCHEMAS.inspect(POD, told)
    (container,) = SCHEMAS.drop_unknown(POD, told)["spec"]["containers"]
    assert container["resources"]["limits"] == {"cpu": "1", "memory": "107374182400m", "x.io/y": "1"}


def test_required_fields_are_missed() -> None:
    assert [str(e) for e in SCHEMAS.validate(POD, pod(containers=[{}]))] == ["spec.containers[0].name: Required value"]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"hostNetwork": "yes"},
         "json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool"),
        ({"activeDeadlineSeconds": 1.5},
         "json: cannot unmarshal number 1.5 into Go struct field PodSpec.spec.activeDeadlineSeconds of type int64"),
        ({"containers": {}},
         "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container"),
        ({"nodeSelector": {"a": 1}},
         "json: cannot unmarshal number into Go struct field PodSpec.spec.nodeSelector of type string"),
        ({"containers": [{"name": "c", "resources": {"limits": {"cpu": "x"}}}]},
         "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"),
    ],
)  # fmt: skip
def test_wrong_types_are_told_as_go_tells_them(spec: Any, words: str) -> None:
    assert SCHEMAS.decode_errors(POD, pod(**spec)) == [words]


def test_bytes_must_be_base64() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "data": {"a": "?"}}
    assert SCHEMAS.decode_errors("io.k8s.api.core.v1.Secret", secret) == ["illegal base64 data at input byte 0"]


def test_times_must_be_times() -> None:
    odd = {**GOOD, "metadata": {"creationTimestamp": "now"}}
    (words,) = SCHEMAS.decode_errors(POD, odd)
    assert words.startswith('parsing time "now" as "2006-01-02T15:04:05Z07:00"')


def test_a_definition_may_hold_itself() -> None:
    nested: Any = {"type": "object", "properties": {"a": {"type": "object", "properties": {"b": {"type": "string"}}}}}
    name = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"
    assert not SCHEMAS.inspect(name, nested)
    nested["properties"]["a"]["oops"] = 1
    assert SCHEMAS.unknown(name, nested) == ["properties[a].oops"]


def test_a_field_is_found_by_its_path() -> None:
    node = SCHEMAS.field(POD, "spec", "containers", "ports")
    assert node is not None
    assert node["x-kubernetes-patch-merge-key"] == "containerPort"
    assert SCHEMAS.field(POD, "spec", "nothing") is None
