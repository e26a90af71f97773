"""A server small enough to be taken in at a glance: objects in a dict, a revision, watches, and refusals on demand.

It stands in where a test needs a server that is away, has forgotten history or refuses; scenes use the real one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from pybernetes.client.client import Client
from pybernetes.client.direct import DirectTransport, Values
from pybernetes.kinds import table
from pybernetes.meta import errors, mergepatch, objects
from pybernetes.meta.objects import Obj


class SmallApi:
    """``refuse(method, path)`` may raise; ``requests`` are the (method, path) of all that was asked."""

    def __init__(self) -> None:
        self.revision = 10
        self.oldest = 0
        self.objects: dict[str, Obj] = {}
        self.history: list[tuple[int, str, Obj, str]] = []
        self.requests: list[tuple[str, str]] = []
        self.refuse: Callable[[str, str], None] = lambda method, path: None
        self.watches = 0
        self._changed = asyncio.Event()
        self._cut: list[asyncio.Event] = []

    def client(self) -> Client:
        return Client(DirectTransport(self.send, self.watch), table.builtin())

    def paths(self, method: str) -> list[str]:
        return [path for asked, path in self.requests if asked == method]

    def put(self, path: str, obj: Obj) -> Obj:
        """Store an object behind everybody's back, as another client would."""
        before = self.objects.get(path)
        return self._store(path, obj, "MODIFIED" if before else "ADDED")

    def end_watches(self) -> None:
        for cut in self._cut:
            cut.set()
        self._changed.set()

    def forget_history(self) -> None:
        """Compact: a watch from before now is too old."""
        self.oldest = self.revision
        self.history.clear()

    async def send(self, method: str, path: str, query: Values, body: Any, content_type: str) -> Any:
        self.requests.append((method, path))
        self.refuse(method, path)
        await asyncio.sleep(0)
        if method == "POST":
            return self._create(path, body)
        if method == "GET" and path not in self.objects:
            return self._list(path)
        if path not in self.objects:
            raise errors.NotFound(f"{path} not found")
        before = self.objects[path]
        if method == "PUT":
            if objects.resource_version(body) not in (0, objects.resource_version(before)):
                raise errors.Conflict(errors.MODIFIED)
            return self._store(path, body, "MODIFIED")
        if method == "PATCH":
            return self._store(path, mergepatch.apply(before, body), "MODIFIED")
        return self._delete(path, before, body) if method == "DELETE" else before

    async def watch(self, path: str, query: Values) -> AsyncIterator[Sequence[tuple[str, Obj]]]:
        self.refuse("WATCH", path)
        after = int(query["resourceVersion"][0])
        if after < self.oldest:
            raise errors.Expired("too old resource version")
        self.watches += 1
        cut = asyncio.Event()
        self._cut.append(cut)
        return self._events(path, after, cut)

    async def _events(self, path: str, after: int, cut: asyncio.Event) -> AsyncIterator[Sequence[tuple[str, Obj]]]:
        while not cut.is_set():
            batch = [(kind, obj) for at, kind, obj, where in self.history if at > after and _in(path, where)]
            after = self.revision
            self._changed.clear()
            if batch:
                yield batch
            if not self._changed.is_set():
                await self._changed.wait()

    def _create(self, path: str, body: Obj) -> Obj:
        metadata = body["metadata"]
        name = metadata.get("name") or f"{metadata['generateName']}{self.revision}"
        where = f"{path}/{name}"
        if where in self.objects:
            raise errors.AlreadyExists(f"{where} already exists")
        return self._store(where, {**body, "metadata": {**metadata, "name": name, "uid": f"uid-{name}"}}, "ADDED")

    def _list(self, path: str) -> Obj:
        found = [(where, obj) for where, obj in self.objects.items() if _in(path, where)]
        if not found and path.rsplit("/", 1)[0] in {where.rsplit("/", 1)[0] for where in self.objects}:
            raise errors.NotFound(f"{path} not found")
        items = [{k: v for k, v in obj.items() if k not in ("apiVersion", "kind")} for _, obj in found]
        return {"kind": "List", "metadata": {"resourceVersion": str(self.revision)}, "items": items}

    def _delete(self, path: str, before: Obj, options: Obj | None) -> Obj:
        wanted = ((options or {}).get("preconditions") or {}).get("uid")
        if wanted not in (None, objects.uid(before)):
            raise errors.Conflict("the UID in the precondition (…) does not match the UID in record (…)")
        self._store(path, before, "DELETED")
        del self.objects[path]
        return {"kind": "Status", "status": "Success"}

    def _store(self, path: str, obj: Obj, kind: str) -> Obj:
        self.revision += 1
        made = objects.evolve(obj, ("metadata", "resourceVersion"), str(self.revision))
        self.objects[path] = made
        self.history.append((self.revision, kind, made, path))
        self._changed.set()
        return made


def _in(path: str, where: str) -> bool:
    """Does an object at ``where`` belong to the collection at ``path`` (of all namespaces, too)?"""
    head, _, plural = path.rpartition("/")
    return where.rpartition("/")[0] == path or (where.startswith(f"{head}/namespaces/") and f"/{plural}/" in where)
