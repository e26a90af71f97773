"""From a body to an object of the caller's own: its form, its kind, its types and the fields nobody knows.

Rule 1: what is answered belongs to the caller of these functions down to its last dict; an in-process body is copied,
        because controllers hand over objects that share parts with the informers' caches.
Rule 2: ``fieldValidation`` says what happens to unknown fields; a wrong type is always refused, null means absent.
Neighbours: ``server/negotiate.py`` knows the forms, ``meta/schema.py`` inspects; sentences are those of
apiserver/pkg/endpoints/handlers (transformDecodeError).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import orjson

from pybernetes.meta import errors
from pybernetes.meta.objects import Obj
from pybernetes.server import negotiate
from pybernetes.server.context import Request
from pybernetes.server.registry import duplicates
from pybernetes.server.registry.call import Call

BODY_BYTES_MAX: Final = 3 * 1024 * 1024
_DIRECTIVES: Final = ("", "Ignore", "Strict", "Warn")
Refuse = Callable[[str], errors.ApiError]


def body(call: Call) -> Obj:
    """The object of the request in the form of ``call.kind``, inspected."""
    kind = call.kind
    if kind.custom and call.request.obj is None:
        _check_form(call.request)
    obj = typed(call.request, kind.api_version, kind.kind)
    return inspected(call, kind.definition, obj, _decode_refusal(obj, kind.version, kind.kind))


def _check_form(request: Request) -> None:
    """A custom resource has no protobuf message. Raises UnsupportedMediaType."""
    if negotiate.body_format(request.headers.get("content-type", "")) == "protobuf":
        raise negotiate.unsupported((negotiate.JSON, negotiate.YAML))


def sub_body(call: Call, api_version: str, kind: str, definition: str) -> Obj:
    """The object of a subresource with a kind of its own (Binding, Scale, TokenRequest …)."""
    obj = typed(call.request, api_version, kind)
    return inspected(call, definition, obj, _decode_refusal(obj, api_version.rpartition("/")[2], kind))


def typed(request: Request, api_version: str, kind: str) -> Obj:
    """The body as an object that says which kind it is. Raises BadRequest where it is another one."""
    obj = raw(request, api_version=api_version, kind=kind)
    if not isinstance(obj, dict):
        raise errors.BadRequest(
            "couldn't get version/kind; json parse error: json: cannot unmarshal into Go value of type struct"
        )
    told_version, told_kind = obj.get("apiVersion") or api_version, obj.get("kind") or kind
    if told_version != api_version:
        raise errors.BadRequest(
            f"the API version in the data ({told_version}) does not match the expected API version ({api_version})"
        )
    if told_kind != kind:
        version = api_version.rpartition("/")[2]
        raise errors.BadRequest(
            f'{told_kind} in version "{version}" cannot be handled as a {kind}: '
            f"converting ({version}.{told_kind}) to ({version}.{kind}): unknown conversion"
        )
    obj["apiVersion"], obj["kind"] = api_version, kind
    return obj


def raw(request: Request, *, api_version: str = "", kind: str = "") -> Any:
    """The JSON value of the body, whatever it is."""
    if request.obj is not None:
        return copied(request.obj)
    if len(request.body) > BODY_BYTES_MAX:
        raise too_large()
    return negotiate.decode(request.body, request.headers.get("content-type", ""), api_version=api_version, kind=kind)


def copied(value: Any) -> Any:
    """A JSON value of the caller's own, by way of its bytes, which is the fastest deep copy there is."""
    return orjson.loads(orjson.dumps(value))


def too_large() -> errors.RequestEntityTooLarge:
    return errors.RequestEntityTooLarge(f"Request entity too large: limit is {BODY_BYTES_MAX}")


def _decode_refusal(obj: Obj, version: str, kind: str) -> Refuse:
    def refuse(why: str) -> errors.ApiError:
        return errors.BadRequest(f'{obj["kind"]} in version "{version}" cannot be handled as a {kind}: {why}')

    return refuse


def inspected(call: Call, definition: str, obj: Obj, refuse: Refuse) -> Obj:
    """The object without what its schema does not know, refused or warned of as ``fieldValidation`` asks."""
    schemas = call.context.schemas
    directive = call.request.param("fieldValidation") if call.request.query else ""
    if directive not in _DIRECTIVES:
        raise _unknown_directive(call, directive)
    report = schemas.inspect(definition, obj)
    if report.decode:
        raise refuse(report.decode[0])
    told = [f'unknown field "{path}"' for path in report.unknown]
    if directive in ("Strict", "Warn") and call.request.body:
        told += [f'duplicate field "{path}"' for path in duplicates.fields(call.request.body)]
    if told:
        _tell(call, told, directive, refuse)
    if report.unknown or report.nulls:
        pruned: Obj = schemas.drop_unknown(definition, obj)
        return pruned
    return obj


def _tell(call: Call, told: Sequence[str], directive: str, refuse: Refuse) -> None:
    """Refuse or warn because of fields that are unknown or said twice."""
    if directive == "Strict":
        raise refuse("strict decoding error: " + ", ".join(told))
    if directive != "Ignore":
        for text in told:
            call.warn(text)


def _unknown_directive(call: Call, directive: str) -> errors.Invalid:
    options = {"create": "CreateOptions", "patch": "PatchOptions"}.get(call.info.verb, "UpdateOptions")
    wrong = errors.not_supported("fieldValidation", directive, _DIRECTIVES)
    return errors.invalid_object("meta.k8s.io", options, "", [wrong])
