"""Ways to seal a value: AES-GCM, AES-CBC, and none. The forms are upstream's, byte for byte.

Rule: a sealed value begins with ``k8s:enc:<provider>:v1:<key>:``; nothing else begins so, since a plain value is JSON.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final, Protocol

SEALED: Final = b"k8s:enc:"
_BLOCK: Final = 16
_NONCE: Final = 12


class BadSeal(Exception):
    """Nothing that this key has sealed for this place."""


class Provider(Protocol):
    @property
    def prefix(self) -> bytes:
        """What its values begin with; empty: they are plain."""
        ...

    def seal(self, key: str, value: bytes) -> bytes: ...

    def unseal(self, key: str, data: bytes) -> bytes:
        """``data`` is what follows the prefix. Raises BadSeal."""
        ...


@dataclass(frozen=True, slots=True)
class Identity:
    """Leaves values as they are."""

    prefix: bytes = b""

    def seal(self, key: str, value: bytes) -> bytes:
        return value

    def unseal(self, key: str, data: bytes) -> bytes:
        return data


@dataclass(frozen=True, slots=True)
class AesGcm:
    """Authenticated, with the place in the store: a value that was moved elsewhere does not open."""

    prefix: bytes
    secret: bytes

    def seal(self, key: str, value: bytes) -> bytes:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(_NONCE)
        return nonce + AESGCM(self.secret).encrypt(nonce, value, key.encode())

    def unseal(self, key: str, data: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            return AESGCM(self.secret).decrypt(data[:_NONCE], data[_NONCE:], key.encode())
        except (InvalidTag, ValueError) as error:
            raise BadSeal("the value is not what was sealed here") from error


@dataclass(frozen=True, slots=True)
class AesCbc:
    """PKCS#7 padding, a random first block; not authenticated."""

    prefix: bytes
    secret: bytes

    def seal(self, key: str, value: bytes) -> bytes:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        first = os.urandom(_BLOCK)
        length = _BLOCK - len(value) % _BLOCK
        sealer = Cipher(algorithms.AES(self.secret), modes.CBC(first)).encryptor()
        return first + sealer.update(value + bytes([length]) * length) + sealer.finalize()

    def unseal(self, key: str, data: bytes) -> bytes:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        if len(data) < 2 * _BLOCK or len(data) % _BLOCK:
            raise BadSeal("the value is cut short")
        opener = Cipher(algorithms.AES(self.secret), modes.CBC(data[:_BLOCK])).decryptor()
        padded = opener.update(data[_BLOCK:]) + opener.finalize()
        length = padded[-1]
        if not 1 <= length <= _BLOCK or padded[-length:] != bytes([length]) * length:
            raise BadSeal("the value is not what was sealed by this key")
        return padded[:-length]


BY_NAME: Final[dict[str, type[AesGcm | AesCbc]]] = {"aesgcm": AesGcm, "aescbc": AesCbc}
