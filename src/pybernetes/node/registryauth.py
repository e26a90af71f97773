"""Credentials for image registries out of pull secrets. Pure.

Rule: an entry fits where its host is the image's registry and its path, if it has one, begins the image's; the longest
fit is tried first. ``*`` stands for one label of a host, as in the kubelet's credential provider.
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import orjson

from pybernetes.meta.objects import Obj
from pybernetes.node import environment

_DOCKER_HUB: Final = ("index.docker.io", "registry-1.docker.io", "registry.hub.docker.com")


def for_image(name: str, secrets: Iterable[Obj]) -> list[Mapping[str, str]]:
    """The CRI's ``AuthConfig`` messages to try for an image, whose ``name`` is in its full form."""
    fits = []
    for secret in secrets:
        for registry, entry in _entries(secret):
            if _fits(registry, name):
                fits.append((len(registry), _auth(entry)))
    return [auth for _, auth in sorted(fits, key=lambda pair: -pair[0]) if auth]


def _entries(secret: Obj) -> Iterator[tuple[str, Obj]]:
    """(registry, entry) of a ``kubernetes.io/dockerconfigjson`` or ``dockercfg`` secret; a broken one has none."""
    data = environment.secret_bytes(secret)
    try:
        whole = orjson.loads(data[".dockerconfigjson"]).get("auths", {}) if ".dockerconfigjson" in data else {}
        whole = whole or (orjson.loads(data[".dockercfg"]) if ".dockercfg" in data else {})
    except (orjson.JSONDecodeError, AttributeError):
        return
    for registry, entry in whole.items():
        if isinstance(entry, dict):
            yield _host_and_path(registry), entry


def _host_and_path(registry: str) -> str:
    bare = registry.removeprefix("https://").removeprefix("http://").removesuffix("/")
    bare = bare.removesuffix("/v1").removesuffix("/v2")
    host, slash, path = bare.partition("/")
    return ("docker.io" if host in _DOCKER_HUB else host) + slash + path


def _fits(registry: str, name: str) -> bool:
    host, _, path = registry.partition("/")
    image_host, _, image_path = name.partition("/")
    same = host.count(".") == image_host.count(".") and fnmatch.fnmatchcase(image_host, host)
    return same and image_path.startswith(path)


def _auth(entry: Mapping[str, Any]) -> Mapping[str, str]:
    if entry.get("username"):
        return {"username": str(entry["username"]), "password": str(entry.get("password", ""))}
    try:
        user, _, password = base64.b64decode(str(entry.get("auth", ""))).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return {}
    return {"username": user, "password": password} if user else {}
