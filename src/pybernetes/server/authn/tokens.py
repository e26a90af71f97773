"""ServiceAccount tokens: issued by ``serviceaccounts/token``, recognized in ``Authorization: Bearer``.

Rule: a signature is verified once per token; that its account, and the pod, secret or node to which it is bound, are
still the same live objects is looked at every time. Sources: pkg/registry/core/serviceaccount/storage/token.go,
pkg/serviceaccount/claims.go.
Neighbours: ``jwt.py`` (signatures), ``claims.py`` (contents), ``server/reviews.py`` (TokenReview).
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Final

from pybernetes.lib.clock import Clock
from pybernetes.lib.entropy import Entropy
from pybernetes.meta import errors, objects, times
from pybernetes.meta.objects import Obj
from pybernetes.server.authn import claims
from pybernetes.server.authn.jwt import BadToken, Signer
from pybernetes.server.authn.table import unauthorized
from pybernetes.server.context import Request, User
from pybernetes.server.live import Live

_KEPT: Final = 4096
_SECONDS_MIN: Final = 600
_SECONDS_MAX: Final = 1 << 32
_LEAVING_SECONDS: Final = 60
"""For so long after the end of its grace a pod that ends is still believed (pkg/serviceaccount)."""


class Tokens:
    """``audiences``: those of this API server; the first is its name."""

    def __init__(
        self, live: Live, signer: Signer, clock: Clock, entropy: Entropy, *, issuer: str, audiences: Sequence[str] = ()
    ) -> None:
        self._live, self._signer, self._clock, self._entropy = live, signer, clock, entropy
        self.issuer, self.audiences = issuer, tuple(audiences) or (issuer,)
        self._verified: dict[str, Obj] = {}

    # ── recognizing ──────────────────────────────────────────────────────────────────────────────────────

    def authenticate(self, request: Request) -> User | None:
        """An authenticator of ``table.py``. Raises Unauthorized."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            return None
        try:
            return self.review(token, self.audiences)
        except BadToken as error:
            raise unauthorized() from error

    def review(self, token: str, audiences: Sequence[str]) -> User:
        """Whom a token stands for before these audiences. Raises BadToken."""
        known = self._claims(token)
        wrong = claims.fault(known, self._clock.time(), audiences) or self._gone(known, token)
        if wrong:
            raise BadToken(wrong)
        return claims.user(known)

    def audiences_of(self, token: str) -> Sequence[str]:
        """For whom a token is meant. Raises BadToken."""
        known = self._claims(token)
        return self.audiences if known["iss"] == claims.LEGACY_ISSUER else known.get("aud") or ()

    def sign(self, known: Obj) -> str:
        """The token of these claims."""
        return self._signer.sign(known)

    def _claims(self, token: str) -> Obj:
        found = self._verified.get(token)
        if found is None:
            found = self._signer.verify(token)
            if found.get("iss") == claims.LEGACY_ISSUER:
                found = claims.of_legacy(found)
            elif found.get("iss") != self.issuer:
                raise BadToken(f"the token was issued by {found.get('iss')!r}, not by {self.issuer!r}")
            if len(self._verified) >= _KEPT:
                self._verified.clear()
            self._verified[token] = found
        return found

    def _gone(self, known: Obj, token: str) -> str:
        """Which object of the token is no longer there; empty where all are."""
        private = known[claims.PRIVATE]
        namespace = str(private["namespace"])
        if self._is_lost("serviceaccounts", namespace, private["serviceaccount"]):
            return "the service account has been deleted or made anew"
        if known["iss"] == claims.LEGACY_ISSUER:
            return "" if self._lies_in(namespace, str(private["secret"]), token) else "the token's secret is gone"
        for plural, claim in claims.BOUND.values():
            ref = private.get(claim)
            if ref and self._is_lost(plural, "" if claim == "node" else namespace, ref):
                # A token bound to a pod only tells the pod's node; that one may go.
                if claim == "node" and private.get("pod"):
                    continue
                return f"the {claim} to which the token is bound has been deleted or made anew"
        return ""

    def _lies_in(self, namespace: str, name: str, token: str) -> bool:
        """Does the Secret still hold the token?"""
        secret = self._live.get("", "secrets", namespace, name)
        if secret is None or objects.is_deleting(secret):
            return False
        return bool(objects.get(secret, "data", "token") == base64.b64encode(token.encode()).decode())

    def _is_lost(self, plural: str, namespace: str, ref: Obj) -> bool:
        found = self._live.get("", plural, namespace, str(ref["name"]))
        if found is None or objects.uid(found) != ref["uid"]:
            return True
        leaves = str(objects.meta(found).get("deletionTimestamp") or "")
        return bool(leaves) and self._clock.time() > times.parse(leaves) + _LEAVING_SECONDS

    # ── issuing ──────────────────────────────────────────────────────────────────────────────────────────

    async def create(self, request: Request, obj: Obj) -> Obj:
        """``serviceaccounts/token``: a TokenRequest with its status. Raises NotFound, Invalid, Conflict, BadRequest."""
        info = request.info
        assert info is not None
        account = self._live.get("", "serviceaccounts", info.namespace, info.name)
        if account is None:
            raise errors.not_found("", "serviceaccounts", info.name)
        spec: Obj = obj.get("spec") or {}
        seconds, audiences = _seconds(spec, info.name), tuple(spec.get("audiences") or ()) or self.audiences
        bound = self._bound(spec.get("boundObjectRef") or {}, account)
        now = self._clock.time()
        extended = seconds == claims.WARN_SECONDS and "pod" in bound and audiences == self.audiences
        token = self._signer.sign(
            claims.build(
                account, bound, issuer=self.issuer, audiences=audiences, now=now, token_id=self._entropy.uid(),
                seconds=claims.EXTENDED_SECONDS if extended else seconds,
                warn_after=now + seconds if extended else None,
            )
        )  # fmt: skip
        return {
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {
                "name": info.name, "namespace": info.namespace, "creationTimestamp": times.render(now),
            },
            "spec": {**spec, "audiences": list(audiences), "expirationSeconds": seconds,
                     "boundObjectRef": spec.get("boundObjectRef")},
            "status": {"token": token, "expirationTimestamp": times.render(now + seconds)},
        }  # fmt: skip

    def _bound(self, ref: Obj, account: Obj) -> dict[str, Obj]:
        """The object to which a token shall be bound, by the name of its claim; a pod brings its node."""
        if not ref:
            return {}
        kind, name = str(ref.get("kind", "")), str(ref.get("name", ""))
        if ref.get("apiVersion") != "v1" or kind not in claims.BOUND:
            raise errors.BadRequest(f"cannot bind token to object of type {ref.get('apiVersion')}, Kind={kind}")
        plural, claim = claims.BOUND[kind]
        found = self._live.get("", plural, "" if kind == "Node" else objects.namespace(account), name)
        if found is None:
            raise errors.not_found("", plural, name)
        _check_uid(plural, name, str(ref.get("uid", "")), objects.uid(found))
        return {claim: found} if kind != "Pod" else {claim: found, **self._node_of(found, account)}

    def _node_of(self, pod: Obj, account: Obj) -> dict[str, Obj]:
        if objects.get(pod, "spec", "serviceAccountName") != objects.name(account):
            raise errors.BadRequest(
                f'cannot bind token for serviceaccount "{objects.name(account)}" to pod running with different'
                " serviceaccount name."
            )
        node = objects.get(pod, "spec", "nodeName", default="")
        found = self._live.get("", "nodes", "", node) if node else None
        return {"node": found} if found else {}


def _seconds(spec: Obj, name: str) -> int:
    seconds = spec.get("expirationSeconds")
    if seconds is None:
        return 3600
    if _SECONDS_MIN <= seconds <= _SECONDS_MAX:
        return int(seconds)
    detail = (
        "may not specify a duration less than 10 minutes"
        if seconds < _SECONDS_MIN
        else "may not specify a duration larger than 2^32 seconds"
    )
    wrong = errors.invalid("spec.expirationSeconds", seconds, detail)
    raise errors.invalid_object("authentication.k8s.io", "TokenRequest", name, [wrong])


def _check_uid(plural: str, name: str, asked: str, there: str) -> None:
    if asked and asked != there:
        raise errors.conflict(
            "", plural, name,
            f"the UID in the bound object reference ({asked}) does not match the UID in record. The object might have"
            " been deleted and then recreated",
        )  # fmt: skip
