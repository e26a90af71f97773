"""An answer from behind, handed on to the client as it is: status, headers of its own, and the body as it comes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pybernetes.lib.http.client import Stream
from pybernetes.lib.http.message import HttpResponse
from pybernetes.server.context import Response

_OURS: Final = frozenset((
    "connection", "content-length", "content-type", "date", "keep-alive", "proxy-authenticate", "te", "trailer",
    "transfer-encoding", "upgrade",
))  # fmt: skip
"""What holds for one connection only, and what our own protocol says."""


def whole(answer: HttpResponse) -> Response:
    """Of a splice: its upgrade, or the refusal of one."""
    return Response(answer.status, answer.body, answer.content_type, answer.headers, upgrade=answer.upgrade)


def streamed(stream: Stream) -> Response:
    """Of a plain request."""
    return Response(
        stream.status, stream=stream, content_type=stream.headers.get("content-type", ""), headers=_kept(stream.headers)
    )


def _kept(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers.items() if name not in _OURS]
