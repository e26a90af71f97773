"""A small world of network namespaces: a host with a bridge, two nodes on it, and pods behind them.

Nothing is made outside these namespaces. A socket belongs to the namespace of the thread that makes it, and is used
from anywhere; a node's own code runs on an event loop in a thread that has entered the node's namespace.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest

T = TypeVar("T")
PREFIX = f"pybt{os.getpid()}"
UNDERLAY = "172.31.251"
CLONE_NEWNET = 0x40000000
PODS = {"a": ("node1", "10.249.1.2"), "b": ("node1", "10.249.1.3"), "c": ("node2", "10.249.2.2")}
NODES = {"node1": (f"{UNDERLAY}.11", "10.249.1.0/24"), "node2": (f"{UNDERLAY}.12", "10.249.2.0/24")}


def ip(*lines: str, namespace: str = "") -> None:
    where = ["-n", f"{PREFIX}-{namespace}"] if namespace else []
    subprocess.run(["ip", *where, "-batch", "-"], input="\n".join(lines).encode(), check=True, capture_output=True)


def enter(namespace: str) -> None:
    """Move the calling thread into a namespace, for good."""
    with Path(f"/run/netns/{PREFIX}-{namespace}").open() as handle:
        if ctypes.CDLL(None, use_errno=True).setns(handle.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns to {namespace} failed")


def inside(namespace: str, act: Callable[[], T]) -> T:
    """What ``act`` answers when it is done in a namespace."""
    found: list[T] = []

    def work() -> None:
        enter(namespace)
        found.append(act())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return found[0]


class NodeLoop:
    """An event loop in a node's network namespace."""

    def __init__(self, name: str) -> None:
        self.name, self.address, self.pod_cidr = name, *NODES[name]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        enter(self.name)
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class World:
    """``call`` and ``send`` speak to a port from inside a namespace; pods answer with their name and their caller."""

    inside = staticmethod(inside)

    def __init__(self) -> None:
        self.nodes = {name: NodeLoop(name) for name in NODES}
        self._sockets: list[socket.socket] = []
        for name in PODS:
            self._serve(name)

    def call(self, where: str, address: str, port: int, timeout: float = 3.0) -> tuple[str, str]:
        """(pod, the client's address as the pod sees it)."""
        with inside(where, socket.socket) as client:
            client.settimeout(timeout)
            client.connect((address, port))
            name, caller = client.recv(100).decode().split()
            return name, caller

    def datagrams(self, where: str) -> socket.socket:
        client = inside(where, lambda: socket.socket(type=socket.SOCK_DGRAM))
        client.settimeout(3.0)
        self._sockets.append(client)
        return client

    def _serve(self, pod: str) -> None:
        listener = inside(pod, lambda: socket.create_server(("0.0.0.0", 8080)))
        datagrams = inside(pod, lambda: socket.socket(type=socket.SOCK_DGRAM))
        datagrams.bind(("0.0.0.0", 5353))
        self._sockets += [listener, datagrams]
        threading.Thread(target=_accept, args=(pod, listener), daemon=True).start()
        threading.Thread(target=_echo, args=(pod, datagrams), daemon=True).start()

    def close(self) -> None:
        for node in self.nodes.values():
            node.close()
        for one in self._sockets:
            with suppress(OSError):  # a socket that nobody is connected to
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def _accept(name: str, listener: socket.socket) -> None:
    with suppress(OSError):  # closed: the test is over
        while True:
            client, (caller, _) = listener.accept()
            with client:
                client.sendall(f"{name} {caller}".encode())


def _echo(name: str, datagrams: socket.socket) -> None:
    with suppress(OSError):
        while True:
            data, caller = datagrams.recvfrom(100)
            if not data:
                return
            datagrams.sendto(name.encode(), caller)


def build() -> None:
    for name in ("host", *NODES, *PODS):
        subprocess.run(["ip", "netns", "add", f"{PREFIX}-{name}"], check=True)
        ip("link set lo up", namespace=name)
    ip("link add br0 type bridge", f"address add {UNDERLAY}.1/24 dev br0", "link set br0 up", namespace="host")
    for name, (address, _) in NODES.items():
        ip(f"link add {name} type veth peer name eth0 netns {PREFIX}-{name}", f"link set {name} master br0 up",
           namespace="host")  # fmt: skip
        ip(f"address add {address}/24 dev eth0", "link set eth0 up", f"route add default via {UNDERLAY}.1",
           namespace=name)  # fmt: skip
        settings = ["net.ipv4.ip_forward=1", "net.ipv4.conf.all.route_localnet=1", "net.ipv4.conf.all.rp_filter=0"]
        inside(name, lambda: subprocess.run(["sysctl", "-q", "-w", *settings], check=True))  # noqa: B023 done at once
    for name, (node, address) in PODS.items():
        _pod(name, node, address, NODES[node][1].replace(".0/24", ".1"))


def _pod(name: str, node: str, address: str, gateway: str) -> None:
    """A pod's link as the ptp plugin makes it."""
    ip(f"link add pod{name} type veth peer name eth0 netns {PREFIX}-{name}",
       f"address add {gateway}/32 dev pod{name}", f"link set pod{name} up", f"route add {address} dev pod{name}",
       namespace=node)  # fmt: skip
    ip(f"address add {address}/32 dev eth0", "link set eth0 up", f"route add {gateway} dev eth0",
       f"route add default via {gateway}", namespace=name)  # fmt: skip


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    if lacking := [p for p in ("ip", "nft", "conntrack") if not shutil.which(p)]:
        pytest.skip(f"the network of a node needs {', '.join(lacking)}")
    try:
        build()
        made = World()
        yield made
        made.close()
    finally:
        for name in ("host", *NODES, *PODS):
            subprocess.run(["ip", "netns", "delete", f"{PREFIX}-{name}"], check=False)
