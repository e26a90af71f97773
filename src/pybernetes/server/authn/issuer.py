"""How others check our tokens: the issuer's OpenID configuration and its public key."""

from __future__ import annotations

from typing import Final

import orjson

from pybernetes.lib.http.message import HttpRequest
from pybernetes.server.authn.jwt import Signer
from pybernetes.server.context import Response

JWKS: Final = "/openid/v1/jwks"
CONFIGURATION: Final = "/.well-known/openid-configuration"
PATHS: Final = (CONFIGURATION, JWKS)


class Issuer:
    def __init__(self, signer: Signer, issuer: str) -> None:
        self._signer, self._issuer = signer, issuer

    def serves(self, path: str) -> bool:
        return path in PATHS

    def respond(self, request: HttpRequest) -> Response:
        """The answer for a path that ``serves`` names."""
        headers = [("Cache-Control", "public, max-age=3600")]
        if request.path == JWKS:
            body, media = orjson.dumps(self._signer.jwks()), "application/jwk-set+json"
            return Response(body=body, content_type=media, headers=headers)
        return Response(
            body=orjson.dumps(
                {
                    "issuer": self._issuer,
                    "jwks_uri": self._issuer.rstrip("/") + JWKS,
                    "response_types_supported": ["id_token"],
                    "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": [self._signer.algorithm],
                }
            ),
            headers=headers,
        )
