"""AdmissionReview: the question that goes to a webhook, and what its answer has to be.

Source: apiserver/pkg/admission/plugin/webhook/request, errors. Pure.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from pybernetes.kinds.kind import Kind
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj
from pybernetes.server.admission.dynamic.question import Write

_GROUP: Final = "admission.k8s.io"
VERSIONS: Final = ("v1", "v1beta1")
"""Of the versions that a webhook takes the first one that we know is used."""


class BadAnswer(Exception):
    """The webhook did not answer as it has to."""


@dataclass(frozen=True, slots=True)
class Answer:
    allowed: bool
    result: Obj
    patch: Any = None
    """Operations of a JSON patch; None where nothing is to be changed."""
    warnings: tuple[str, ...] = ()
    annotations: dict[str, str] = field(default_factory=dict)


def question(write: Write, row: Kind, uid: str, version: str) -> bytes:
    """The body of the POST."""
    a = write.attributes
    request = write.request(row, uid)
    request["object"], request["oldObject"] = write.shown(row, a.obj), write.shown(row, a.old)
    return orjson.dumps({"kind": "AdmissionReview", "apiVersion": f"{_GROUP}/{version}", "request": request})


def answer(body: bytes, uid: str, version: str, *, mutating: bool) -> Answer:
    """Raises BadAnswer."""
    try:
        review = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadAnswer(f"couldn't get version/kind; json parse error: {error}") from error
    response = review.get("response") if isinstance(review, dict) else None
    if not isinstance(response, dict):
        raise BadAnswer("webhook response was absent")
    if version == "v1":
        _check(review, response, uid, version)
    if not mutating and (response.get("patch") or response.get("patchType")):
        raise BadAnswer(
            f"validating webhook may not return response.{'patch' if response.get('patch') else 'patchType'}"
        )
    return Answer(
        bool(response.get("allowed")), response.get("status") or {}, _patch(response, version),
        tuple(response.get("warnings") or ()), response.get("auditAnnotations") or {},
    )  # fmt: skip


def _check(review: Obj, response: Obj, uid: str, version: str) -> None:
    if response.get("uid") != uid:
        raise BadAnswer(f'expected response.uid="{uid}", got "{response.get("uid") or ""}"')
    told = (review.get("apiVersion"), review.get("kind"))
    if told != (f"{_GROUP}/{version}", "AdmissionReview"):
        raise BadAnswer(
            f"expected webhook response of {_GROUP}/{version}, Kind=AdmissionReview, got {told[0] or ''}, "
            f"Kind={told[1] or ''}"
        )


def _patch(response: Obj, version: str) -> Any:
    patch, kind = response.get("patch"), response.get("patchType")
    if not patch:
        return None
    if kind is None and version == "v1":
        raise BadAnswer("webhook returned response.patch but not response.patchType")
    if kind not in ("JSONPatch", None):
        raise BadAnswer(f'webhook returned invalid response.patchType of "{kind}"')
    try:
        return orjson.loads(base64.b64decode(patch, validate=True))
    except (binascii.Error, ValueError) as error:
        raise BadAnswer(f"webhook returned response.patch that cannot be read: {error}") from error


def refusal(name: str, result: Obj) -> errors.ApiError:
    """The refusal of a webhook as the client sees it (webhookerrors.ToStatusErr)."""
    denied = f'admission webhook "{name}" denied the request'
    why = result.get("message") or result.get("reason")
    code = int(result.get("code") or 0)
    status = {**result, "message": f"{denied}: {why}" if why else f"{denied} without explanation"}
    status["code"] = code if code >= 400 else 400
    if result.get("reason"):
        return errors.from_status(status)
    error = errors.Unexplained(status["message"])
    error.http_code = status["code"]
    return error
