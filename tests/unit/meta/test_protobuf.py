"""Kubernetes' protobuf, both ways: what kubectl sends comes out as the JSON it would have sent."""

from __future__ import annotations

import pytest

from pybernetes.kinds import schemas
from pybernetes.meta import errors, protobuf
from pybernetes.meta.protobuf import forms, wire
from pybernetes.meta.protobuf.codec import Codec

MESSAGES = schemas.messages()
CODEC = protobuf.codec(MESSAGES)

DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "default", "labels": {"app": "web", "tier": "front"}, "generation": 3},
    "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"app": "web"}},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}},
        "template": {
            "metadata": {"labels": {"app": "web"}, "creationTimestamp": "2026-01-31T09:05:03Z"},
            "spec": {
                "automountServiceAccountToken": False,
                "volumes": [
                    {"name": "a", "emptyDir": {}},
                    {"name": "b", "configMap": {"name": "settings", "defaultMode": 420}},
                ],
                "containers": [
                    {
                        "name": "c",
                        "image": "busybox:1.35",
                        "command": ["sh", "-c", ""],
                        "env": [{"name": "E", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
                        "ports": [{"containerPort": 80}],
                        "resources": {"limits": {"cpu": "500m", "memory": "64Mi"}},
                        "livenessProbe": {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 5},
                    }
                ],
            },
        },
    },
    "status": {},
}


def test_a_deployment_comes_back_as_it_went() -> None:
    assert protobuf.decode_envelope(protobuf.encode_envelope(DEPLOYMENT, MESSAGES), MESSAGES) == DEPLOYMENT


@pytest.mark.parametrize(
    ("message", "value"),
    [
        ("k8s.io.api.core.v1.Secret", {"data": {"password": "c2VjcmV0", "none": ""}, "type": "Opaque"}),
        ("k8s.io.api.core.v1.Service", {"spec": {"ports": [{"port": 80, "targetPort": 8080}], "clusterIP": "None"}}),
        ("k8s.io.api.core.v1.PersistentVolumeClaim", {"spec": {"storageClassName": ""}}),
        ("k8s.io.api.core.v1.Event", {"eventTime": "2026-01-31T09:05:03.000123Z", "involvedObject": {"kind": "Pod"}}),
        ("k8s.io.api.apps.v1.ControllerRevision", {"data": {"spec": {"a": [1, None, True]}}, "revision": -1}),
        ("k8s.io.api.authorization.v1.SubjectAccessReview", {"spec": {"extra": {"scopes": ["a", "b"]}}}),
        (
            "k8s.io.api.authentication.v1.TokenRequest",
            {"spec": {"expirationSeconds": 600, "boundObjectRef": {"uid": "u"}}},
        ),
        ("k8s.io.apimachinery.pkg.apis.meta.v1.DeleteOptions", {"gracePeriodSeconds": 0, "dryRun": ["All"]}),
        (
            "k8s.io.api.core.v1.PodList",
            {
                "metadata": {"resourceVersion": "7"},
                "items": [{"metadata": {"name": "a"}, "status": {"phase": "Running"}}],
            },
        ),
        (
            "k8s.io.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry",
            {"manager": "kubectl", "fieldsV1": {"f:metadata": {"f:labels": {".": {}}}}},
        ),
        (
            "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps",
            {
                "type": "object",
                "properties": {"x": {"type": "integer", "minimum": 0.5, "enum": [1, None, "a"]}},
                "additionalProperties": False,
                "items": {"type": "string"},
                "x-kubernetes-int-or-string": True,
                "$ref": "#/definitions/x",
            },
        ),
    ],
)
def test_special_forms_come_back_as_they_went(message: str, value: dict[str, object]) -> None:
    assert CODEC.decode(message, CODEC.encode(message, value)) == value


def test_empty_lists_and_maps_do_not_travel() -> None:
    spec = {"audiences": [], "expirationSeconds": 600}
    name = "k8s.io.api.authentication.v1.TokenRequestSpec"
    assert CODEC.decode(name, CODEC.encode(name, spec)) == {"expirationSeconds": 600}


def test_zeros_are_told_only_where_go_tells_them() -> None:
    """Go writes every plain field, zero or not; JSON shows only pointers and fields without omitempty."""
    zeros = b"".join(wire.tag(n, wire.VARINT) + b"\x00" for n in (2, 5))
    assert CODEC.decode("k8s.io.api.core.v1.SecurityContext", zeros) == {"privileged": False, "runAsNonRoot": False}
    host_network = wire.tag(11, wire.VARINT) + b"\x00"
    assert CODEC.decode("k8s.io.api.core.v1.PodSpec", host_network) == {}


def test_unknown_fields_are_skipped() -> None:
    data = wire.delimited(wire.tag(99, wire.BYTES), b"later") + wire.tag(98, wire.FIXED32) + b"1234"
    assert CODEC.decode("k8s.io.api.core.v1.Pod", data) == {}


