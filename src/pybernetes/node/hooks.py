"""Lifecycle hooks: what a container asks to be done right after its start and right before its end.

Rule 1: a container with a ``postStart`` hook counts as started once that is done; a failure ends it.
Rule 2: a ``preStop`` hook runs within the grace period; the signal follows when it is done, or when no time is left.
Neighbours: ``podperform.py`` runs them beside the worker, ``containerplan.py`` waits for them; ``probes/httpget.py``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from pybernetes.meta.objects import Obj
from pybernetes.node.probes import check, httpget
from pybernetes.node.probes.check import Target
from pybernetes.node.runtime.port import RuntimeFailure

LEAST_GRACE_SECONDS: Final = 2
"""What a container has left after its ``preStop`` hook, however long that took."""


class HookFailed(Exception):
    """Its text is for the log alone: an event could give a secret away."""


async def run(action: Obj, target: Target) -> None:
    """Do it, however long that takes. Raises HookFailed."""
    for field, do in _HANDLERS.items():
        if field in action:
            await do(action[field] or {}, target)


async def _exec(action: Obj, target: Target) -> None:
    command = action.get("command") or []
    try:
        answer = await target.runtime.exec_sync(target.container_id, command)
    except RuntimeFailure as failure:
        raise HookFailed(str(failure)) from failure
    if answer.exit_code:
        said = (answer.stdout + answer.stderr).decode(errors="replace").strip()
        raise HookFailed(f"command {command!r} exited with {answer.exit_code}: {said}")


async def _http_get(action: Obj, target: Target) -> None:
    """Any answer will do."""
    try:
        port = check.port_of(target.spec, action.get("port") or 80)
        url = httpget.url_of(action, target.host, port)
        await httpget.get(url, httpget.headers_of(action), 0, target.clock)
    except (ValueError, httpget.GetFailed) as failure:
        raise HookFailed(str(failure)) from failure


async def _sleep(action: Obj, target: Target) -> None:
    await target.clock.sleep(int(action.get("seconds") or 0))


_Handler: TypeAlias = Callable[[Obj, Target], Awaitable[None]]
_HANDLERS: Final[Mapping[str, _Handler]] = {"exec": _exec, "httpGet": _http_get, "sleep": _sleep}
