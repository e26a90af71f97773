"""Whatever comes by the wire: no answer, or one that can be read and belongs to the question. Never an error."""

from __future__ import annotations

from typing import Any

import dnslib
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pybernetes.lib.clock import VirtualClock
from pybernetes.network.dns import wire
from pybernetes.network.dns.resolver import Resolver
from pybernetes.network.index import SERVICES, SLICES

NAMES = [
    "web.default.svc.cluster.local", "_http._tcp.db.default.svc.cluster.local", "db.default.svc.cluster.local",
    "1-2-3-4.default.pod.cluster.local", "cluster.local", "7.0.96.10.in-addr.arpa", "example.com", "x.ip6.arpa",
    f"{'a.' * 100}cluster.local", "dns-version.cluster.local", "",
]  # fmt: skip
TYPES = ["A", "AAAA", "SRV", "PTR", "ANY", "TXT", "SOA", "NS", "CNAME", "HTTPS", "AXFR"]


def resolver() -> Resolver:
    made = Resolver("cluster.local", [], "127.0.0.1", VirtualClock())
    ports = [{"name": "http", "port": 80, "protocol": "TCP"}]
    for name, address in (("web", "10.96.0.7"), ("db", "None")):
        spec = {"clusterIP": address, "ports": ports}
        made.changed(SERVICES, [(None, {"metadata": {"namespace": "default", "name": name}, "spec": spec})])
    labels = {"kubernetes.io/service-name": "db"}
    slice_: dict[str, Any] = {
        "metadata": {"namespace": "default", "name": "db", "labels": labels}, "addressType": "IPv4", "ports": ports,
        "endpoints": [{"addresses": [f"10.0.0.{n}"]} for n in range(1, 100)],
    }  # fmt: skip
    made.changed(SLICES, [(None, slice_)])
    return made


RESOLVER = resolver()


@st.composite
def messages(draw: Any) -> bytes:
    """A question as a client sends it, and what a bad line or a bad mind makes of it."""
    question = dnslib.DNSQuestion(draw(st.sampled_from(NAMES)), getattr(dnslib.QTYPE, draw(st.sampled_from(TYPES))))
    asked = dnslib.DNSRecord(dnslib.DNSHeader(id=draw(st.integers(0, 65535)), rd=1), q=question)
    if draw(st.booleans()):
        asked.add_ar(dnslib.EDNS0(udp_len=draw(st.sampled_from([0, 512, 1232, 65535]))))
    data = bytearray(asked.pack())
    for place, byte in draw(st.lists(st.tuples(st.integers(0, len(data) - 1), st.integers(0, 255)), max_size=4)):
        data[place] = byte
    return bytes(data[: draw(st.integers(0, len(data)))]) if draw(st.booleans()) else bytes(data)


@given(messages() | st.binary(max_size=600), st.booleans())
@example(b"\xff" * 12, True)
@example(b"\0\1\1\0\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1", True)
@settings(max_examples=400, deadline=None)
def test_any_bytes_get_an_answer_that_fits_or_none(data: bytes, udp: bool) -> None:
    for _ in range(2):
        answer = RESOLVER.answer_at_once(data, udp=udp)
        if not answer:
            continue
        assert answer[:2] == data[:2]
        reply = dnslib.DNSRecord.parse(answer)
        assert reply.header.qr == 1
        assert not udp or len(answer) <= wire.UDP_BYTES_MAX


@given(st.binary(max_size=300) | messages())
@settings(max_examples=200, deadline=None)
def test_any_bytes_from_a_server_elsewhere_are_read_or_left(data: bytes) -> None:
    code, seconds = wire.holds(data)
    assert code and seconds >= 0
    assert isinstance(wire.answers(data), list)
