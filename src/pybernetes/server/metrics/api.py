"""Answers the metrics APIs: the registry's place for three groups of which nothing is stored.

Neighbours: ``kinds/metrics.py`` has the rows; ``server/api.py`` sends requests for which ``serves`` is true here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pybernetes.kinds import metrics
from pybernetes.kinds.kind import Kind
from pybernetes.meta import errors, objects, times
from pybernetes.meta.objects import Obj
from pybernetes.server.context import Info, Request, Response
from pybernetes.server.live import Live
from pybernetes.server.metrics import adapter, usage
from pybernetes.server.metrics.collector import Collector, Stats
from pybernetes.server.metrics.usage import Usage
from pybernetes.server.registry import encode, selection
from pybernetes.server.registry.call import Call
from pybernetes.server.registry.context import Context

_CUSTOM: Final = "custom.metrics.k8s.io"
_EXTERNAL: Final = "external.metrics.k8s.io"
_GROUPS: Final = frozenset((metrics.GROUP, _CUSTOM, _EXTERNAL))


class MetricsApi:
    """Adds its rows to the server's kinds."""

    def __init__(self, context: Context, live: Live, stats: Stats | None) -> None:
        self._context, self._live = context, live
        self._collector = Collector(live, stats, context.clock)
        for row in metrics.KINDS:
            context.kinds.add(row)

    def serves(self, info: Info) -> bool:
        return info.group in _GROUPS

    async def handle(self, request: Request) -> Response:
        """Raises NotFound, MethodNotAllowed and what the nodes raise."""
        info = request.info
        assert info is not None
        if info.verb not in ("get", "list"):
            raise errors.MethodNotAllowed("the server does not allow this method on the requested resource")
        if info.group == metrics.GROUP:
            return await self._used(request, info)
        made = self._custom(request, info) if info.group == _CUSTOM else self._external(request, info)
        return encode.plain(self._call(request, info, metrics.NODES), made)

    def _call(self, request: Request, info: Info, kind: Kind) -> Call:
        return Call(self._context, request, info, kind, kind, info.namespace, info.name)

    # ── what nodes and pods use ──────────────────────────────────────────────────────────────────────────

    async def _used(self, request: Request, info: Info) -> Response:
        kind = self._context.kinds.by_path(info.group, info.version, info.resource)
        if kind is None or info.subresource:
            raise errors.NotFound("the server could not find the requested resource")
        call = self._call(request, info, kind)
        items = await self._nodes() if kind is metrics.NODES else await self._pods(info.namespace)
        if info.verb == "get":
            return encode.single(call, _one(items, info), encode.wanted(call))
        chosen = selection.of(call)
        found = [item for item in items if chosen.matches(item)]
        return encode.many(call, found, {}, encode.wanted(call, many=True))

    async def _nodes(self) -> list[Obj]:
        used = await self._collector.nodes()
        nodes = [node for node in self._live.list("", "nodes") if objects.name(node) in used]
        return [self._item(metrics.NODES, node, {"usage": usage.rendered(used[objects.name(node)])}) for node in nodes]

    async def _pods(self, namespace: str) -> list[Obj]:
        used = await self._collector.pods()
        pods = [pod for pod in self._live.list("", "pods", namespace) if objects.uid(pod) in used]
        return [self._item(metrics.PODS, pod, {"containers": _containers(used[objects.uid(pod)])}) for pod in pods]

    def _item(self, kind: Kind, obj: Obj, told: Obj) -> Obj:
        metadata = {
            "name": objects.name(obj), "namespace": objects.namespace(obj), "labels": objects.labels(obj),
            "creationTimestamp": times.render(self._context.clock.time()),
        }  # fmt: skip
        return {
            "kind": kind.kind, "apiVersion": kind.api_version,
            "metadata": {key: value for key, value in metadata.items() if value},
            "timestamp": times.render(self._collector.at), "window": f"{self._collector.window:.3f}s", **told,
        }  # fmt: skip

    # ── the user's own numbers ───────────────────────────────────────────────────────────────────────────

    def _custom(self, request: Request, info: Info) -> Obj:
        """``/namespaces/<ns>/<resource>/<name or *>/<metric>``, or ``/namespaces/<ns>/metrics/<metric>``."""
        resource, name, metric = info.resource, info.name, info.subresource
        if resource == "metrics" and not metric:
            resource, name, metric = "namespaces", info.namespace, info.name
        kind = self._context.kinds.by_resource(resource)
        if kind is None or not metric:
            raise errors.NotFound("the server could not find the requested resource")
        namespace = info.namespace if kind.namespaced else ""
        asked = adapter.Asked(namespace, name, metric, adapter.selection(request.param("labelSelector")))
        return adapter.custom(self._live, kind, asked, self._context.clock.time())

    def _external(self, request: Request, info: Info) -> Obj:
        """``/namespaces/<ns>/<metric>``."""
        asked = adapter.Asked(info.namespace, "", info.resource, adapter.selection(request.param("labelSelector")))
        return adapter.external(self._live, asked, self._context.clock.time())


def _one(items: list[Obj], info: Info) -> Obj:
    found = next((item for item in items if objects.name(item) == info.name), None)
    if found is None:
        plural = "nodemetrics" if info.resource == "nodes" else "podmetrics"
        name = f"{info.namespace}/{info.name}" if info.namespace else info.name
        raise errors.not_found(metrics.GROUP, plural, name)
    return found


def _containers(used: Mapping[str, Usage]) -> list[Obj]:
    return [{"name": name, "usage": usage.rendered(each)} for name, each in used.items()]
