"""The server's half of the client without a socket: a call becomes a Request, and a Response its answer.

Rule: the request passes the whole chain, with its user already known; authorization and admission are not skipped.
Neighbours: ``client/direct.py`` is the client's half; ``context.Request.in_process`` tells the chain not to encode.
"""

from __future__ import annotations

from typing import Any

import orjson

from pybernetes.client.direct import DirectTransport, Events, Values
from pybernetes.client.transport import Transport
from pybernetes.lib.http.wire import has_body
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj
from pybernetes.server.context import Handler, Request, Response, User

USER_AGENT = "pybernetes"


def transport(handler: Handler, user: User) -> Transport:
    """A transport into ``handler`` (the chain) as ``user``."""
    caller = _Caller(handler, user)
    return DirectTransport(caller.send, caller.watch)


class _Caller:
    def __init__(self, handler: Handler, user: User) -> None:
        self._handler, self._user = handler, user

    async def send(self, method: str, path: str, query: Values, body: Any, content_type: str) -> Any:
        response = await self._ask(method, path, query, body, content_type)
        return response.obj if response.obj is not None else _decoded(response)

    async def watch(self, path: str, query: Values) -> Events:
        response = await self._ask("GET", path, query, None, "")
        if response.events is None:
            raise errors.InternalError(f"{path} did not answer with events")
        return response.events

    async def _ask(self, method: str, path: str, query: Values, body: Any, content_type: str) -> Response:
        headers = {"user-agent": USER_AGENT, "accept": "application/json"}
        if body is not None:
            headers["content-type"] = content_type
        response = await self._handler(
            Request(
                method=method, path=path, query=query, headers=headers, obj=body, in_process=True, user=self._user,
                body=body if isinstance(body, bytes) else b"",
            )
        )  # fmt: skip
        if response.status >= 400:
            raise _refusal(response)
        return response


def _refusal(response: Response) -> errors.ApiError:
    answer = response.obj if response.obj is not None else _decoded(response)
    status: Obj = answer if isinstance(answer, dict) and answer.get("kind") == "Status" else {"message": str(answer)}
    return errors.from_status(status, response.status)


def _decoded(response: Response) -> Any:
    """The body of an answer that was encoded all the same: health, discovery, a log."""
    if not response.body or not has_body("", response.status):
        return {}
    if response.content_type.startswith("application/json"):
        return orjson.loads(response.body)
    return response.body.decode(errors="replace")
