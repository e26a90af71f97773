"""What the name server counts, under CoreDNS's names, and where that is read: ``/metrics`` on a port of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pybernetes.lib.http.message import HttpRequest, HttpResponse
from pybernetes.lib.metrics import CONTENT_TYPE, Metrics

SECONDS: Final = (0.00025, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048)
_NAMED_TYPES: Final = ("A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT", "ANY", "HTTPS", "SVCB", "CAA")


class Measures:
    def __init__(self, entries: Callable[[], float]) -> None:
        self._metrics = made = Metrics()
        self._requests = made.counter(
            "coredns_dns_requests_total", "Counter of DNS requests made per protocol and type.", ("proto", "type")
        )
        self._responses = made.counter("coredns_dns_responses_total", "Counter of response status codes.", ("rcode",))
        self._seconds = made.histogram(
            "coredns_dns_request_duration_seconds", "Histogram of the time (in seconds) each request took.",
            ("type",), SECONDS,
        )  # fmt: skip
        self._hits = made.counter("coredns_cache_hits_total", "The count of cache hits.").labels()
        self._misses = made.counter("coredns_cache_misses_total", "The count of cache misses.").labels()
        made.gauge("coredns_cache_entries", "The number of elements in the cache.", entries)
        self._forwarded = made.counter(
            "coredns_forward_requests_total", "Counter of requests made per upstream.", ("to",)
        )

    def answered(self, type_: str, code: str, seconds: float, *, udp: bool, cached: bool) -> None:
        """One question has its answer; types that nobody gave a name are counted together."""
        type_ = type_ if type_ in _NAMED_TYPES else "other"
        self._requests.labels("udp" if udp else "tcp", type_).add()
        self._responses.labels(code).add()
        self._seconds.labels(type_).observe(seconds)
        (self._hits if cached else self._misses).add()

    def forwarded(self, to: str) -> None:
        self._forwarded.labels(to).add()

    async def serve(self, request: HttpRequest) -> HttpResponse:
        """Answers ``/metrics``, ``/health`` and ``/ready``."""
        if request.path in ("/health", "/ready"):
            return HttpResponse(body=b"OK", content_type="text/plain")
        if request.path != "/metrics":
            return HttpResponse(404, b"404 page not found\n", "text/plain")
        return HttpResponse(body=self._metrics.render(), content_type=CONTENT_TYPE)
