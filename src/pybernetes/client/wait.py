"""Waiting for an object to become what somebody needs, by watching it: nothing is polled.

Rule: between the look and the watch nothing is missed, since the watch starts at the look's resourceVersion; a watch
that ends or has fallen behind starts again with a look.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pybernetes.client.client import Client
from pybernetes.lib import tasks
from pybernetes.lib.clock import Clock
from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj

_AGAIN_SECONDS: Final = 0.1
"""Pause before looking again after the server could not be reached."""


async def until(
    client: Client, resource: str, namespace: str, name: str, predicate: Callable[[Obj | None], bool], *,
    timeout_seconds: float, clock: Clock,
) -> Obj | None:  # fmt: skip
    """The object as soon as ``predicate`` holds; it gets None while the object does not exist, so it can wait for a
    deletion too. Raises errors.Timeout after ``timeout_seconds``, and any refusal but a server that is away."""
    try:
        async with tasks.deadline(clock, timeout_seconds):
            while True:
                try:
                    return await _look(client, resource, namespace, name, predicate)
                except (errors.Expired, _EndedError):
                    continue
                except errors.ServiceUnavailable:
                    await clock.sleep(_AGAIN_SECONDS)
    except TimeoutError as error:
        told = f"{namespace}/{name}" if namespace else name
        raise errors.Timeout(f"timed out waiting for {resource} {told} after {timeout_seconds:g} s") from error


class _EndedError(Exception):
    """The server ended the watch in its own time."""


async def _look(
    client: Client, resource: str, namespace: str, name: str, predicate: Callable[[Obj | None], bool]
) -> Obj | None:
    only = f"metadata.name={name}"
    found = await client.list(resource, namespace, fields=only)
    obj = next(iter(found["items"]), None)
    if predicate(obj):
        return obj
    version = str(objects.meta(found).get("resourceVersion", ""))
    watch = client.watch(resource, namespace, resource_version=version, fields=only)
    try:
        async for batch in watch:
            for kind, changed in batch:
                obj = None if kind == "DELETED" else changed
                if kind != "BOOKMARK" and predicate(obj):
                    return obj
    finally:
        close = getattr(watch, "aclose", None)
        if close is not None:
            await close()
    raise _EndedError
