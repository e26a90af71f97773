"""Audit events: a request at one of its stages, as ``audit.k8s.io/v1`` tells it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pybernetes.meta import errors, objects, times
from pybernetes.meta.objects import Obj
from pybernetes.server import negotiate
from pybernetes.server.auditing.policy import Level, Wanted
from pybernetes.server.context import Info, Request, Response, User

_BODIES: Final = ("create", "update", "patch", "delete", "deletecollection")


def build(request: Request, wanted: Wanted, stage: str, received: float, now: float) -> Obj:
    """What is known of a request without its bodies and its end; times are Unix seconds."""
    info, user = request.info, request.impersonator or request.user
    assert info is not None
    assert user is not None
    event: Obj = {
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": wanted.level.shown, "auditID": request.audit_id,
        "stage": stage, "requestURI": request.raw_target or request.path, "verb": info.verb, "user": _user(user),
    }  # fmt: skip
    if request.impersonator is not None and request.user is not None:
        event["impersonatedUser"] = _user(request.user)
    if request.remote:
        event["sourceIPs"] = [request.remote.rpartition(":")[0]]
    if agent := request.headers.get("user-agent"):
        event["userAgent"] = agent
    if info.is_resource:
        event["objectRef"] = _reference(info)
    event["requestReceivedTimestamp"], event["stageTimestamp"] = times.render_micro(received), times.render_micro(now)
    if request.annotations:
        event["annotations"] = dict(request.annotations)
    return event


def asked(request: Request, wanted: Wanted) -> Any:
    """The request's body as an object; None where it has none, or where it is nothing to read."""
    assert request.info is not None
    if wanted.level < Level.REQUEST or not request.info.is_resource or request.info.verb not in _BODIES:
        return None
    body = request.obj if request.obj is not None else _decoded(request.body, request.headers.get("content-type", ""))
    return _trimmed(body, wanted)


def ended(response: Response | errors.ApiError) -> Obj:
    """``responseStatus``."""
    if isinstance(response, errors.ApiError):
        status = response.status()
        told = {key: status[key] for key in ("status", "message", "reason", "details") if status.get(key)}
        return {"metadata": {}, **told, "code": response.http_code}
    return {"metadata": {}, "code": response.status}


def answered(response: Response | errors.ApiError, wanted: Wanted) -> Any:
    """The answer's body as an object, or None."""
    if wanted.level < Level.REQUEST_RESPONSE:
        return None
    if isinstance(response, errors.ApiError):
        return response.status()
    body = response.obj if response.obj is not None else _decoded(response.body, response.content_type)
    return _trimmed(body, wanted)


def _decoded(body: bytes, content_type: str) -> Any:
    if not body:
        return None
    media = content_type.partition(";")[0].strip()
    try:
        return negotiate.decode(body, "application/json" if media.endswith("+json") else media)
    except errors.ApiError:
        return None  # a log, a table of metrics, or what the server refuses for the same reason


def _trimmed(body: Any, wanted: Wanted) -> Any:
    if wanted.without_managed_fields and isinstance(body, dict) and objects.meta(body).get("managedFields"):
        return objects.without(body, ("metadata", "managedFields"))
    return body


def _user(user: User) -> Obj:
    told: Mapping[str, Any] = {
        "username": user.name, "uid": user.uid, "groups": list(user.groups),
        "extra": {key: list(values) for key, values in user.extra.items()},
    }  # fmt: skip
    return {key: value for key, value in told.items() if value}


def _reference(info: Info) -> Obj:
    told = {
        "resource": info.resource, "namespace": info.namespace, "name": info.name, "apiGroup": info.group,
        "apiVersion": info.version, "subresource": info.subresource,
    }  # fmt: skip
    return {key: value for key, value in told.items() if value}
