"""What the proxy tells the kernel, and when; the kernel itself is tests/node/network's."""

from __future__ import annotations

import asyncio

from pybernetes.lib.clock import VirtualClock
from pybernetes.meta.objects import Obj
from pybernetes.network.index import SERVICES, SLICES
from pybernetes.network.nft import Nft, NftError
from pybernetes.network.proxy.loop import Proxy
from pybernetes.testing.feed import Feed


class Kernel(Nft):
    """Writes down what it is told; refuses as often as it was asked to."""

    def __init__(self) -> None:
        self.scripts: list[str] = []
        self.refusals = 0
        self.told = asyncio.Event()

    async def run(self, script: str) -> None:
        self.scripts.append(script)
        self.told.set()
        if self.refusals:
            self.refusals -= 1
            raise NftError("no")


def service(name: str, address: str) -> Obj:
    spec = {"clusterIP": address, "ports": [{"name": "http", "port": 80}]}
    return {"metadata": {"namespace": "default", "name": name}, "spec": spec}


def sliced(name: str, *addresses: str) -> Obj:
    return {
        "metadata": {"namespace": "default", "name": name, "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": 8080}],
        "endpoints": [{"addresses": [a]} for a in addresses],
    }


async def test_the_whole_table_first_and_then_only_changes() -> None:
    feed, kernel = Feed(), Kernel()
    feed.informer(SERVICES).put(service("web", "10.96.0.7"))
    proxy = Proxy(feed, "node-1", nft=kernel, clock=VirtualClock())
    work = asyncio.ensure_future(proxy.run())
    await asyncio.wait_for(proxy.in_step.wait(), 5)
    assert kernel.scripts[0].startswith("add table ip pybernetes-proxy\ndelete table")
    assert "10.96.0.7 . tcp . 80 : goto refuse" in kernel.scripts[0]
    feed.informer(SLICES).put(sliced("web", "10.244.1.2"))
    await asyncio.wait_for(proxy.in_step.wait(), 5)
    assert (
        kernel.scripts[1].splitlines()[-1].endswith("services { 10.96.0.7 . tcp . 80 : goto svc/default/web/tcp/80 }")
    )
    feed.informer(SLICES).put(sliced("other", "10.244.1.3"))
    await asyncio.wait_for(proxy.in_step.wait(), 5)
    assert len(kernel.scripts) == 2
    await proxy.stop()
    await work


async def test_a_refusal_is_followed_by_the_whole_table_after_a_pause_that_grows() -> None:
    feed, kernel, clock = Feed(), Kernel(), VirtualClock()
    kernel.refusals = 2
    proxy = Proxy(feed, "node-1", nft=kernel, clock=clock)
    work = asyncio.ensure_future(proxy.run())
    for pause in (1.0, 2.0):
        await asyncio.wait_for(kernel.told.wait(), 5)
        kernel.told.clear()
        await asyncio.sleep(0)
        assert not proxy.in_step.is_set()
        await clock.advance(pause)
    await asyncio.wait_for(proxy.in_step.wait(), 5)
    assert [s.startswith("add table") for s in kernel.scripts] == [True, True, True]
    await proxy.stop()
    await work
