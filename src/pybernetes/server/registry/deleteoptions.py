"""metav1.DeleteOptions: from the body or from the query, and judged (validation.ValidateDeleteOptions)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from pybernetes.kinds.strategy import check
from pybernetes.meta import errors
from pybernetes.meta.errors import FieldError
from pybernetes.meta.objects import Obj
from pybernetes.server.registry import decode
from pybernetes.server.registry.call import Call

ORPHAN: Final = "Orphan"
FOREGROUND: Final = "Foreground"
BACKGROUND: Final = "Background"
_POLICIES: Final = (BACKGROUND, FOREGROUND, ORPHAN)
_DEFINITION: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions"


@dataclass(frozen=True, slots=True)
class Options:
    grace_period_seconds: int | None = None
    propagation: str = ""
    """Orphan, Foreground, Background, or empty where nobody said."""
    uid: str = ""
    resource_version: str = ""
    raw: Obj = field(default_factory=dict)
    """As admission gets them."""


def of(call: Call) -> Options:
    """Raises BadRequest and Invalid."""
    request = call.request
    has_body = request.obj is not None or bool(request.body)
    raw = _body(call) if has_body else _query(call)
    found = list(_complaints(raw))
    if found:
        raise errors.invalid_object("meta.k8s.io", "DeleteOptions", "", found)
    if raw.get("dryRun"):
        call.dry_run = True
    return made(raw)


def made(raw: Obj) -> Options:
    """Options of a DeleteOptions object that is right."""
    preconditions = raw.get("preconditions") or {}
    propagation = raw.get("propagationPolicy") or ""
    if raw.get("orphanDependents") is not None:
        propagation = ORPHAN if raw["orphanDependents"] else BACKGROUND
    return Options(
        raw.get("gracePeriodSeconds"), propagation, preconditions.get("uid") or "",
        preconditions.get("resourceVersion") or "", raw,
    )  # fmt: skip


def _body(call: Call) -> Obj:
    """Clients send the options under the group they are talking to (``policy/v1``) as well as under ``v1``."""
    obj = decode.raw(call.request, api_version="v1", kind="DeleteOptions")
    if not isinstance(obj, dict):
        raise errors.BadRequest("couldn't get version/kind; json parse error: the body is not an object")
    if obj.get("kind", "DeleteOptions") != "DeleteOptions":
        raise errors.BadRequest(f"decoded object cannot be converted to DeleteOptions: {obj['kind']}")
    wrong = call.context.schemas.decode_errors(_DEFINITION, obj)
    if wrong:
        raise errors.BadRequest(wrong[0])
    return obj


def _query(call: Call) -> Obj:
    request = call.request
    obj: Obj = {}
    if not request.query:
        return {}
    if seconds := request.param("gracePeriodSeconds"):
        if not seconds.lstrip("-").isdecimal():
            raise errors.BadRequest(f'strconv.ParseInt: parsing "{seconds}": invalid syntax')
        obj["gracePeriodSeconds"] = int(seconds)
    if policy := request.param("propagationPolicy"):
        obj["propagationPolicy"] = policy
    if request.param("orphanDependents"):
        obj["orphanDependents"] = request.flag("orphanDependents")
    return obj


def _complaints(raw: Obj) -> check.Errors:
    if (policy := raw.get("propagationPolicy")) and raw.get("orphanDependents") is not None:
        text = "orphanDependents and deletionPropagation cannot be both set"
        yield FieldError("FieldValueInvalid", "propagationPolicy", f'Invalid value: "{policy}": {text}')
    elif policy and policy not in _POLICIES:
        text = f"Unsupported value: {policy!r}: supported values: ".replace("'", '"')
        listed = ", ".join(f'"{word}"' for word in (FOREGROUND, BACKGROUND, ORPHAN, "nil"))
        yield FieldError("FieldValueNotSupported", "propagationPolicy", text + listed)
    if raw.get("dryRun") and raw["dryRun"] != ["All"]:
        yield errors.not_supported("dryRun", raw["dryRun"], ("All",))
    yield from check.non_negative(raw.get("gracePeriodSeconds"), "gracePeriodSeconds")
