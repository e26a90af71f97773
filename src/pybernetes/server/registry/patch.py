"""patch: what is stored, changed by a JSON, merge, strategic or apply patch, and then an update like any other.

Rule 1: a patch is applied to the asked form and tried again when somebody else was faster, unless it names a
        resourceVersion itself.
Rule 2: an apply patch creates what is not there (KEP-555); any other one needs an object.
Neighbours: ``meta/jsonpatch.py``, ``mergepatch.py``, ``strategic.py`` and ``apply.py`` do the arithmetic; sentences are
those of apiserver/pkg/endpoints/handlers/patch.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from pybernetes.kinds.kind import Kind
from pybernetes.meta import errors, jsonpatch, manifest, mergepatch, strategic
from pybernetes.meta.objects import Obj
from pybernetes.server import negotiate
from pybernetes.server.context import Response
from pybernetes.server.registry import create, decode, encode, managed, update
from pybernetes.server.registry.call import Call
from pybernetes.server.registry.doors import OBJECT, Door
from pybernetes.storage import codec
from pybernetes.storage.port import Record

JSON: Final = "application/json-patch+json"
MERGE: Final = "application/merge-patch+json"
STRATEGIC: Final = "application/strategic-merge-patch+json"
APPLY: Final = "application/apply-patch+yaml"
Change: TypeAlias = Callable[[Obj], Obj]
"""From an object that may be used up to the patched one."""


async def patch(call: Call, door: Door = OBJECT) -> Response:
    """PATCH of an object, or of a part of it through a narrower door."""
    answer = encode.wanted(call)
    media = media_of(call)
    body = body_of(call, media)
    if media == APPLY and door is OBJECT and call.context.cache.get(call.key) is None:
        try:
            return encode.stored(call, await create.insert(call, _applied_new(call, body)), answer, 201)
        except errors.AlreadyExists:
            if call.context.cache.get(call.key) is None:
                raise
    change = changer(call, media, body, call.kind.definition)

    def changed(record: Record) -> Obj:
        patched = change(call.asked_form(codec.decode_record(record)))
        return call.stored_form(checked(call, patched, call.kind, body))

    return encode.stored(call, await update.modify(call, changed, door), answer)


def media_of(call: Call) -> str:
    """The kind of patch. Raises UnsupportedMediaType and Invalid."""
    media = call.request.headers.get("content-type", "").partition(";")[0].strip()
    accepted = tuple(name for name in (JSON, MERGE, STRATEGIC, APPLY) if not (call.kind.custom and name == STRATEGIC))
    if media not in accepted:
        raise negotiate.unsupported(accepted)
    _check_options(call, media)
    return media


def _check_options(call: Call, media: str) -> None:
    """validation.ValidatePatchOptions."""
    param = call.request.param
    if media == APPLY and not param("fieldManager"):
        wrong = errors.required("fieldManager", "is required for apply patch")
    elif media != APPLY and param("force"):
        wrong = errors.field_forbidden("force", "may not be specified for non-apply patch")
    else:
        return
    raise errors.invalid_object("meta.k8s.io", "PatchOptions", "", [wrong])


def body_of(call: Call, media: str) -> Any:
    """The patch as a JSON value. Raises BadRequest."""
    request = call.request
    if len(request.body) > decode.BODY_BYTES_MAX:
        raise decode.too_large()
    if media == APPLY:
        return _applied_body(call)
    value = negotiate.decode(request.body, negotiate.JSON) if request.obj is None else request.obj
    if media != JSON and not isinstance(value, dict):
        raise errors.BadRequest("json: cannot unmarshal array into Go value of type map[string]interface {}")
    return value


def _applied_body(call: Call) -> Obj:
    """An object that at least names itself, as YAML or JSON."""
    try:
        value = manifest.loads(call.request.body) if call.request.obj is None else decode.copied(call.request.obj)
    except manifest.ManifestError as error:
        raise errors.BadRequest(f"error decoding YAML: {error}") from error
    if not isinstance(value, dict) or not isinstance(value.get("metadata", {}), dict):
        raise errors.BadRequest("error decoding YAML: the patch is no object with metadata")
    value["metadata"] = {"name": call.name, **(value.get("metadata") or {})}
    return value


def changer(call: Call, media: str, body: Any, definition: str) -> Change:
    """What the patch does to an object of ``definition``; each time with a copy of its own, since parts of a patch
    become parts of the object."""

    def change(obj: Obj) -> Obj:
        patched: Obj = _PATCHES[media](call, definition, obj, decode.copied(body))
        return patched

    return change


_PATCHES: Final[Mapping[str, Callable[[Call, str, Obj, Any], Any]]] = {
    JSON: lambda call, definition, obj, body: jsonpatch.apply(obj, body),
    MERGE: lambda call, definition, obj, body: mergepatch.apply(obj, body),
    STRATEGIC: lambda call, definition, obj, body: strategic.apply(call.context.schemas, definition, obj, body),
    APPLY: lambda call, definition, obj, body: managed.applied(call, obj, body),
}


def _applied_new(call: Call, body: Obj) -> Obj:
    """The object that an apply patch creates."""
    obj = checked(call, managed.applied(call, None, decode.copied(body)), call.kind, body)
    create.placed(call, obj)
    return call.stored_form(obj)


def checked(call: Call, patched: Any, kind: Kind, body: Any) -> Obj:
    """The patched object, inspected as a body would be. Raises BadRequest and Invalid."""
    if not isinstance(patched, dict) or not isinstance(patched.get("metadata"), dict):
        raise errors.BadRequest("the patched object is no object with metadata")
    for key, expected in (("apiVersion", kind.api_version), ("kind", kind.kind)):
        if patched.get(key) != expected:
            raise errors.BadRequest(f"a patch may not change {key} from {expected!r} to {patched.get(key)!r}")

    def refuse(why: str) -> errors.ApiError:
        return errors.invalid_object("", "", "", [errors.invalid("patch", body, why)])

    obj = decode.inspected(call, kind.definition, patched, refuse)
    if obj["metadata"].get("name") != call.name:
        named = obj["metadata"].get("name") or ""
        raise errors.BadRequest(f"the name of the object ({named}) does not match the name on the URL ({call.name})")
    return obj
