"""The network of a node: rules for many services, DNS, and what a Service costs beside its pods' own addresses.

Kernel rows run in a network namespace of their own; they need root and nftables. The peers' figures: kube-proxy-like
rules through nft on this kind of machine, and CoreDNS's published goals.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import dnslib

from benchmarks import cluster
from benchmarks.first_light import Row
from pybernetes.meta.objects import Obj
from pybernetes.network.dns.server import DnsServer
from pybernetes.network.index import SERVICES, SLICES
from pybernetes.network.policy.loop import POLICIES, Policies
from pybernetes.network.proxy.loop import Proxy
from pybernetes.testing.feed import Feed

T = TypeVar("T")
CLONE_NEWNET = 0x40000000
SERVICES_COUNT, ENDPOINTS_COUNT, CHANGES = 1000, 5, 40


def inside(act: Callable[[], T], namespace: str = "") -> T:
    """What ``act`` answers in a thread that has entered a named network namespace, or a new one."""
    found: list[T] = []
    libc = ctypes.CDLL(None, use_errno=True)

    def work() -> None:
        if namespace:
            with Path(f"/run/netns/{namespace}").open() as handle:
                failed = libc.setns(handle.fileno(), CLONE_NEWNET)
        else:
            failed = libc.unshare(CLONE_NEWNET)
        if failed:
            raise OSError(ctypes.get_errno(), "network namespaces need root")
        found.append(act())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return found[0]


def service(number: int) -> Obj:
    address = f"10.96.{number // 250}.{number % 250 + 1}"
    ports = [{"name": "http", "port": 80, "protocol": "TCP"}]
    spec = {"type": "ClusterIP", "clusterIP": address, "clusterIPs": [address], "ports": ports}
    return {"metadata": {"namespace": "default", "name": f"s{number}"}, "spec": spec}


def sliced(number: int, first: int = 2) -> Obj:
    addresses = [f"10.{128 + number // 250}.{number % 250}.{n}" for n in range(first, first + ENDPOINTS_COUNT)]
    return {
        "metadata": {
            "namespace": "default", "name": f"s{number}", "labels": {"kubernetes.io/service-name": f"s{number}"},
        },
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        "endpoints": [{"addresses": [a], "nodeName": "n", "conditions": {"ready": True}} for a in addresses],
    }  # fmt: skip


def services() -> Iterator[Row]:
    """The kernel's rules for 1,000 services of 5 endpoints: all at once, and one endpoint changed."""

    async def story() -> tuple[float, list[float]]:
        feed = Feed()
        for number in range(SERVICES_COUNT):
            feed.informer(SERVICES).put(service(number))
            feed.informer(SLICES).put(sliced(number))
        proxy = Proxy(feed, "n", pod_cidr="10.244.1.0/24")
        begin = time.perf_counter()
        work = asyncio.ensure_future(proxy.run())
        await proxy.in_step.wait()
        first, changes = time.perf_counter() - begin, []
        for turn in range(CHANGES):
            begin = time.perf_counter()
            feed.informer(SLICES).put(sliced(turn, 3))
            await proxy.in_step.wait()
            changes.append(time.perf_counter() - begin)
        await proxy.stop()
        await work
        return first, changes

    first, changes = inside(lambda: asyncio.run(story()))
    what = f"{SERVICES_COUNT} services × {ENDPOINTS_COUNT} endpoints"
    yield Row(f"{what}: first sync", f"{first * 1e3:.0f} ms", "goal ≤ 1 s; kube-proxy-like rules 1020 ms")
    yield Row(f"{what}: one change, median of {CHANGES}", f"{statistics.median(changes) * 1e3:.1f} ms",
              "goal ≤ 20 ms; kube-proxy-like 53–178 ms")  # fmt: skip


