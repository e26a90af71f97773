"""Keys of others, as they publish them, and tokens signed by them (RFC 7517, 7518).

Rule: the key decides which algorithms may be used with it; ``none`` and shared secrets are none of them.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final

from pybernetes.meta.objects import Obj
from pybernetes.server.authn.jwt import BadToken

_CURVES: Final = {"P-256": ("SECP256R1", 32), "P-384": ("SECP384R1", 48), "P-521": ("SECP521R1", 66)}
_BITS: Final = ("256", "384", "512")


def keys(document: Obj) -> dict[str, Any]:
    """Key id → public key, of a JWK set; what is not for signatures, or of an unknown kind, is left out."""
    found = {}
    for jwk in document.get("keys") or ():
        if isinstance(jwk, dict) and jwk.get("use", "sig") == "sig":
            key = _key(jwk)
            if key is not None:
                found[str(jwk.get("kid") or "")] = key
    return found


def check(header: Obj, signed: bytes, signature: bytes, known: Mapping[str, Any]) -> None:
    """Raises BadToken unless one of ``known`` has signed."""
    key_id, algorithm = str(header.get("kid") or ""), str(header.get("alg") or "")
    candidates = [known[key_id]] if key_id in known else list(known.values()) if not key_id else []
    if algorithm[2:] not in _BITS or not any(_is_signed(key, algorithm, signed, signature) for key in candidates):
        raise BadToken("the token is not signed by its issuer")


def _key(jwk: Obj) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if jwk.get("kty") == "RSA":
        return rsa.RSAPublicNumbers(_number(jwk["e"]), _number(jwk["n"])).public_key()
    if jwk.get("kty") == "EC" and jwk.get("crv") in _CURVES:
        curve = getattr(ec, _CURVES[jwk["crv"]][0])()
        return ec.EllipticCurvePublicNumbers(_number(jwk["x"]), _number(jwk["y"]), curve).public_key()
    return None


def _is_signed(key: Any, algorithm: str, signed: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

    hash_ = getattr(hashes, f"SHA{algorithm[2:]}")()
    try:
        if isinstance(key, rsa.RSAPublicKey) and algorithm.startswith("RS"):
            key.verify(signature, signed, padding.PKCS1v15(), hash_)
            return True
        if isinstance(key, ec.EllipticCurvePublicKey) and algorithm.startswith("ES"):
            half = len(signature) // 2
            numbers = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
            key.verify(utils.encode_dss_signature(*numbers), signed, ec.ECDSA(hash_))
            return True
    except InvalidSignature:
        return False
    return False


def _number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")