def test_packed_and_unpacked_numbers_are_the_same() -> None:
    codec = Codec({"m": [[1, "n", "int32", "repeated"], [2, "d", "double", "repeated"]]})
    packed = wire.delimited(wire.tag(1, wire.BYTES), wire.write_varint(-1) + wire.write_varint(300))
    doubles = wire.delimited(wire.tag(2, wire.BYTES), bytes(16))
    assert codec.decode("m", packed + doubles) == {"n": [-1, 300], "d": [0.0, 0.0]}
    assert codec.decode("m", codec.encode("m", {"n": [-1, 300]})) == {"n": [-1, 300]}


def test_a_list_holds_objects_as_json_or_as_envelopes() -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}
    inner = protobuf.encode_envelope(pod, MESSAGES)
    raw = wire.delimited(wire.tag(2, wire.BYTES), wire.delimited(wire.tag(1, wire.BYTES), inner))
    assert CODEC.decode("k8s.io.api.core.v1.List", raw) == {"items": [pod]}
    as_json = {"items": [pod]}
    assert CODEC.decode("k8s.io.api.core.v1.List", CODEC.encode("k8s.io.api.core.v1.List", as_json)) == as_json


def test_a_watch_event_is_framed_by_its_length() -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}
    frame = protobuf.encode_watch_event("ADDED", pod, MESSAGES)
    assert int.from_bytes(frame[:4], "big") == len(frame) - 4
    assert protobuf.decode_watch_event(frame[4:], MESSAGES) == ("ADDED", pod)


def test_kinds_find_their_messages() -> None:
    def name(api_version: str, kind: str) -> str | None:
        return protobuf.message_name(api_version, kind, MESSAGES)

    assert name("v1", "Pod") == "k8s.io.api.core.v1.Pod"
    assert name("rbac.authorization.k8s.io/v1", "RoleList") == "k8s.io.api.rbac.v1.RoleList"
    assert name("v1", "Status") == name("policy/v1", "Status") == "k8s.io.apimachinery.pkg.apis.meta.v1.Status"
    assert name(
        "meta.k8s.io/v1",
        "PartialObjectMetadata",
    ) == ("k8s.io.apimachinery.pkg.apis.meta.v1.PartialObjectMetadata")
    assert name("example.com/v1", "Widget") is None


def test_every_served_kind_and_its_list_has_a_message() -> None:
    from pybernetes.kinds import table

    missing = [
        (row.api_version, kind)
        for row in table.builtin()
        for kind in (row.kind, row.list_name)
        if protobuf.message_name(row.api_version, kind, MESSAGES) is None and "list" in row.verbs
    ]
    assert missing == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{}", "does not appear to be a protobuf message, expected prefix [107 56 115 0]"),
        (b"k8s\x00\xff", "unexpected EOF"),
        (b"k8s\x00\x0a\x7fabc", "unexpected EOF"),
        (b"k8s\x00\x0b", "illegal wireType 3"),
        (b"k8s\x00" + b"\xff" * 11, "integer overflow"),
        (b"k8s\x00", 'no kind "" is registered'),
        (protobuf.MAGIC + wire.delimited(b"\x0a", wire.delimited(b"\x0a", b"\xff")), "invalid UTF-8"),
    ],
)
def test_garbage_is_refused_with_a_reason(body: bytes, said: str) -> None:
    with pytest.raises(errors.BadRequest) as refusal:
        protobuf.decode_envelope(body, MESSAGES)
    assert said in str(refusal.value)


def test_endless_nesting_is_refused() -> None:
    name = "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition"
    assert name in MESSAGES
    data = b""
    for _ in range(3000):
        data = wire.delimited(wire.tag(28, wire.BYTES), data)
    spec = b""
    for number in (1, 4, 7, 2):
        data = wire.delimited(wire.tag(number, wire.BYTES), data)
    body = (
        protobuf.MAGIC
        + wire.delimited(
            b"\x0a",
            wire.delimited(b"\x0a", b"apiextensions.k8s.io/v1") + wire.delimited(b"\x12", b"CustomResourceDefinition"),
        )
        + wire.delimited(b"\x12", data + spec)
    )
    with pytest.raises(errors.BadRequest, match="nested too deeply"):
        protobuf.decode_envelope(body, MESSAGES)


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0s"), (1, "1ns"), (1100, "1.1µs"), (2_200_000, "2.2ms"), (1_500_000_000, "1.5s"),
        (3600 * 10**9, "1h0m0s"), (-61 * 10**9, "-1m1s"), (90_061 * 10**9 + 1, "25h1m1.000000001s"),
    ],
)  # fmt: skip
def test_durations_are_written_as_go_writes_them(nanoseconds: int, text: str) -> None:
    assert forms.duration_text(nanoseconds) == text
    assert forms.duration_nanoseconds(text) == nanoseconds
