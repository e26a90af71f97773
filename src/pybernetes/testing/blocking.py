"""Our client for code without an event loop: the same verbs, each of which waits for its answer.

Neighbours: ``client/client.py`` says what the verbs take and raise; resources are named ``plural.group``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pybernetes.client.client import Client, PatchKind
from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj
from pybernetes.testing.loop import Loop


class BlockingClient:
    def __init__(self, loop: Loop, client: Client) -> None:
        self._loop, self._client = loop, client

    def get(self, resource: str, name: str, namespace: str = "", subresource: str = "") -> Obj:
        """Raises NotFound."""
        return self._loop.run(self._client.get(resource, name, namespace, subresource))

    def find(self, resource: str, name: str, namespace: str = "") -> Obj | None:
        """The object, or None where there is none."""
        return self._loop.run(self._client.find(resource, name, namespace))

    def list(self, resource: str, namespace: str = "", *, labels: str = "", fields: str = "") -> Sequence[Obj]:
        """The objects of a namespace, or of the cluster."""
        page = self._loop.run(self._client.list(resource, namespace, labels=labels, fields=fields))
        found: Sequence[Obj] = page["items"]
        return found

    def create(self, resource: str, obj: Obj) -> Obj:
        return self._loop.run(self._client.create(resource, obj))

    def update(self, resource: str, obj: Obj, *, subresource: str = "") -> Obj:
        return self._loop.run(self._client.update(resource, obj, subresource=subresource))

    def patch(
        self, resource: str, name: str, patch: Any, namespace: str = "", *, kind: PatchKind = "strategic",
        subresource: str = "",
    ) -> Obj:  # fmt: skip
        return self._loop.run(
            self._client.patch(resource, name, patch, kind=kind, namespace=namespace, subresource=subresource)
        )

    def delete(self, resource: str, name: str, namespace: str = "", *, propagation: str = "") -> Obj:
        return self._loop.run(self._client.delete(resource, name, namespace, propagation=propagation))

    def apply(self, obj: Obj, namespace: str) -> Obj:
        """Apply on the server's side, taking over the fields of others; ``namespace`` is for an object that names none.

        Raises NotFound for a kind that the server does not have.
        """
        group, _, version = str(obj.get("apiVersion", "")).rpartition("/")
        kind = self._client.kinds.by_kind(group, version, str(obj.get("kind", "")))
        if kind is None:
            raise errors.NotFound(f'no matches for kind "{obj.get("kind")}" in version "{obj.get("apiVersion")}"')
        place = objects.namespace(obj) or namespace if kind.namespaced else ""
        if place and not objects.namespace(obj):
            obj = objects.evolve(obj, ("metadata", "namespace"), place)
        applied = self._client.patch(
            kind.resource, objects.name(obj), obj, kind="apply", namespace=place, force=True
        )  # fmt: skip
        return self._loop.run(applied)
