"""Bodies are read by their Content-Type, answers are shaped by Accept."""

from __future__ import annotations

import pytest

from pybernetes.kinds import schemas
from pybernetes.meta import errors, protobuf
from pybernetes.server import negotiate
from pybernetes.server.context import Request
from pybernetes.server.negotiate import Answer

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}
TABLES = (negotiate.TABLE, negotiate.PARTIAL_LIST)
KUBECTL_GET = (
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
)


def request(accept: str = "", **headers: str) -> Request:
    return Request("GET", "/", headers=({"accept": accept} if accept else {}) | headers)


@pytest.mark.parametrize(
    ("accept", "shapes", "answer"),
    [
        ("", (), Answer()),
        ("*/*", (), Answer()),
        ("application/*", (), Answer()),
        ("application/yaml", (), Answer("yaml")),
        ("application/vnd.kubernetes.protobuf,application/json", (), Answer("protobuf")),
        (KUBECTL_GET, TABLES, Answer("json", "Table")),
        (KUBECTL_GET, (), Answer()),
        ("application/json;as=Table;v=v1beta1;g=meta.k8s.io", TABLES, Answer("json", "Table", "v1beta1")),
        ("application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", TABLES,
         Answer("protobuf", "PartialObjectMetadataList")),
        ("application/json;q=0.5, application/yaml;q=0.9", (), Answer("yaml")),
        ("application/yaml;q=0, */*", (), Answer()),
        ("text/html,application/xhtml+xml,*/*;q=0.8", (), Answer()),
    ],
)  # fmt: skip
def test_the_best_clause_that_can_be_answered_wins(accept: str, shapes: tuple[str, ...], answer: Answer) -> None:
    assert negotiate.accepted(request(accept), shapes=shapes) == answer


@pytest.mark.parametrize("accept", ["text/html", "application/json;as=Table;v=v9;g=meta.k8s.io", "image/*"])
def test_nothing_acceptable_is_a_406_that_lists_what_would_do(accept: str) -> None:
    with pytest.raises(errors.NotAcceptable) as refusal:
        negotiate.accepted(request(accept), shapes=TABLES)
    assert str(refusal.value).startswith(
        "only the following media types are accepted: application/json, application/yaml, "
        "application/vnd.kubernetes.protobuf, application/json;as=Table;v=v1;g=meta.k8s.io"
    )


def test_curl_reads_pretty_json_unless_it_declines() -> None:
    curl = request(**{"user-agent": "curl/8"})
    assert negotiate.accepted(curl).pretty
    curl.query = {"pretty": ["false"]}
    assert not negotiate.accepted(curl).pretty


def test_a_body_is_read_in_each_form() -> None:
    bodies = {
        "": b'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}',
        "application/json; charset=utf-8": b'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}',
        "application/yaml": b"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n",
        "application/vnd.kubernetes.protobuf": protobuf.encode_envelope(POD, schemas.messages()),
    }
    for content_type, body in bodies.items():
        assert negotiate.decode(body, content_type) == POD


def test_a_body_in_an_unknown_form_is_a_415_that_lists_what_would_do() -> None:
    with pytest.raises(errors.UnsupportedMediaType) as refusal:
        negotiate.decode(b"", "text/plain")
    assert str(refusal.value) == (
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json, application/yaml, application/vnd.kubernetes.protobuf"
    )


@pytest.mark.parametrize(
    ("content_type", "body"),
    [("application/json", b"{"), ("application/yaml", b"a: [1"), ("application/vnd.kubernetes.protobuf", b"{}")],
)
def test_garbage_is_a_bad_request(content_type: str, body: bytes) -> None:
    with pytest.raises(errors.BadRequest):
        negotiate.decode(body, content_type)


@pytest.mark.parametrize("format_", ["json", "yaml", "protobuf"])
def test_what_is_encoded_decodes_again(format_: negotiate.Format) -> None:
    answer = Answer(format_)
    assert negotiate.decode(negotiate.encode(POD, answer), answer.media) == POD