def policies() -> Iterator[Row]:
    """One pod of a thousand becomes a friend, with 100 policies that ask for friends."""

    def pod(number: int, friend: str = "no") -> Obj:
        local = number < 100
        return {
            "metadata": {"namespace": "x", "name": f"p{number}", "uid": str(number), "labels": {"friend": friend}},
            "spec": {"nodeName": "n" if local else "m", "containers": []},
            "status": {"podIP": f"10.244.{1 if local else 2 + number // 250}.{number % 250 + 2}", "phase": "Running"},
        }

    async def story() -> list[float]:
        feed = Feed()
        feed.informer("namespaces").put({"metadata": {"name": "x"}})
        for number in range(1000):
            feed.informer("pods").put(pod(number))
        for number in range(100):
            peers = [{"podSelector": {"matchLabels": {"friend": "yes"}}}]
            spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": peers}]}
            feed.informer(POLICIES).put({"metadata": {"namespace": "x", "name": f"np{number}"}, "spec": spec})
        kept = Policies(feed, "n", "10.244.1.0/24")
        work = asyncio.ensure_future(kept.run())
        await kept.in_step.wait()
        changes = []
        for turn in range(CHANGES):
            begin = time.perf_counter()
            feed.informer("pods").put(pod(500 + turn, "yes"))
            await kept.in_step.wait()
            changes.append(time.perf_counter() - begin)
        await kept.stop()
        await work
        return changes

    changes = inside(lambda: asyncio.run(story()))
    what = "1000 pods, 100 policies that all mean one pod: it changed"
    yield Row(f"{what}, median of {CHANGES}", f"{statistics.median(changes) * 1e3:.1f} ms")


# ── DNS ──────────────────────────────────────────────────────────────────────────────────────────────────

_CLIENT = """
import socket, sys, time, json
port, count, questions = int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
questions = [bytes.fromhex(q) for q in questions]
client = socket.socket(type=socket.SOCK_DGRAM)
client.connect(("127.0.0.1", port))
client.settimeout(5)
sent, times, at = 0, [], {}
begin = time.perf_counter()
while len(times) < count:
    while sent < count and len(at) < 32:
        number = (sent % 65536).to_bytes(2, "big")
        at[number] = time.perf_counter()
        client.send(number + questions[sent % len(questions)][2:])
        sent += 1
    answer = client.recv(4096)
    times.append(time.perf_counter() - at.pop(answer[:2]))
took = time.perf_counter() - begin
times.sort()
print(json.dumps([count / took, times[int(count * 0.99)] * 1e3]))
"""


def dns() -> Iterator[Row]:
    """Questions a second by one client with 32 under way: Services again and again, and a headless one."""

    async def ask(names: list[str], count: int) -> tuple[float, float]:
        feed = Feed()
        for number in range(SERVICES_COUNT):
            feed.informer(SERVICES).put(service(number))
        headless = {"metadata": {"namespace": "default", "name": "db"}, "spec": {"clusterIP": "None"}}
        feed.informer(SERVICES).put(headless)
        labels = {"kubernetes.io/service-name": "db"}
        metadata = {"namespace": "default", "name": "db", "labels": labels}
        feed.informer(SLICES).put({**sliced(0), "metadata": metadata})
        server = DnsServer(feed, "127.0.0.1", 0, upstream=[])
        work = asyncio.ensure_future(server.run())
        await server.ready.wait()
        questions = [bytes(dnslib.DNSRecord.question(name).pack()).hex() for name in names]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _CLIENT, str(server.port), str(count), json.dumps(questions),
            stdout=subprocess.PIPE,
        )  # fmt: skip
        told, _ = await process.communicate()
        await server.stop()
        await work
        rate, p99 = json.loads(told)
        return rate, p99

    names = [f"s{n}.default.svc.cluster.local" for n in range(SERVICES_COUNT)]
    for what, asked, count in (
        ("DNS: services, as clients repeat them", names, 40_000),
        ("DNS: a headless service of 5, turned each time", ["db.default.svc.cluster.local"], 8_000),
    ):
        rate, p99 = asyncio.run(ask(asked, count))
        yield Row(what, f"{rate:,.0f}/s, p99 {p99:.1f} ms")


# ── a real node ──────────────────────────────────────────────────────────────────────────────────────────

