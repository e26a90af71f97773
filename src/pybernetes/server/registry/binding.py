"""``pods/binding`` and ``bindings``: a pod gets its node, once and for all (registry/core/pod/storage.BindingREST)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from pybernetes.meta import errors
from pybernetes.meta.objects import Obj
from pybernetes.server.context import Response
from pybernetes.server.registry import decode, encode, read, update
from pybernetes.server.registry.call import Call
from pybernetes.storage import codec
from pybernetes.storage.port import Mismatch

_DEFINITION: Final = "io.k8s.api.core.v1.Binding"
_MERGED: Final = ("annotations", "labels")


async def bind(call: Call) -> Response:
    """POST to ``pods/<name>/binding``, or to ``bindings`` with the pod's name in the body."""
    binding = decode.sub_body(call, "v1", "Binding", _DEFINITION)
    meta = binding.get("metadata") or {}
    if call.row.plural != "pods":
        row = call.context.kinds.by_path("", "v1", "pods")
        assert row is not None
        call = replace(call, kind=row, row=row, name=meta.get("name") or "", subresource="binding")
    elif (meta.get("name") or call.name) != call.name:
        raise errors.BadRequest(f"the name in the binding ({meta['name']}) does not match the pod's ({call.name})")
    _check_target(call, binding)
    attributes = call.attributes("create", binding, None)
    await call.context.admission.admit(attributes)
    await call.context.admission.validate(attributes)
    await _assign(call, binding.get("metadata") or {}, str(binding["target"]["name"]))
    return encode.plain(call, encode.success(code=201), 201)


def _check_target(call: Call, binding: Obj) -> None:
    target, found = binding.get("target") or {}, []
    if target.get("kind") not in (None, "", "Node"):
        found.append(errors.not_supported("target.kind", target["kind"], ("Node", "<empty>")))
    if not target.get("name"):
        found.append(errors.required("target.name"))
    if found:
        raise errors.invalid_object("", "Binding", call.name, found)


async def _assign(call: Call, meta: Obj, node: str) -> None:
    context = call.context
    for _ in range(update.ATTEMPTS):
        record = read.record_of(call)
        pod = context.decoded.record(record)
        if why := _objection(pod, meta):
            raise errors.conflict("", "pods/binding", call.name, why)
        bound = _bound(pod, meta, node, context.timestamp())
        if call.dry_run:
            return
        value = codec.encode(bound)
        context.decoded.put(value, bound)
        try:
            await context.cache.write(call.key, value, expect=record.revision)
        except Mismatch:
            continue  # changed meanwhile: it may be bound by now
        return
    raise call.conflict()


def _objection(pod: Obj, meta: Obj) -> str:
    """Why a pod cannot be bound; empty where it can."""
    name, uid, spec = pod["metadata"]["name"], pod["metadata"].get("uid", ""), pod["spec"]
    if meta.get("uid") and meta["uid"] != uid:
        return f"Precondition failed: UID in precondition: {meta['uid']}, UID in object meta: {uid}"
    if meta.get("resourceVersion") and meta["resourceVersion"] != pod["metadata"].get("resourceVersion"):
        return errors.MODIFIED
    if pod["metadata"].get("deletionTimestamp"):
        return f"pod {name} is being deleted, cannot be assigned to a host"
    if spec.get("nodeName"):
        return f'pod {name} is already assigned to node "{spec["nodeName"]}"'
    if spec.get("schedulingGates"):
        return f"pod {name} has non-empty .spec.schedulingGates"
    return ""


def _bound(pod: Obj, meta: Obj, node: str, now: str) -> Obj:
    """The pod on its node, as a dict that shares what stays; its metadata is its own."""
    status = dict(pod.get("status") or {})
    conditions = [c for c in status.get("conditions") or () if c.get("type") != "PodScheduled"]
    scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": now}
    status["conditions"] = [*conditions, scheduled]
    metadata = dict(pod["metadata"])
    for key in _MERGED:
        if meta.get(key):
            metadata[key] = {**(metadata.get(key) or {}), **meta[key]}
    return {**pod, "metadata": metadata, "spec": {**pod["spec"], "nodeName": node}, "status": status}
