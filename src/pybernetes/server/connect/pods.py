"""pods/log, exec, attach and portforward: the pod's node is found, its agent asked.

Rule: what is wrong with the question is said here, before any node is asked; what is wrong at the node, the agent says.
A stream goes through us raw (``lib/http/splice.py``), and the agent joins it to its runtime the same way.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlencode

from pybernetes.lib.clock import Clock
from pybernetes.lib.http import splice
from pybernetes.lib.http.splice import SpliceError
from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj
from pybernetes.server.connect import containers, passing
from pybernetes.server.connect.kubelets import Kubelets, internal
from pybernetes.server.context import Request, Response
from pybernetes.server.live import Live

_FINISHED: Final = ("Succeeded", "Failed")
_LOG_PARAMETERS: Final = (
    "follow", "previous", "timestamps", "sinceSeconds", "sinceTime", "tailLines", "limitBytes", "stream",
)  # fmt: skip
_STREAMS: Final = (("stdin", "input"), ("stdout", "output"), ("stderr", "error"), ("tty", "tty"))
"""A query parameter of ours and the agent's."""


class Pods:
    def __init__(self, live: Live, kubelets: Kubelets, clock: Clock) -> None:
        self._live, self._kubelets, self._clock = live, kubelets, clock

    async def log(self, request: Request) -> Response:
        """A container's log as text; nothing at all of a pod that no node has yet, as upstream has it."""
        pod = self._pod(request)
        container = containers.chosen(pod, request.param("container"))
        containers.check_log_options(objects.name(pod), request.query)
        node = objects.get(pod, "spec", "nodeName", default="")
        if not node:
            return Response(content_type="text/plain")
        query = {name: request.param(name) for name in _LOG_PARAMETERS if request.param(name)}
        stream = await self._kubelets.get(node, _target("containerLogs", pod, container, list(query.items())))
        if request.in_process:
            return Response(body=await stream.read(), content_type="text/plain")
        return Response(stream=stream, content_type="text/plain")

    async def execute(self, request: Request) -> Response:
        """Run a command in a container."""
        command = [("command", part) for part in request.query.get("command", ())]
        return await self._in_container(request, "exec", "cannot exec into a container", command)

    async def attach(self, request: Request) -> Response:
        """Join a container's first process."""
        return await self._in_container(request, "attach", "cannot attach a container", [])

    async def port_forward(self, request: Request) -> Response:
        """Reach ports of a pod, which the client names in the stream or as ``ports``."""
        pod = self._pod(request)
        ports = [("port", port) for port in request.query.get("ports", ())]
        return await self._join(request, pod, _target("portForward", pod, "", ports))

    async def _in_container(self, request: Request, verb: str, refusal: str, more: list[tuple[str, str]]) -> Response:
        pod = self._pod(request)
        container = containers.chosen(pod, request.param("container"))
        phase = objects.get(pod, "status", "phase")
        if phase in _FINISHED:
            raise errors.BadRequest(f"{refusal} in a completed pod; current phase is {phase}")
        flags = [(theirs, "1") for ours, theirs in _STREAMS if request.flag(ours)]
        return await self._join(request, pod, _target(verb, pod, container, [*more, *flags]))

    async def _join(self, request: Request, pod: Obj, target: str) -> Response:
        node = objects.get(pod, "spec", "nodeName", default="")
        if not node:
            raise errors.BadRequest(f"pod {objects.name(pod)} does not have a host assigned")
        backend = self._kubelets.backend(node)
        if not splice.wants_upgrade(request):
            raise errors.BadRequest("Upgrade request required")
        try:
            return passing.whole(await splice.splice(request, target, backend, self._clock))
        except SpliceError as error:
            raise internal(f"error dialing backend: {error}") from error

    def _pod(self, request: Request) -> Obj:
        assert request.info is not None
        pod = self._live.get("", "pods", request.info.namespace, request.info.name)
        if pod is None:
            raise errors.not_found("", "pods", request.info.name)
        return pod


def _target(verb: str, pod: Obj, container: str, query: list[tuple[str, str]]) -> str:
    parts = [verb, objects.namespace(pod), objects.name(pod), *([container] if container else [])]
    path = "/" + "/".join(quote(part, safe="") for part in parts)
    return f"{path}?{urlencode(query)}" if query else path
