"""ServiceAccount tokens for the pods of a node: asked for by TokenRequest, kept, and renewed before they end.

Rule: a token is renewed at 80 % of its life or after a day; while the API does not answer an old one that still
holds is better than none (pkg/kubelet/token).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from pybernetes.lib.clock import Clock
from pybernetes.meta import errors, objects, times
from pybernetes.meta.objects import Obj
from pybernetes.node.volumes.material import TokenKey, VolumeError, token_key, token_sources

_LIFE_USED_MOST: Final = 0.8
_DAY_SECONDS: Final = 86400.0
_RETRY_SECONDS: Final = 60.0


class Client(Protocol):
    """The one call of ``client.Client`` that is needed."""

    async def create(self, resource: str, obj: Obj, *, parent: str, subresource: str, in_namespace: str) -> Obj: ...


@dataclass(slots=True)
class _Token:
    text: str
    renew_at: float
    ends_at: float


class Tokens:
    def __init__(self, client: Client, clock: Clock) -> None:
        self._client, self._clock = client, clock
        self._kept: dict[str, dict[TokenKey, _Token]] = {}

    async def of_pod(self, pod: Obj) -> dict[TokenKey, str]:
        """All tokens that a pod's volumes ask for. Raises VolumeError."""
        return {token_key(source): await self._one(pod, volume, source) for volume, source in token_sources(pod)}

    def renew_at(self, uid: str) -> float | None:
        """When a pod's first token is to be renewed (Unix seconds)."""
        return min((t.renew_at for t in self._kept.get(uid, {}).values()), default=None)

    def forget(self, uid: str) -> None:
        self._kept.pop(uid, None)

    async def _one(self, pod: Obj, volume: str, source: Obj) -> str:
        kept = self._kept.setdefault(objects.uid(pod), {})
        key, now = token_key(source), self._clock.time()
        token = kept.get(key)
        if token is not None and now < token.renew_at:
            return token.text
        try:
            token = kept[key] = await self._ask(pod, key, now)
        except errors.ApiError as error:
            if token is None or token.ends_at <= now:
                raise VolumeError(volume, f"failed to fetch token: {error}") from error
            token.renew_at = now + _RETRY_SECONDS
        return token.text

    async def _ask(self, pod: Obj, key: TokenKey, now: float) -> _Token:
        audience, seconds = key
        bound = {"apiVersion": "v1", "kind": "Pod", "name": objects.name(pod), "uid": objects.uid(pod)}
        spec: Obj = {"expirationSeconds": seconds, "boundObjectRef": bound}
        if audience:
            spec["audiences"] = [audience]
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        account = objects.get(pod, "spec", "serviceAccountName", default="default")
        answer = await self._client.create(
            "serviceaccounts", request, parent=account, subresource="token", in_namespace=objects.namespace(pod)
        )
        ends_at = times.parse(answer["status"]["expirationTimestamp"])
        life = ends_at - now
        return _Token(answer["status"]["token"], now + min(life * _LIFE_USED_MOST, _DAY_SECONDS), ends_at)
