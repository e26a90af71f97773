"""JSON Web Tokens as the cluster issues them: signed by its own key and by no other (RFC 7515, 7517, 7519).

Rule: the algorithm follows from our key (ES256 of P-256, RS256 of RSA) and is never taken from a token's header.
Neighbours: ``tokens.py`` says what stands in a token and whether it still holds.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any, Final

import orjson

from pybernetes.meta.objects import Obj

_COORDINATE: Final = 32
"""Bytes of a P-256 number."""


class BadToken(Exception):
    """A text that is no token of ours."""


class Signer:
    """Signs and verifies with one private key, given as PEM. The key is read when it is first needed."""

    def __init__(self, pem: bytes) -> None:
        self._pem = pem
        self._loaded: Any = None

    @property
    def algorithm(self) -> str:
        return "ES256" if self._is_elliptic() else "RS256"

    @property
    def key_id(self) -> str:
        """As upstream names keys: the hash of the public key's DER."""
        from cryptography.hazmat.primitives import serialization

        public = self._key().public_key()
        der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return _text(hashlib.sha256(der).digest())

    def sign(self, claims: Obj) -> str:
        """The token that carries ``claims``."""
        header = {"alg": self.algorithm, "kid": self.key_id}
        signed = f"{_text(orjson.dumps(header))}.{_text(orjson.dumps(claims))}"
        return f"{signed}.{_text(self._signature(signed.encode()))}"

    def verify(self, token: str) -> Obj:
        """The claims of a token with a good signature. Raises BadToken."""
        signed, _, signature = token.rpartition(".")
        header, _, payload = signed.partition(".")
        told = _json(header)
        if told.get("alg") != self.algorithm:
            raise BadToken(f"the token is signed by {told.get('alg')!r}, not by {self.algorithm}")
        self._check(signed.encode(), _bytes(signature))
        return _json(payload)

    def jwks(self) -> Obj:
        """The public key as a JWK set."""
        public = self._key().public_key().public_numbers()
        key: Obj = {"use": "sig", "kid": self.key_id, "alg": self.algorithm}
        if self._is_elliptic():
            key |= {
                "kty": "EC",
                "crv": "P-256",
                "x": _number(public.x, _COORDINATE),
                "y": _number(public.y, _COORDINATE),
            }
        else:
            key |= {"kty": "RSA", "n": _number(public.n), "e": _number(public.e)}
        return {"keys": [key]}

    def _signature(self, signed: bytes) -> bytes:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

        if not self._is_elliptic():
            rsa: bytes = self._key().sign(signed, padding.PKCS1v15(), hashes.SHA256())
            return rsa
        r, s = utils.decode_dss_signature(self._key().sign(signed, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(_COORDINATE, "big") + s.to_bytes(_COORDINATE, "big")

    def _check(self, signed: bytes, signature: bytes) -> None:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

        public = self._key().public_key()
        try:
            if not self._is_elliptic():
                public.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
                return
            halves = signature[:_COORDINATE], signature[_COORDINATE:]
            der = utils.encode_dss_signature(*(int.from_bytes(half, "big") for half in halves))
            public.verify(der, signed, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature as error:
            raise BadToken("the token's signature is not ours") from error

    def _is_elliptic(self) -> bool:
        from cryptography.hazmat.primitives.asymmetric import ec

        return isinstance(self._key(), ec.EllipticCurvePrivateKey)

    def _key(self) -> Any:
        if self._loaded is None:
            from cryptography.hazmat.primitives import serialization

            self._loaded = serialization.load_pem_private_key(self._pem, None)
        return self._loaded


def opened(token: str) -> tuple[Obj, Obj, bytes, bytes]:
    """(header, claims, what is signed, signature) of a token, nothing of it checked. Raises BadToken."""
    signed, _, signature = token.rpartition(".")
    header, _, payload = signed.partition(".")
    return _json(header), _json(payload), signed.encode(), _bytes(signature)


def new_key() -> bytes:
    """The PEM of a fresh P-256 key, for a cluster that is made to be thrown away."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise BadToken(f"a part of the token is no base64: {error}") from error


def _json(text: str) -> Obj:
    try:
        found = orjson.loads(_bytes(text))
    except orjson.JSONDecodeError as error:
        raise BadToken(f"a part of the token is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise BadToken("a part of the token is no JSON object")
    return found


def _number(value: int, length: int = 0) -> str:
    return _text(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))
