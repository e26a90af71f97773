"""One family of errors: a class per ``metav1.Status`` reason, with upstream's codes and sentences.

Everything in the project that refuses a request raises one of these; the server turns it into a Status body
(:meth:`ApiError.status`) and the client turns a Status body back into it (:func:`from_status`).
Wording follows apimachinery/pkg/api/errors, because clients and people match on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pybernetes.meta.objects import Obj


@dataclass(frozen=True, slots=True)
class Cause:
    """One entry of ``status.details.causes``."""

    reason: str
    message: str
    field: str = ""

    def as_dict(self) -> Obj:
        out: Obj = {"reason": self.reason, "message": self.message}
        if self.field:
            out["field"] = self.field
        return out


class ApiError(Exception):
    """A refusal that a client sees as a Status. Subclasses name the reason and its HTTP code."""

    code: ClassVar[int] = 500
    reason: ClassVar[str] = "InternalError"

    def __init__(
        self,
        message: str,
        *,
        group: str = "",
        kind: str = "",
        name: str = "",
        uid: str = "",
        causes: Sequence[Cause] = (),
        retry_after_seconds: int = 0,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.group, self.kind, self.name, self.uid = group, kind, name, uid
        self.causes = tuple(causes)
        self.retry_after_seconds = retry_after_seconds
        self.http_code = type(self).code

    def status(self) -> Obj:
        """The ``metav1.Status`` that goes over the wire."""
        details: Obj = {}
        for key, value in (("name", self.name), ("group", self.group), ("kind", self.kind), ("uid", self.uid)):
            if value:
                details[key] = value
        if self.causes:
            details["causes"] = [c.as_dict() for c in self.causes]
        if self.retry_after_seconds:
            details["retryAfterSeconds"] = self.retry_after_seconds
        out: Obj = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": type(self).reason,
            "code": self.http_code,
        }
        if not out["reason"]:
            del out["reason"]
        if details:
            out["details"] = details
        return out


class BadRequest(ApiError):
    code, reason = 400, "BadRequest"


class Unauthorized(ApiError):
    code, reason = 401, "Unauthorized"


class Forbidden(ApiError):
    code, reason = 403, "Forbidden"


class NotFound(ApiError):
    code, reason = 404, "NotFound"


class MethodNotAllowed(ApiError):
    code, reason = 405, "MethodNotAllowed"


class NotAcceptable(ApiError):
    code, reason = 406, "NotAcceptable"


class AlreadyExists(ApiError):
    code, reason = 409, "AlreadyExists"


class Conflict(ApiError):
    code, reason = 409, "Conflict"


class Gone(ApiError):
    code, reason = 410, "Gone"


class Expired(ApiError):
    """A resourceVersion or continue token older than the retained history."""

    code, reason = 410, "Expired"


class RequestEntityTooLarge(ApiError):
    code, reason = 413, "RequestEntityTooLarge"


class UnsupportedMediaType(ApiError):
    code, reason = 415, "UnsupportedMediaType"


class Invalid(ApiError):
    code, reason = 422, "Invalid"


class TooManyRequests(ApiError):
    code, reason = 429, "TooManyRequests"


class InternalError(ApiError):
    code, reason = 500, "InternalError"


class ServiceUnavailable(ApiError):
    code, reason = 503, "ServiceUnavailable"


class Timeout(ApiError):
    """The server could not answer in time; nothing is known of the outcome (upstream: ``Timeout``, 504)."""

    code, reason = 504, "Timeout"


class Unexplained(ApiError):
    """A refusal that upstream tells without any reason: its code did not expect it, but its users see it."""

    code, reason = 500, ""


_CLASSES: tuple[type[ApiError], ...] = (
    BadRequest, Unauthorized, Forbidden, NotFound, MethodNotAllowed, NotAcceptable, AlreadyExists, Conflict,
    Gone, Expired, RequestEntityTooLarge, UnsupportedMediaType, Invalid, TooManyRequests, InternalError,
    ServiceUnavailable, Timeout,
)  # fmt: skip
_BY_REASON: dict[str, type[ApiError]] = {c.reason: c for c in _CLASSES}
_BY_CODE: dict[int, type[ApiError]] = {c.code: c for c in reversed(_CLASSES)}


def from_status(status: Obj, http_code: int = 500) -> ApiError:
    """The error that a Status body tells of; an unknown reason falls back to the HTTP code's class."""
    code = int(status.get("code") or http_code)
    cls = _BY_REASON.get(str(status.get("reason", ""))) or _BY_CODE.get(code, ApiError)
    details = status.get("details") or {}
    error = cls(
        str(status.get("message", "")) or f"the server answered {code}",
        group=details.get("group", ""),
        kind=details.get("kind", ""),
        name=details.get("name", ""),
        uid=details.get("uid", ""),
        causes=[
            Cause(c.get("reason", ""), c.get("message", ""), c.get("field", "")) for c in details.get("causes") or ()
        ],
        retry_after_seconds=int(details.get("retryAfterSeconds") or 0),
    )
    error.http_code = code
    return error


