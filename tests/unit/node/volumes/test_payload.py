from __future__ import annotations

import base64
from typing import Any

import pytest

from pybernetes.meta.objects import Obj
from pybernetes.node.downward import NodeFacts
from pybernetes.node.environment import ConfigError, Sources
from pybernetes.node.volumes.material import Material
from pybernetes.node.volumes.payload import of_volume

NODE = NodeFacts("n", ("192.0.2.1",), {"cpu": "2", "memory": "4Gi"})
SECRET = {"data": {"k": base64.b64encode(b"\x00s").decode()}}


def material(**objects: Obj) -> Material:
    maps = {k: v for k, v in objects.items() if k.startswith("m")}
    secrets = {k: v for k, v in objects.items() if k.startswith("s")}
    return Material(Sources(maps, secrets, {}, NODE), {("", 3600): "token", ("vault", 600): "other"})


def pod(**spec: Any) -> Obj:
    metadata = {"name": "p", "namespace": "ns", "uid": "u", "labels": {"a": "b"}}
    return {"metadata": metadata, "spec": {"containers": [{"name": "c"}], **spec}}


def files(volume: Obj, of: Obj | None = None, **objects: Obj) -> dict[str, tuple[bytes, int]]:
    found = of_volume(of or pod(), {"name": "v", **volume}, material(**objects))
    return {path: (file.content, file.mode) for path, file in found.items()}


def test_a_config_map_gives_all_its_keys_text_and_binary() -> None:
    config_map = {"data": {"t": "x"}, "binaryData": {"b": base64.b64encode(b"\xff").decode()}}
    assert files({"configMap": {"name": "m"}}, m=config_map) == {"t": (b"x", 0o644), "b": (b"\xff", 0o644)}


def test_items_choose_rename_and_set_modes() -> None:
    items = [{"key": "a", "path": "x/y", "mode": 0o400}, {"key": "b", "path": "z"}]
    volume = {"configMap": {"name": "m", "items": items, "defaultMode": 0o600}}
    assert files(volume, m={"data": {"a": "1", "b": "2", "c": "3"}}) == {"x/y": (b"1", 0o400), "z": (b"2", 0o600)}


def test_a_secret_volume_names_its_secret_differently_from_a_projection() -> None:
    assert files({"secret": {"secretName": "s"}}, s=SECRET) == {"k": (b"\x00s", 0o644)}
    assert files({"projected": {"sources": [{"secret": {"name": "s"}}]}}, s=SECRET) == {"k": (b"\x00s", 0o644)}


def test_what_is_missing_is_an_error_unless_it_is_optional() -> None:
    with pytest.raises(ConfigError, match=r'^configmap "m" not found$'):
        files({"configMap": {"name": "m"}})
    with pytest.raises(ConfigError, match=r"^secret references non-existent key: x$"):
        files({"secret": {"secretName": "s", "items": [{"key": "x", "path": "x"}]}}, s=SECRET)
    assert files({"configMap": {"name": "m", "optional": True}}) == {}
    optional = {"secretName": "s", "optional": True, "items": [{"key": "x", "path": "x"}]}
    assert files({"secret": optional}, s=SECRET) == {}


def test_the_downward_api_tells_fields_and_resources() -> None:
    items = [
        {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
        {"path": "cpu", "resourceFieldRef": {"containerName": "c", "resource": "limits.cpu"}},
    ]
    assert files({"downwardAPI": {"items": items}}) == {"labels": (b'a="b"', 0o644), "cpu": (b"2", 0o644)}


def test_a_projected_volume_holds_the_files_of_all_its_sources() -> None:
    sources = [
        {"serviceAccountToken": {"path": "token"}},
        {"serviceAccountToken": {"path": "vault", "audience": "vault", "expirationSeconds": 600}},
        {"configMap": {"name": "m"}},
    ]
    found = files({"projected": {"sources": sources, "defaultMode": 0o440}}, m={"data": {"ca.crt": "PEM"}})
    assert found == {"token": (b"token", 0o440), "vault": (b"other", 0o440), "ca.crt": (b"PEM", 0o440)}


def test_a_token_is_its_users_only_where_the_pod_says_who_that_is() -> None:
    volume = {"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
    file = of_volume(pod(securityContext={"runAsUser": 7}), volume, material())["token"]
    assert (file.mode, file.owner) == (0o600, 7)
    file = of_volume(pod(securityContext={"fsGroup": 8}), volume, material())["token"]
    assert (file.mode, file.owner) == (0o600, None)
