"""Which subresource is answered by what: one table from a name to the verbs it has.

Rule: what a row of ``kinds/`` lists as a subresource and this table does not know is one that leads out of the
registry (exec, log, proxy …): ``Context.connect`` has it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final, TypeAlias

from pybernetes.server.context import Response
from pybernetes.server.registry import binding, decode, encode, eviction, patch, read, scale, update
from pybernetes.server.registry.call import Call
from pybernetes.server.registry.doors import DOORS, Door

Verb: TypeAlias = Callable[[Call], Awaitable[Response]]
Verbs: TypeAlias = Mapping[str, Verb]
_TOKENS: Final = "serviceaccounts/token"


def _part(door: Door) -> Verbs:
    """The object itself under a narrower door."""
    return {
        "get": read.get,
        "update": partial(update.update, door=door),
        "patch": partial(patch.patch, door=door),
    }


async def _token(call: Call) -> Response:
    """A service account's token, made by the authenticator's half of the server."""
    account = read.record_of(call)
    request = decode.sub_body(
        call, "authentication.k8s.io/v1", "TokenRequest", "io.k8s.api.authentication.v1.TokenRequest"
    )
    request["metadata"] = {
        **(request.get("metadata") or {}), "name": call.name, "namespace": call.namespace,
        "uid": call.context.decoded.record(account)["metadata"].get("uid", ""),
    }  # fmt: skip
    attributes = call.attributes("create", request, None)
    await call.context.admission.admit(attributes)
    await call.context.admission.validate(attributes)
    return encode.plain(call, await call.context.reviews[_TOKENS](call.request, request), 201)


SUBRESOURCES: Final[Mapping[str, Verbs]] = {
    **{name: _part(door) for name, door in DOORS.items()},
    "scale": {"get": scale.get, "update": scale.put, "patch": scale.patched},
    "binding": {"create": binding.bind},
    "eviction": {"create": eviction.evict},
    "token": {"create": _token},
}