# ── sentences ────────────────────────────────────────────────────────────────────────────────────────────


def qualified(resource: str, group: str) -> str:
    """``deployments.apps``; plain ``pods`` for the core group."""
    return f"{resource}.{group}" if group else resource


def not_found(group: str, resource: str, name: str) -> NotFound:
    return NotFound(f'{qualified(resource, group)} "{name}" not found', group=group, kind=resource, name=name)


def already_exists(group: str, resource: str, name: str) -> AlreadyExists:
    return AlreadyExists(f'{qualified(resource, group)} "{name}" already exists', group=group, kind=resource, name=name)


def conflict(group: str, resource: str, name: str, why: str) -> Conflict:
    return Conflict(
        f'Operation cannot be fulfilled on {qualified(resource, group)} "{name}": {why}',
        group=group, kind=resource, name=name,
    )  # fmt: skip


MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def forbidden(group: str, resource: str, name: str, why: str) -> Forbidden:
    subject = f'{qualified(resource, group)} "{name}"' if name else f"{qualified(resource, group)}"
    return Forbidden(f"{subject} is forbidden: {why}", group=group, kind=resource, name=name)


def method_not_supported(group: str, resource: str, verb: str) -> MethodNotAllowed:
    return MethodNotAllowed(
        f"{verb} is not supported on resources of kind {qualified(resource, group)!r}".replace("'", '"')
    )


# ── field errors (apimachinery/pkg/util/validation/field) ────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field. ``reason`` is field.ErrorType's string, ``message`` is field.Error's body text."""

    reason: str
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


def _shown(value: Any) -> str:
    """A value as field.Error prints it: strings quoted, true/false, null, and structures as JSON."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        import json

        return json.dumps(value, separators=(",", ":"), sort_keys=True)
    return str(value)


def required(path: str, detail: str = "") -> FieldError:
    return FieldError("FieldValueRequired", path, "Required value" + (f": {detail}" if detail else ""))


def invalid(path: str, value: Any, detail: str) -> FieldError:
    return FieldError("FieldValueInvalid", path, f"Invalid value: {_shown(value)}" + (f": {detail}" if detail else ""))


def not_supported(path: str, value: Any, supported: Sequence[str]) -> FieldError:
    listed = ", ".join(_shown(s) for s in sorted(supported))
    return FieldError("FieldValueNotSupported", path, f"Unsupported value: {_shown(value)}: supported values: {listed}")


def duplicate(path: str, value: Any) -> FieldError:
    return FieldError("FieldValueDuplicate", path, f"Duplicate value: {_shown(value)}")


def field_forbidden(path: str, detail: str) -> FieldError:
    return FieldError("FieldValueForbidden", path, f"Forbidden: {detail}")


def too_long(path: str, maximum: int, unit: str = "bytes") -> FieldError:
    return FieldError("FieldValueTooLong", path, f"Too long: may not be more than {maximum} {unit}")


def too_many(path: str, actual: int, maximum: int) -> FieldError:
    return FieldError("FieldValueTooMany", path, f"Too many: {actual}: must have at most {maximum} items")


def type_invalid(path: str, value: Any, detail: str) -> FieldError:
    return FieldError("FieldValueTypeInvalid", path, f"Invalid value: {_shown(value)}: {detail}")


def field_not_found(path: str, value: Any) -> FieldError:
    return FieldError("FieldValueNotFound", path, f"Not found: {_shown(value)}")


def invalid_object(group: str, kind: str, name: str, errors: Sequence[FieldError]) -> Invalid:
    """``Deployment.apps "x" is invalid: spec.replicas: Invalid value: …`` with a cause per field error."""
    texts = list(dict.fromkeys(str(e) for e in errors))
    body = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
    return Invalid(
        f'{qualified(kind, group)} "{name}" is invalid: {body}',
        group=group, kind=kind, name=name,
        causes=[Cause(e.reason, e.message, e.path) for e in errors],
    )  # fmt: skip
