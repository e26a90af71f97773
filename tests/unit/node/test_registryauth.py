from __future__ import annotations

import base64

import orjson
import pytest

from pybernetes.meta.objects import Obj
from pybernetes.node.registryauth import for_image


def secret(**auths: dict[str, str]) -> Obj:
    whole = orjson.dumps({"auths": auths})
    return {"data": {".dockerconfigjson": base64.b64encode(whole).decode()}}


USER = {"username": "u", "password": "p"}


@pytest.mark.parametrize(
    ("registry", "image", "fits"),
    [
        ("https://index.docker.io/v1/", "docker.io/library/busybox:1", True),
        ("r.example", "r.example/a/b:1", True),
        ("r.example", "other.example/a/b:1", False),
        ("r.example:5000", "r.example:5000/a:1", True),
        ("r.example/a", "r.example/a/b:1", True),
        ("r.example/b", "r.example/a/b:1", False),
        ("*.example", "r.example/a:1", True),
        ("*.example", "x.r.example/a:1", False),
    ],
)
def test_credentials_fit_by_host_and_path(registry: str, image: str, fits: bool) -> None:
    assert for_image(image, [secret(**{registry: USER})]) == ([USER] if fits else [])


def test_the_longest_fit_is_tried_first_and_basic_auth_is_understood() -> None:
    basic = {"auth": base64.b64encode(b"v:w").decode()}
    found = for_image("r.example/a/b:1", [secret(**{"r.example": USER, "r.example/a": basic})])
    assert found == [{"username": "v", "password": "w"}, USER]


def test_a_broken_secret_is_as_good_as_none() -> None:
    broken = {"data": {".dockerconfigjson": base64.b64encode(b"{").decode()}}
    assert for_image("r.example/a:1", [broken, secret(**{"r.example": {"auth": "?"}})]) == []
