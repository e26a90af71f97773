"""The API as components speak it: verbs over ``plural.group`` names, whatever the transport.

Every answer is a shared dict that nobody changes; every refusal is a ``meta.errors.ApiError``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

from pybernetes.client.transport import Transport
from pybernetes.kinds.kind import Kind
from pybernetes.kinds.table import KindTable
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj, name, namespace

PatchKind: TypeAlias = Literal["merge", "strategic", "json", "apply"]
PATCH_TYPES: Final[Mapping[str, str]] = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}


class Client:
    """``manager`` is the field manager and shows in managedFields."""

    def __init__(self, transport: Transport, kinds: KindTable, *, manager: str = "pybernetes") -> None:
        self.transport = transport
        self.kinds = kinds
        self.manager = manager

    def path(self, resource: str, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """``/apis/apps/v1/namespaces/ns/deployments/name/scale``. Raises NotFound for an unknown resource."""
        kind = self.kind(resource)
        parts = ["/apis" if kind.group else "/api"]
        if kind.group:
            parts.append(kind.group)
        parts.append(kind.version)
        if namespace and kind.namespaced:
            parts += ["namespaces", namespace]
        parts.append(kind.plural)
        parts += [p for p in (name, subresource) if p]
        return "/".join(parts)

    def kind(self, resource: str) -> Kind:
        found = self.kinds.by_resource(resource)
        if found is None:
            raise errors.NotFound(f'the server doesn\'t have a resource type "{resource}"')
        return found

    async def get(self, resource: str, name: str, namespace: str = "", subresource: str = "") -> Obj:
        return await self._ask("GET", self.path(resource, namespace, name, subresource))

    async def look(self, path: str, query: Mapping[str, str]) -> Obj:
        """What is answered at a path that no kind's row tells: a metric, a subresource of somebody's own."""
        return await self._ask("GET", path, query=query)

    async def find(self, resource: str, name: str, namespace: str = "") -> Obj | None:
        """As ``get``, but None where it does not exist."""
        try:
            return await self.get(resource, name, namespace)
        except errors.NotFound:
            return None

    async def list(
        self, resource: str, namespace: str = "", *, labels: str = "", fields: str = "",
        limit: int = 0, continue_: str = "", resource_version: str = "",
    ) -> Obj:  # fmt: skip
        """One page of the list object; items carry no apiVersion and kind, as upstream's do not."""
        query = {
            "labelSelector": labels, "fieldSelector": fields, "limit": str(limit or ""),
            "continue": continue_, "resourceVersion": resource_version,
        }  # fmt: skip
        return await self._ask("GET", self.path(resource, namespace), query={k: v for k, v in query.items() if v})

    async def create(
        self, resource: str, obj: Obj, *, parent: str = "", subresource: str = "", in_namespace: str = ""
    ) -> Obj:
        """POST ``obj`` (handed over for good); ``parent`` and ``subresource`` for pods/binding and the like."""
        return await self._ask(
            "POST", self.path(resource, in_namespace or namespace(obj), parent, subresource),
            query={"fieldManager": self.manager}, body=obj,
        )  # fmt: skip

    async def update(self, resource: str, obj: Obj, *, subresource: str = "") -> Obj:
        return await self._ask(
            "PUT", self.path(resource, namespace(obj), name(obj), subresource),
            query={"fieldManager": self.manager}, body=obj,
        )  # fmt: skip

    async def patch(
        self, resource: str, name: str, patch: Any, *, kind: PatchKind = "merge", namespace: str = "",
        subresource: str = "", force: bool = False,
    ) -> Obj:  # fmt: skip
        query = {"fieldManager": self.manager} | ({"force": "true"} if force else {})
        return await self._ask(
            "PATCH", self.path(resource, namespace, name, subresource),
            query=query, body=patch, content_type=PATCH_TYPES[kind],
        )  # fmt: skip

    async def delete(
        self, resource: str, name: str, namespace: str = "", *, uid: str = "", resource_version: str = "",
        propagation: str = "", grace_period_seconds: int | None = None,
    ) -> Obj:  # fmt: skip
        options: Obj = {"kind": "DeleteOptions", "apiVersion": "v1"}
        preconditions = {k: v for k, v in (("uid", uid), ("resourceVersion", resource_version)) if v}
        if preconditions:
            options["preconditions"] = preconditions
        if propagation:
            options["propagationPolicy"] = propagation
        if grace_period_seconds is not None:
            options["gracePeriodSeconds"] = grace_period_seconds
        return await self._ask("DELETE", self.path(resource, namespace, name), body=options)

    async def delete_collection(self, resource: str, namespace: str = "") -> Obj:
        """Delete all objects of a namespace, or of the cluster."""
        return await self._ask("DELETE", self.path(resource, namespace))

    def watch(
        self, resource: str, namespace: str = "", *, resource_version: str, labels: str = "", fields: str = "",
        bookmarks: bool = True, timeout_seconds: int = 0,
    ) -> AsyncIterator[Sequence[tuple[str, Obj]]]:  # fmt: skip
        """Batches of (type, object) after ``resource_version``; see ``Transport.watch`` for how it ends."""
        query = {
            "watch": "1", "resourceVersion": resource_version, "labelSelector": labels, "fieldSelector": fields,
            "allowWatchBookmarks": "true" if bookmarks else "", "timeoutSeconds": str(timeout_seconds or ""),
        }  # fmt: skip
        return self.transport.watch(self.path(resource, namespace), query={k: v for k, v in query.items() if v})

    async def close(self) -> None:
        await self.transport.close()

    async def _ask(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Any = None,
        content_type: str = "application/json",
    ) -> Obj:  # fmt: skip
        answer = await self.transport.request(method, path, query=query, body=body, content_type=content_type)
        return answer if isinstance(answer, dict) else {}
