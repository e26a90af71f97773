"""One try of a probe: its handler by table, and the outcome in the kubelet's words.

Neighbours: ``rule.Outcome`` is the answer; ``httpget.py`` and ``grpchealth.py`` speak; ``prober.py`` asks.
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from pybernetes.lib import tasks
from pybernetes.lib.clock import Clock
from pybernetes.meta.objects import Obj
from pybernetes.node.probes import grpchealth, httpget, networds, rule
from pybernetes.node.probes.rule import Outcome
from pybernetes.node.runtime.port import Runtime, RuntimeFailure

_TIMED_OUT: Final = frozenset(("DeadlineExceeded", "Canceled"))


@dataclass(frozen=True, slots=True)
class Target:
    """The container that a probe or a hook is about. ``host`` is its pod's address, empty where it has none."""

    runtime: Runtime
    clock: Clock
    spec: Obj
    container_id: str
    host: str


class NoPort(ValueError):
    """A port that is no number and that the container does not name."""


async def check(probe: Obj, target: Target) -> Outcome:
    """Try once. Never raises for what the container does."""
    seconds = rule.number(probe, "timeoutSeconds")
    for field, run in _HANDLERS.items():
        if field in probe:
            try:
                return await run(probe[field], target, seconds)
            except ValueError as error:  # no such port, no such address: the probe itself makes no sense
                return Outcome(None, str(error))
    return Outcome(None, f"missing probe handler for {target.spec['name']}")


def port_of(spec: Obj, wanted: int | str) -> int:
    """The number of a port that may be named. Raises NoPort."""
    if isinstance(wanted, int) or wanted.isdigit():
        return int(wanted)
    for port in spec.get("ports") or ():
        if port.get("name") == wanted:
            return int(port["containerPort"])
    raise NoPort(f"couldn't find port: {wanted!r} in container {spec['name']}")


async def _exec(action: Obj, target: Target, seconds: int) -> Outcome:
    command = action.get("command") or []
    try:
        answer = await target.runtime.exec_sync(target.container_id, command, seconds)
    except RuntimeFailure as failure:
        if failure.code in _TIMED_OUT:
            return Outcome(False, f'command timed out: "{shlex.join(command)}" timed out after {seconds}s')
        return Outcome(None, str(failure))
    said = (answer.stdout + answer.stderr).decode(errors="replace")
    return Outcome(answer.exit_code == 0, said)


async def _http_get(action: Obj, target: Target, seconds: int) -> Outcome:
    url = httpget.url_of(action, target.host, port_of(target.spec, action["port"]))
    try:
        answer = await httpget.get(url, httpget.headers_of(action), seconds, target.clock)
    except httpget.GetFailed as failure:
        return Outcome(False, str(failure))
    if answer.left:
        return Outcome(True, f"Probe terminated redirects, Response body: {answer.body}", warned=True)
    if 200 <= answer.status < 400:
        return Outcome(True, answer.body)
    return Outcome(False, f"HTTP probe failed with statuscode: {answer.status}")


async def _tcp_socket(action: Obj, target: Target, seconds: int) -> Outcome:
    host, port = action.get("host") or target.host, port_of(target.spec, action["port"])
    try:
        async with tasks.deadline(target.clock, seconds):
            _, writer = await asyncio.open_connection(host, port)
    except OSError as error:  # a TimeoutError is one
        return Outcome(False, networds.dialing(error, host, port))
    writer.close()
    return Outcome(True)


async def _grpc(action: Obj, target: Target, seconds: int) -> Outcome:
    return await grpchealth.check(target.host, int(action["port"]), action.get("service") or "", seconds)


_Handler: TypeAlias = Callable[[Obj, Target, int], Awaitable[Outcome]]
_HANDLERS: Final[Mapping[str, _Handler]] = {
    "exec": _exec,
    "httpGet": _http_get,
    "tcpSocket": _tcp_socket,
    "grpc": _grpc,
}
