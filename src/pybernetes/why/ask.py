"""Fetches what an explanation reads, and asks for it: the performing part.

Rule: nothing is changed. A resource that may not be read is left out of the facts; a log that is not there is no line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pybernetes.client.client import Client
from pybernetes.kinds.kind import Kind
from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj
from pybernetes.why import table
from pybernetes.why.answer import Answer
from pybernetes.why.facts import Facts
from pybernetes.why.table import Question

_PAGE = 10
_LOG_LINES = "20"


async def why(client: Client, kind: str, name: str, namespace: str) -> Answer:
    """Raises NotFound for what is not there."""
    row = table.find(kind) or _other(client, kind)
    place = namespace if client.kind(row.resource).namespaced else ""
    obj = await client.get(row.resource, name, place)
    found = await _read(client, row)
    return table.explain(row, Facts(found, await _logs(client, found, place, obj)), obj)


def _other(client: Client, typed: str) -> Question:
    row = next((each for each in client.kinds if _is_called(each, typed.lower())), None)
    if row is None:
        raise errors.NotFound(f'the server doesn\'t have a resource type "{typed}"')
    return table.other(row.kind.lower(), row.resource)


def _is_called(row: Kind, typed: str) -> bool:
    return typed in (row.kind.lower(), row.plural, row.resource, *row.short_names)


async def _read(client: Client, row: Question) -> dict[str, Sequence[Obj]]:
    names = list(dict.fromkeys(row.reads))
    pages = await asyncio.gather(*(_all(client, name) for name in names))
    return {name: page for name, page in zip(names, pages, strict=True) if page is not None}


async def _all(client: Client, resource: str) -> Sequence[Obj] | None:
    try:
        items: Sequence[Obj] = (await client.list(resource))["items"]
    except (errors.Forbidden, errors.NotFound):
        return None
    return items


async def _logs(
    client: Client, found: dict[str, Sequence[Obj]], namespace: str, asked: Obj
) -> dict[tuple[str, str], Sequence[str]]:
    """The last lines of containers that crash, of a few pods of the namespace."""
    crashed = [
        (objects.name(pod), status)
        for pod in found.get("pods", ())
        if objects.namespace(pod) == namespace
        for field in ("initContainerStatuses", "containerStatuses")
        for status in objects.get(pod, "status", field, default=[])
        if objects.get(status, "lastState", "terminated", "exitCode")
        or objects.get(status, "state", "terminated", "exitCode")
    ]
    crashed.sort(key=lambda each: each[0] != objects.name(asked))
    logs = await asyncio.gather(*(_log(client, namespace, pod, status) for pod, status in crashed[:_PAGE]))
    return {(pod, status["name"]): lines for (pod, status), lines in zip(crashed, logs, strict=False)}


async def _log(client: Client, namespace: str, pod: str, status: Obj) -> Sequence[str]:
    query = {"container": status["name"], "tailLines": _LOG_LINES}
    if "terminated" not in (status.get("state") or {}):
        query["previous"] = "true"
    try:
        text = await client.transport.request("GET", client.path("pods", namespace, pod, "log"), query=query)
    except errors.ApiError:
        return ()
    return str(text).splitlines()
