"""Encryption at rest: nothing readable on the disk, keys that follow each other, and what is told without a key."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from pybernetes.meta.objects import Obj
from pybernetes.storage.encrypted import sealing
from pybernetes.storage.encrypted.sealing import Sealing
from pybernetes.storage.port import Corrupt, StoreError
from pybernetes.storage.sqlite.store import SqliteStore

SECRET, OTHER = "/registry/core/secrets/default/a", "/registry/core/configmaps/default/a"
VALUE = b'{"apiVersion":"v1","kind":"Secret","data":"a word that nobody may read"}'
IDENTITY: Obj = {"identity": {}}


def key(provider: str, *names: str) -> Obj:
    secrets = {name: base64.b64encode(name.encode().ljust(32, b"-")).decode() for name in names}
    return {provider: {"keys": [{"name": name, "secret": secret} for name, secret in secrets.items()]}}


def made(*providers: Obj, resources: tuple[str, ...] = ("secrets",)) -> Sealing:
    rows = [{"resources": list(resources), "providers": list(providers)}]
    return sealing.parse({"kind": "EncryptionConfiguration", "resources": rows})


async def written(path: Path, sealed: Sealing | None, *keys: str) -> None:
    store = SqliteStore(path, sealing=sealed)
    for one in keys:
        await store.write(one, VALUE)
    await store.close()


async def read(path: Path, sealed: Sealing | None, one: str = SECRET) -> bytes:
    store = SqliteStore(path, sealing=sealed)
    found = await store.get(one)
    await store.close()
    assert found is not None
    return found.value


def on_disk(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))


@pytest.mark.parametrize("provider", ["aescbc", "aesgcm"])
async def test_what_is_sealed_cannot_be_read_on_the_disk_and_comes_back_plain(provider: str, tmp_path: Path) -> None:
    path, sealed = tmp_path / "store.db", made(key(provider, "one"))
    await written(path, sealed, SECRET)
    assert b"nobody may read" not in on_disk(path)
    assert f"k8s:enc:{provider}:v1:one:".encode() in on_disk(path)
    assert await read(path, sealed) == VALUE


async def test_only_the_resources_that_are_named_are_sealed(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    await written(path, made(key("aesgcm", "one")), OTHER)
    assert b"nobody may read" in on_disk(path)


async def test_a_new_first_key_takes_over_everything_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    await written(path, None, SECRET)
    await written(path, made(key("aescbc", "one"), IDENTITY))
    assert b"nobody may read" not in on_disk(path)
    await written(path, made(key("aesgcm", "two"), key("aescbc", "one")))
    assert await read(path, made(key("aesgcm", "two"))) == VALUE
    await written(path, made(IDENTITY, key("aesgcm", "two")))
    assert await read(path, None) == VALUE


async def test_without_the_key_the_store_says_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    await written(path, made(key("aesgcm", "one")), SECRET)
    with pytest.raises(Corrupt, match="cannot be read by any of its providers"):
        SqliteStore(path, sealing=made(key("aesgcm", "two")))


async def test_without_any_key_the_store_asks_for_them(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    await written(path, made(key("aesgcm", "one")), SECRET)
    with pytest.raises(StoreError, match="--encryption-provider-config"):
        SqliteStore(path)


def test_a_value_that_was_moved_does_not_open() -> None:
    sealed = made(key("aesgcm", "one"))
    with pytest.raises(Corrupt, match="cannot be decrypted"):
        sealed.unseal(f"{SECRET}b", sealed.seal(SECRET, VALUE))


@pytest.mark.parametrize(
    ("providers", "told"),
    [
        ([], "each needs resources and providers"),
        ([{"kms": {}}], "not available here"),
        ([{"aescbc": {}}], "keys: required"),
        ([{"aescbc": {"keys": [{"name": "a", "secret": "c2hvcnQ="}]}}], "16, 24 or 32 bytes, not 5"),
        ([{"aescbc": {"keys": [{"secret": "c2hvcnQ="}]}}], "name: required"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(providers: list[Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        made(*providers)
