"""What the server counts about the requests it has answered, by upstream's names.

Rule: one look-up and one addition for a request; paths never become label values.
"""

from __future__ import annotations

from typing import Final

from pybernetes.lib.metrics import Metrics
from pybernetes.server.context import Info, Request

_LONG: Final = frozenset(("watch", "connect"))
_LONG_PARTS: Final = frozenset(("log", "exec", "attach", "portforward", "proxy"))


class Instruments:
    def __init__(self, metrics: Metrics) -> None:
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
        """A request is answered, after so many seconds; for a watch or a connection only its opening is told."""
        info = request.info or Info(is_resource=False, verb=request.method.lower(), path="")
        asked = (info.verb.upper(), info.group, info.version, info.resource, info.subresource, _scope(info))
        dry_run = request.param("dryRun") if request.query else ""
        self._requests.labels(*asked, dry_run, "apiserver", str(status)).add()
        if info.verb not in _LONG and info.subresource not in _LONG_PARTS:
            self._seconds.labels(*asked).observe(seconds)


def _scope(info: Info) -> str:
    if not info.is_resource:
        return ""
    if info.name:
        return "resource"
    return "namespace" if info.namespace else "cluster"
