"""``pods/eviction``: a deletion that disruption budgets may refuse (registry/core/pod/storage.EvictionREST)."""

from __future__ import annotations

from typing import Final

from pybernetes.meta import errors
from pybernetes.server.context import Response
from pybernetes.server.registry import decode, deleteoptions, deletion, encode
from pybernetes.server.registry.call import Call

_DEFINITION: Final = "io.k8s.api.policy.v1.Eviction"


async def evict(call: Call) -> Response:
    """POST to ``pods/<name>/eviction``."""
    eviction = decode.sub_body(call, "policy/v1", "Eviction", _DEFINITION)
    name = (eviction.get("metadata") or {}).get("name") or call.name
    if name != call.name:
        raise errors.BadRequest("name in URL does not match name in Eviction object")
    options = deleteoptions.made(eviction.get("deleteOptions") or {})
    call.dry_run = call.dry_run or bool(options.raw.get("dryRun"))
    attributes = call.attributes("create", eviction, None)
    await call.context.admission.admit(attributes)
    await call.context.admission.validate(attributes)
    await deletion.remove(call, options)
    return encode.plain(call, encode.success(code=201), 201)
