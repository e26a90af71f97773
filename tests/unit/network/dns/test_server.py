"""The name server on real sockets of the loopback, with another one as the world outside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import dnslib
import pytest

from pybernetes.lib.clock import VirtualClock
from pybernetes.meta.objects import Obj
from pybernetes.network.dns import forward
from pybernetes.network.dns.server import DnsServer
from pybernetes.network.index import SERVICES, SLICES
from pybernetes.testing.feed import Feed


def service(name: str, **spec: Any) -> Obj:
    return {"metadata": {"namespace": "default", "name": name}, "spec": {"ports": [{"port": 80}], **spec}}


def sliced(name: str, count: int) -> Obj:
    return {
        "metadata": {"namespace": "default", "name": name, "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "ports": [],
        "endpoints": [{"addresses": [f"10.0.{n // 250}.{n % 250 + 1}"]} for n in range(count)],
    }


class World:
    """A cluster's server, whose upstream is the server of another zone."""

    def __init__(self) -> None:
        self.inner, self.outer, self.clock = Feed(), Feed(), VirtualClock()
        self.upstream = DnsServer(self.outer, "127.0.0.1", 0, "example.com", upstream=[], clock=VirtualClock())

    async def start(self, *, upstream: list[tuple[str, int]] | None = None) -> None:
        self._works = [asyncio.ensure_future(self.upstream.run())]
        await asyncio.wait_for(self.upstream.ready.wait(), 5)
        self.server = DnsServer(
            self.inner, "127.0.0.2", 0, clock=self.clock,
            upstream=[("127.0.0.1", self.upstream.port)] if upstream is None else upstream, metrics_port=0,
        )  # fmt: skip
        self._works.append(asyncio.ensure_future(self.server.run()))
        await asyncio.wait_for(self.server.ready.wait(), 5)

    async def stop(self) -> None:
        await self.upstream.stop()
        await self.server.stop()
        await asyncio.gather(*self._works)

    async def ask(self, name: str, type_: str = "A") -> Any:
        """A question by UDP, asked again by TCP where the answer was cut short."""
        query = dnslib.DNSRecord.question(name, type_).pack()
        reply = dnslib.DNSRecord.parse(await self.by_udp(query))
        return dnslib.DNSRecord.parse(await self.by_tcp(query)) if reply.header.tc else reply

    async def by_udp(self, query: bytes) -> bytes:
        told = await forward.Forwarder([("127.0.0.2", self.server.port)], VirtualClock()).ask(query)
        assert told is not None
        return told

    async def by_tcp(self, query: bytes) -> bytes:
        told = await forward.Forwarder([("127.0.0.2", self.server.port)], VirtualClock()).ask(query, tcp=True)
        assert told is not None
        return told


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    await made.start()
    yield made
    await made.stop()


def data(reply: Any) -> list[str]:
    return [str(record.rdata) for record in reply.rr]


async def test_a_service_is_found_as_soon_as_it_is_known_and_no_longer(world: World) -> None:
    web = service("web", clusterIP="10.96.0.7")
    assert (await world.ask("web.default.svc.cluster.local")).header.rcode == dnslib.RCODE.NXDOMAIN
    world.inner.informer(SERVICES).put(web)
    reply = await world.ask("WEB.default.svc.cluster.local")
    assert data(reply) == ["10.96.0.7"]
    assert (reply.header.aa, reply.rr[0].ttl) == (1, 5)
    world.inner.informer(SERVICES).remove(web)
    assert (await world.ask("web.default.svc.cluster.local")).header.rcode == dnslib.RCODE.NXDOMAIN


async def test_an_answer_without_records_says_for_how_long(world: World) -> None:
    world.inner.informer(SERVICES).put(service("web", clusterIP="10.96.0.7"))
    reply = await world.ask("web.default.svc.cluster.local", "AAAA")
    assert (reply.header.rcode, data(reply)) == (dnslib.RCODE.NOERROR, [])
    assert [dnslib.QTYPE[record.rtype] for record in reply.auth] == ["SOA"]


async def test_clients_that_take_the_first_address_share_the_endpoints(world: World) -> None:
    world.inner.informer(SERVICES).put(service("db", clusterIP="None"))
    world.inner.informer(SLICES).put(sliced("db", 3))
    firsts = [data(await world.ask("db.default.svc.cluster.local"))[0] for _ in range(3)]
    assert sorted(firsts) == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]


async def test_what_is_too_long_for_a_datagram_comes_by_tcp(world: World) -> None:
    world.inner.informer(SERVICES).put(service("db", clusterIP="None"))
    world.inner.informer(SLICES).put(sliced("db", 600))
    assert len(data(await world.ask("db.default.svc.cluster.local"))) == 600


async def test_a_client_that_takes_more_gets_more_in_one_datagram(world: World) -> None:
    world.inner.informer(SERVICES).put(service("db", clusterIP="None"))
    world.inner.informer(SLICES).put(sliced("db", 60))
    query = dnslib.DNSRecord.question("db.default.svc.cluster.local")
    query.add_ar(dnslib.EDNS0(udp_len=4096))
    assert len(dnslib.DNSRecord.parse(await world.by_udp(query.pack())).rr) == 60


