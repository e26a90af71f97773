"""The ``scale`` subresource: how many replicas a workload has and shall have, in one form for all of them.

Sources: pkg/registry/apps/*/storage (ScaleREST), autoscaling/v1 Scale. The object written is the workload itself.
"""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.kind import Kind, ScalePaths
from pybernetes.meta import errors, selectors
from pybernetes.meta.objects import Obj, evolve
from pybernetes.meta.objects import get as get_at
from pybernetes.server.context import Response
from pybernetes.server.registry import decode, encode, patch, read, update
from pybernetes.server.registry.call import Call
from pybernetes.storage import codec
from pybernetes.storage.port import Record

_API_VERSION: Final = "autoscaling/v1"
_DEFINITION: Final = "io.k8s.api.autoscaling.v1.Scale"
_PATHS: Final = ScalePaths(("spec", "replicas"), ("status", "replicas"), ("spec", "selector"))
_META: Final = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def of(kind: Kind, workload: Obj) -> Obj:
    """The Scale of a workload."""
    paths = kind.scale or _PATHS
    wanted = get_at(workload, *paths.wanted, default=0)
    told: Obj = {"replicas": get_at(workload, *paths.actual, default=0)}
    if text := _selector_text(workload, get_at(workload, *paths.selector) if paths.selector else None):
        told["selector"] = text
    meta = workload["metadata"]
    return {
        "kind": "Scale",
        "apiVersion": _API_VERSION,
        "metadata": {key: meta[key] for key in _META if key in meta},
        "spec": {"replicas": wanted} if wanted else {},
        "status": told,
    }


def _selector_text(workload: Obj, selector: Obj | str | None) -> str:
    if isinstance(selector, str):
        return selector
    if workload["kind"] == "ReplicationController":
        return selectors.set_as_text(selector)
    return str(selectors.from_label_selector(selector))


async def get(call: Call) -> Response:
    record = read.record_of(call)
    return encode.plain(call, of(call.kind, call.asked_form(call.context.decoded.record(record))))


async def put(call: Call) -> Response:
    scale = decode.sub_body(call, _API_VERSION, "Scale", _DEFINITION)
    return await _write(call, lambda _: scale)


async def patched(call: Call) -> Response:
    media = patch.media_of(call)
    body = patch.body_of(call, media)
    change = patch.changer(call, patch.MERGE if media == patch.APPLY else media, body, _DEFINITION)

    def changed(current: Obj) -> Obj:
        scale = change(current)
        if wrong := call.context.schemas.decode_errors(_DEFINITION, scale):
            raise errors.BadRequest(wrong[0])
        return scale

    return await _write(call, changed)


async def _write(call: Call, change: patch.Change) -> Response:
    def scaled(record: Record) -> Obj:
        workload = codec.decode_record(record)
        scale = change(of(call.kind, call.asked_form(workload)))
        replicas = (scale.get("spec") or {}).get("replicas") or 0
        _check(call, scale, replicas)
        version = (scale.get("metadata") or {}).get("resourceVersion") or ""
        wanted = (call.kind.scale or _PATHS).wanted
        return evolve(evolve(workload, wanted, replicas), ("metadata", "resourceVersion"), version)

    stored = await update.modify(call, scaled)
    obj = stored.obj if stored.obj is not None else call.context.decoded.value(stored.value, stored.revision)
    return encode.plain(call, of(call.kind, call.asked_form(obj)))


def _check(call: Call, scale: Obj, replicas: int) -> None:
    name = (scale.get("metadata") or {}).get("name") or call.name
    if name != call.name:
        raise errors.BadRequest(f"the name of the object ({name}) does not match the name on the URL ({call.name})")
    if replicas < 0:
        wrong = errors.invalid("spec.replicas", replicas, "must be greater than or equal to 0")
        raise errors.invalid_object("autoscaling", "Scale", call.name, [wrong])
