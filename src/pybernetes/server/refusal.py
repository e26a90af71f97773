"""How a refusal leaves: an ``ApiError`` as a Status in the form that the caller takes, and warnings as headers.

Neighbours: ``chain.py`` calls it for every error, ``api.py`` for what never became a request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from pybernetes.lib.http.message import HttpResponse
from pybernetes.meta import errors
from pybernetes.server import negotiate
from pybernetes.server.context import Request, Response

_BY_STATUS: Final[Mapping[int, type[errors.ApiError]]] = {
    400: errors.BadRequest, 408: errors.Timeout, 413: errors.RequestEntityTooLarge, 503: errors.ServiceUnavailable,
}  # fmt: skip
_UNPRINTABLE: Final = dict.fromkeys((*range(32), 127), " ")


def answer(request: Request, error: errors.ApiError) -> Response:
    """The Status of ``error``."""
    status = error.status()
    if request.in_process:
        return Response(status=error.http_code, obj=status)
    headers = [("Cache-Control", "no-cache, private")]
    if error.retry_after_seconds:
        headers.append(("Retry-After", str(error.retry_after_seconds)))
    form = _form(request)
    body = negotiate.encode(status, form)
    return Response(status=error.http_code, body=body, content_type=form.media, headers=headers)


def _form(request: Request) -> negotiate.Answer:
    """What the caller takes; JSON where that is nothing of ours: a refusal must reach its reader."""
    try:
        return negotiate.accepted(request)
    except errors.NotAcceptable:
        return negotiate.Answer()


def malformed(status: int, message: str) -> HttpResponse:
    """For ``lib/http/serve.py``: the answer to what never became a request."""
    error = _BY_STATUS.get(status, errors.BadRequest)(message)
    error.http_code = status
    return HttpResponse(status=status, body=negotiate.encode(error.status(), negotiate.Answer()))


def too_many() -> Response:
    """Plain text, as upstream sheds."""
    headers = [("Retry-After", "1"), ("X-Content-Type-Options", "nosniff")]
    text = b"Too many requests, please try again later.\n"
    return Response(429, text, "text/plain; charset=utf-8", headers)


def warning_headers(texts: Iterable[str]) -> list[tuple[str, str]]:
    """``Warning: 299 - "…"`` for each text, once (RFC 7234, 5.5)."""
    return [("Warning", f'299 - "{_escaped(text)}"') for text in dict.fromkeys(texts)]


def _escaped(text: str) -> str:
    return text.translate(_UNPRINTABLE).replace("\\", "\\\\").replace('"', '\\"')
