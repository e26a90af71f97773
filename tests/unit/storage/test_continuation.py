from __future__ import annotations

import base64

import pytest

from pybernetes.meta import errors
from pybernetes.storage import continuation

PODS = "/registry/core/pods/"


def token(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode()


def test_a_token_leads_back_to_its_position() -> None:
    made = continuation.encode(PODS, PODS + "default/a", 7)
    assert continuation.decode(PODS, made) == continuation.Position(PODS + "default/a", 7)
    assert "=" not in made


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("%%%", "invalid continue token: continue key is not valid"),
        (token(b"[]"), "continue key is not valid"),
        (token(b'{"v":"v9","rv":1,"start":"a"}'), "server does not recognize this encoded version"),
        (token(b'{"v":"meta.k8s.io/v1","rv":0,"start":"a"}'), "incorrect encoded start resourceVersion"),
        (token(b'{"v":"meta.k8s.io/v1","rv":3,"start":""}'), "encoded start key empty"),
        (token(b'{"v":"meta.k8s.io/v1","rv":3,"start":"../x"}'), "continue key is not valid: ../x"),
    ],
)
def test_a_wrong_token_is_refused_in_upstreams_words(text: str, words: str) -> None:
    with pytest.raises(errors.BadRequest) as refused:
        continuation.decode(PODS, text)
    assert words in refused.value.message


def test_an_expired_token_comes_with_a_way_back() -> None:
    position = continuation.Position(PODS + "default/a", 7)
    status = continuation.expired(PODS, position).status()
    assert (status["code"], status["reason"]) == (410, "Expired")
    again = continuation.decode(PODS, status["metadata"]["continue"])
    assert again == continuation.Position(PODS + "default/a", 0)