async def test_an_address_leads_back_to_its_name(world: World) -> None:
    web = service("web", clusterIP="10.96.0.7")
    world.inner.informer(SERVICES).put(web)
    assert data(await world.ask("7.0.96.10.in-addr.arpa", "PTR")) == ["web.default.svc.cluster.local."]
    world.inner.informer(SERVICES).put(service("web", clusterIP="10.96.0.8"))
    assert data(await world.ask("8.0.96.10.in-addr.arpa", "PTR")) == ["web.default.svc.cluster.local."]
    assert data(await world.ask("7.0.96.10.in-addr.arpa", "PTR")) == []


async def test_the_world_outside_is_asked_for_its_names(world: World) -> None:
    world.outer.informer(SERVICES).put(service("shop", clusterIP="192.0.2.4"))
    assert data(await world.ask("shop.default.svc.example.com")) == ["192.0.2.4"]
    assert (await world.ask("none.default.svc.example.com")).header.rcode == dnslib.RCODE.NXDOMAIN
    by_tcp = await world.by_tcp(dnslib.DNSRecord.question("shop.default.svc.example.com").pack())
    assert data(dnslib.DNSRecord.parse(by_tcp)) == ["192.0.2.4"]


async def test_an_external_name_is_followed(world: World) -> None:
    world.outer.informer(SERVICES).put(service("shop", clusterIP="192.0.2.4"))
    world.inner.informer(SERVICES).put(service("s", type="ExternalName", externalName="shop.default.svc.example.com"))
    assert data(await world.ask("s.default.svc.cluster.local")) == ["shop.default.svc.example.com.", "192.0.2.4"]


async def test_a_machine_without_resolvers_says_so_at_once() -> None:
    made = World()
    await made.start(upstream=[])
    assert (await made.ask("example.org")).header.rcode == dnslib.RCODE.SERVFAIL
    assert (await made.ask("9.9.9.9.in-addr.arpa", "PTR")).header.rcode == dnslib.RCODE.NXDOMAIN
    await made.stop()


async def test_what_is_no_question_gets_no_answer(world: World) -> None:
    assert await world.server.answer(b"nonsense", udp=True) is None
    reply = bytes(dnslib.DNSRecord.question("example.com").reply().pack())
    assert await world.server.answer(reply, udp=True) is None


async def test_what_the_world_said_is_kept_for_as_long_as_it_says(world: World) -> None:
    world.outer.informer(SERVICES).put(service("shop", clusterIP="192.0.2.4"))
    assert data(await world.ask("shop.default.svc.example.com")) == ["192.0.2.4"]
    world.outer.informer(SERVICES).put(service("shop", clusterIP="192.0.2.5"))
    assert data(await world.ask("shop.default.svc.example.com")) == ["192.0.2.4"]
    await world.clock.advance(5)
    assert data(await world.ask("shop.default.svc.example.com")) == ["192.0.2.5"]


async def test_a_kept_answer_has_the_number_of_the_question(world: World) -> None:
    world.inner.informer(SERVICES).put(service("web", clusterIP="10.96.0.7"))
    for _ in range(2):
        question = dnslib.DNSRecord.question("web.default.svc.cluster.local")
        reply = dnslib.DNSRecord.parse(await world.by_udp(bytes(question.pack())))
        assert (reply.header.id, data(reply)) == (question.header.id, ["10.96.0.7"])


def config_map(**told: str) -> Obj:
    return {"metadata": {"namespace": "kube-system", "name": "kube-dns"}, "data": told}


async def test_a_stub_domain_has_servers_of_its_own(world: World) -> None:
    world.outer.informer(SERVICES).put(service("shop", clusterIP="192.0.2.4"))
    nobody, somebody = '["127.0.0.9:9"]', f'["127.0.0.1:{world.upstream.port}"]'
    maps = world.inner.informer("configmaps")
    maps.put(config_map(upstreamNameservers=nobody, stubDomains=f'{{"svc.example.com": {somebody}}}'))
    assert data(await world.ask("shop.default.svc.example.com")) == ["192.0.2.4"]
    maps.put(config_map(upstreamNameservers=somebody, stubDomains=f'{{"example.com.": {nobody}}}'))
    assert (await world.ask("shop.default.svc.example.com")).header.rcode == dnslib.RCODE.SERVFAIL
    maps.put(config_map(stubDomains="nonsense"))
    assert (await world.ask("shop.default.svc.example.com")).header.rcode == dnslib.RCODE.SERVFAIL
    maps.remove(config_map())
    assert data(await world.ask("shop.default.svc.example.com")) == ["192.0.2.4"]


async def test_questions_and_answers_are_counted(world: World) -> None:
    for _ in range(2):
        await world.ask("none.default.svc.cluster.local")
    reader, writer = await asyncio.open_connection("127.0.0.2", world.server.metrics_port)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: dns\r\nConnection: close\r\n\r\n")
    text = (await reader.read()).decode()
    writer.close()
    assert 'coredns_dns_requests_total{proto="udp",type="A"} 2' in text
    assert 'coredns_dns_responses_total{rcode="NXDOMAIN"} 2' in text
    assert "coredns_cache_hits_total 1" in text
    assert "coredns_cache_entries 1" in text
