"""What the server counts about the requests it has answered, by upstream's names.

Rule 1: one look-up and one addition for a request.
Rule 2: a label's value comes from the table of kinds and never from a path alone, so nobody can make us remember names
        by asking for them.
"""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.table import KindTable
from pybernetes.lib.metrics import Metrics
from pybernetes.server.context import Info, Request

_LONG_PARTS: Final = frozenset(("log", "exec", "attach", "portforward", "proxy"))
_DRY_RUNS: Final = frozenset(("", "All"))


class Instruments:
    def __init__(self, metrics: Metrics, kinds: KindTable) -> None:
        self._kinds = kinds
        self._requests = metrics.counter(
            "apiserver_request_total",
            "Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope,"
            " component, and HTTP response code.",
            ("verb", "group", "version", "resource", "subresource", "scope", "dry_run", "component", "code"),
        )
        self._seconds = metrics.histogram(
            "apiserver_request_duration_seconds",
            "Response latency distribution in seconds for each verb, group, version, resource, subresource and scope.",
            ("verb", "group", "version", "resource", "subresource", "scope"),
        )

    def count(self, request: Request, status: int, seconds: float) -> None:
        """A request is answered, after so many seconds; of a watch or a connection only its opening is counted."""
        asked = self._labels(request)
        dry_run = request.param("dryRun") if request.query else ""
        self._requests.labels(*asked, dry_run if dry_run in _DRY_RUNS else "invalid", "apiserver", str(status)).add()
        if asked[0] != "WATCH" and asked[4] not in _LONG_PARTS:
            self._seconds.labels(*asked).observe(seconds)

    def _labels(self, request: Request) -> tuple[str, str, str, str, str, str]:
        """(verb, group, version, resource, subresource, scope)"""
        info = request.info
        if info is None or not info.is_resource:
            return (request.method, "", "", "", "", "")
        kind = self._kinds.by_path(info.group, info.version, info.resource)
        if kind is None or (info.subresource and info.subresource not in kind.subresources):
            return (info.verb.upper(), "", "", "", "", "")
        return (info.verb.upper(), info.group, info.version, info.resource, info.subresource, _scope(info))


def _scope(info: Info) -> str:
    if info.name:
        return "resource"
    return "namespace" if info.namespace else "cluster"