_PODS = """
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  containers:
  - name: web
    image: busybox:1.36
    command: [httpd, -f, -p, "8080", -h, /etc]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: bare}
spec: {ports: [{port: 80, targetPort: 8080}]}
"""


def traffic() -> Iterator[Row]:
    """Through a ClusterIP beside the pod's own address, and how soon a new endpoint is reached."""
    with cluster.cluster("--nodes", "1") as made:
        images = made.data / "images-work"
        subprocess.run(["examples/demo/images.sh", str(images)], check=True, capture_output=True)
        cluster.pybernetes(
            "image", "build", str(images / "busybox"), "--name", "busybox:1.36", "--data", str(made.data)
        )
        made.kubectl("apply", "-f", "-", stdin=_PODS)
        made.kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
        pod = made.kubectl("get", "pod", "web", "-o", "jsonpath={.status.podIP}")
        address, bare = (
            made.kubectl("get", "service", name, "-o", "jsonpath={.spec.clusterIP}") for name in ("web", "bare")
        )
        namespace = next(n for n in os.listdir("/run/netns") if n.startswith("pyb-") and _is_of(made, n))
        inside(lambda: requests(address, 80, 200), namespace)
        direct, through = [], []
        for _ in range(5):
            direct.append(inside(lambda: requests(pod, 8080, 400), namespace))
            through.append(inside(lambda: requests(address, 80, 400), namespace))
        ratio = statistics.median(through) / statistics.median(direct)
        rates = f"{statistics.median(through):,.0f}/s, {ratio:.2f} of the pod's"
        yield Row("requests through a ClusterIP, one connection each", rates, "goal ≥ 0.9")
        times = sorted(_appears(made, namespace, pod, bare) for _ in range(30))
        yield Row("endpoint written → reached by ClusterIP, p50 / most of 30",
                  f"{times[15] * 1e3:.0f} / {times[-1] * 1e3:.0f} ms", "goal p99 ≤ 250 ms")  # fmt: skip


def _is_of(made: cluster.Cluster, namespace: str) -> bool:
    from pybernetes.cluster.config import Paths

    return namespace == Paths(made.data).node("node-1").netns


def requests(address: str, port: int, count: int) -> float:
    """Requests a second, each on a connection of its own."""
    begin = time.perf_counter()
    for _ in range(count):
        with socket.create_connection((address, port), timeout=5) as client:
            client.sendall(b"GET /hostname HTTP/1.0\r\n\r\n")
            while client.recv(4096):
                continue
    return count / (time.perf_counter() - begin)


def _appears(made: cluster.Cluster, namespace: str, pod: str, address: str) -> float:
    """Seconds from the write of an endpoint to the first connection through the Service."""
    metadata: dict[str, Any] = {"name": "bare", "labels": {"kubernetes.io/service-name": "bare"}}
    slice_ = {
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata, "addressType": "IPv4",
        "endpoints": [{"addresses": [pod], "conditions": {"ready": True}}],
        "ports": [{"name": "", "port": 8080, "protocol": "TCP"}],
    }  # fmt: skip
    reached: list[float] = []

    def wait() -> None:
        while not reached:
            try:
                socket.create_connection((address, 80), timeout=1).close()
            except OSError:
                time.sleep(0.002)
            else:
                reached.append(time.perf_counter())

    watching = threading.Thread(target=lambda: inside(wait, namespace))
    watching.start()
    begin = time.perf_counter()
    made.write("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", slice_)
    watching.join()
    made.write("DELETE", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/bare", {})
    inside(lambda: _until_refused(address), namespace)
    return reached[0] - begin


def _until_refused(address: str) -> None:
    while True:
        try:
            socket.create_connection((address, 80), timeout=1).close()
        except OSError:
            return
        time.sleep(0.005)


BENCHMARKS: dict[str, Callable[[], Iterator[Row]]] = {
    "network-services": services,
    "network-policies": policies,
    "network-dns": dns,
    "network-traffic": traffic,
}
