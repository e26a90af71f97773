"""An EncryptionConfiguration at work: which providers a value has, by its key.

Rule: the first provider of a resource seals, all of them open; a value that another than the first has sealed is stale.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pybernetes.meta.objects import Obj
from pybernetes.storage.codec import ROOT
from pybernetes.storage.encrypted.providers import BY_NAME, SEALED, BadSeal, Identity, Provider
from pybernetes.storage.port import Corrupt

_LENGTHS: Final = (16, 24, 32)
_ELSEWHERE: Final = ("kms", "secretbox")
_PLAIN: Final = (Identity(),)


@dataclass(frozen=True, slots=True)
class Sealing:
    """``rows``: resources, and their providers."""

    rows: Sequence[tuple[frozenset[str], Sequence[Provider]]]

    def seal(self, key: str, value: bytes) -> bytes:
        first = self._providers(key)[0]
        return first.prefix + first.seal(key, value) if first.prefix else value

    def unseal(self, key: str, data: bytes) -> tuple[bytes, bool]:
        """(the value, is it stale?). Raises Corrupt for what no provider can open."""
        providers = self._providers(key)
        for number, provider in enumerate(providers):
            if data.startswith(provider.prefix) and bool(provider.prefix) == data.startswith(SEALED):
                try:
                    return provider.unseal(key, data[len(provider.prefix) :]), number > 0
                except BadSeal as error:
                    raise Corrupt(f"{key} cannot be decrypted: {error}; give the key by which it was sealed") from error
        raise Corrupt(
            f"{key} cannot be read by any of its providers: add the key by which it was sealed, or identity for plain"
            " values, to the file of --encryption-provider-config"
        )

    def _providers(self, key: str) -> Sequence[Provider]:
        group, _, rest = key.removeprefix(ROOT).partition("/")
        plural, group = rest.partition("/")[0], "" if group == "core" else group
        names = {f"{plural}.{group}" if group else plural, f"*.{group}", "*.*"}
        return next((providers for resources, providers in self.rows if resources & names), _PLAIN)


def parse(obj: Any) -> Sealing:
    """Of an EncryptionConfiguration. Raises ValueError that tells what is wrong."""
    if not isinstance(obj, dict) or obj.get("kind") != "EncryptionConfiguration":
        raise ValueError("it must hold an EncryptionConfiguration of apiserver.config.k8s.io/v1")
    rows = [
        (frozenset(map(str, row.get("resources") or ())), tuple(_all(row, f"resources[{number}]")))
        for number, row in enumerate(obj.get("resources") or ())
    ]  # fmt: skip
    if not rows or not all(resources and providers for resources, providers in rows):
        raise ValueError("resources: each needs resources and providers")
    return Sealing(rows)


def _all(row: Obj, path: str) -> Iterator[Provider]:
    for number, entry in enumerate(row.get("providers") or ()):
        at = f"{path}.providers[{number}]"
        if not isinstance(entry, dict) or len(entry) != 1:
            raise ValueError(f"{at}: must name one provider")
        ((name, settings),) = entry.items()
        if name == "identity":
            yield Identity()
        elif name in BY_NAME:
            yield from _keyed(name, settings or {}, at)
        else:
            more = "; that one is not available here" if name in _ELSEWHERE else ""
            raise ValueError(f"{at}: {name!r} is none of {', '.join((*BY_NAME, 'identity'))}{more}")


def _keyed(name: str, settings: Obj, path: str) -> Iterator[Provider]:
    keys = settings.get("keys") or ()
    if not keys:
        raise ValueError(f"{path}.{name}.keys: required")
    for number, key in enumerate(keys):
        at = f"{path}.{name}.keys[{number}]"
        if not key.get("name") or ":" in key["name"]:
            raise ValueError(f"{at}.name: required, without a colon")
        try:
            secret = base64.b64decode(str(key.get("secret") or ""), validate=True)
        except binascii.Error as error:
            raise ValueError(f"{at}.secret: must be base64") from error
        if len(secret) not in _LENGTHS:
            raise ValueError(f"{at}.secret: must be of 16, 24 or 32 bytes, not {len(secret)}")
        yield BY_NAME[name](SEALED + f"{name}:v1:{key['name']}:".encode(), secret)
