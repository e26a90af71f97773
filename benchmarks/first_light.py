"""What the first issue promises: start, idle cost, apply → Ready, creates, lists and watches per second.

Beside each figure stands upstream's: kube-apiserver 1.20.2 with etcd 3.4.23, measured on two cores like these,
the client beside it, TLS and RBAC on.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks import cluster, load


@dataclass(frozen=True)
class Row:
    what: str
    value: str
    peer: str = ""


def start() -> Iterator[Row]:
    """Control plane from exec to /readyz, on a directory that has its certificates."""
    with cluster.cluster("--nodes", "0") as made:
        cluster.pybernetes("down", "--data", str(made.data))
        times = []
        for _ in range(5):
            begin = time.monotonic()
            process = subprocess.Popen(
                [sys.executable, "-m", "pybernetes", "control-plane", "--data", str(made.data)],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            asyncio.run(_until_ready(made))
            times.append(time.monotonic() - begin)
            process.terminate()
            process.wait()
        yield Row("exec → /readyz, median of 5", f"{statistics.median(times):.2f} s", "upstream 5.6 s (4.8–7.6)")


async def _until_ready(made: cluster.Cluster) -> None:
    context = made.ssl_context()
    while True:
        try:
            await load.run(made.port, context, 1, 1, lambda _: ("GET", "/readyz", b""))
        except (OSError, RuntimeError, asyncio.IncompleteReadError):
            await asyncio.sleep(0.005)
        else:
            return


def idle() -> Iterator[Row]:
    """A minute of nothing, with three simulated nodes."""
    with cluster.cluster("--nodes", "0", "--simulate", "3") as made:
        time.sleep(5)
        begin = made.cpu_seconds()
        time.sleep(60)
        used = made.cpu_seconds() - begin
        yield Row(
            "idle CPU over a minute, three simulated nodes",
            f"{used / 60 * 100:.2f} % of a core",
            "k3s users report 5–50 %",
        )
        yield Row("idle memory (PSS)", f"{made.memory_mb():.0f} MB", "upstream 305 MB + etcd 40 MB")


def requests() -> Iterator[Row]:
    """Creates, gets and lists over TLS."""
    with cluster.cluster("--nodes", "0") as made:
        context = made.ssl_context()
        path = "/api/v1/namespaces/default/configmaps"
        text = "x" * 900
        serial = iter(range(10**9))

        def create(_: int) -> tuple[str, str, bytes]:
            name = f"c-{next(serial)}"
            body = f'{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{name}"}},"data":{{"k":"{text}"}}}}'
            return "POST", path, body.encode()

        for connections, count, peer in ((1, 1000, "upstream 570–790/s"), (32, 6000, "upstream 1,640–2,020/s")):
            before = made.cpu_seconds()
            result = asyncio.run(load.run(made.port, context, connections, count, create))
            cpu = (made.cpu_seconds() - before) / count * 1e6
            yield _row(f"create 1 KB ConfigMap, {connections} connections", result, cpu, peer)
        for connections, count, peer in ((1, 2000, "upstream 1,300–1,500/s"), (32, 10000, "upstream 4,100–5,300/s")):
            before = made.cpu_seconds()
            result = asyncio.run(
                load.run(made.port, context, connections, count, lambda n: ("GET", f"{path}/c-{n % 5000}", b""))
            )
            cpu = (made.cpu_seconds() - before) / count * 1e6
            yield _row(f"get, {connections} connections", result, cpu, peer)
        before = made.cpu_seconds()
        result = asyncio.run(load.run(made.port, context, 1, 20, lambda _: ("GET", path + "?limit=5000", b"")))
        cpu = (made.cpu_seconds() - before) / 20 * 1e6
        yield _row("list 5,000 ConfigMaps, 1 connection", result, cpu, "upstream 9.5/s")


def _row(what: str, result: load.Result, cpu_us: float, peer: str) -> Row:
    figures = (
        f"{result.per_second:,.0f}/s  p50 {result.p50_ms:.2f} ms  p99 {result.p99_ms:.2f} ms  CPU {cpu_us:,.0f} µs"
    )
    return Row(what, figures, peer)


def watch() -> Iterator[Row]:
    """PUT → event at one watcher."""
    with cluster.cluster("--nodes", "0") as made:
        times = sorted(asyncio.run(_watch_latencies(made, 300)))
        yield Row(
            "PATCH → watch event, one watcher",
            f"p50 {times[len(times) // 2] * 1e3:.2f} ms  p99 {times[int(len(times) * 0.99)] * 1e3:.2f} ms",
            "upstream 2.4 / 5.7 ms",
        )


async def _watch_latencies(made: cluster.Cluster, count: int) -> list[float]:
    context = made.ssl_context()
    path = "/api/v1/namespaces/default/configmaps"
    body = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"watched"}}'
    await load.run(made.port, context, 1, 1, lambda _: ("POST", path, body))
    reader, writer = await asyncio.open_connection("127.0.0.1", made.port, ssl=context)
    writer.write(f"GET {path}?watch=1&fieldSelector=metadata.name%3Dwatched HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    await reader.readuntil(b'"ADDED"')
    changer, changes = await asyncio.open_connection("127.0.0.1", made.port, ssl=context)
    times = []
    for number in range(count):
        patch = f'{{"data":{{"n":"{number}"}}}}'.encode()
        begin = time.perf_counter()
        changes.write(
            f"PATCH {path}/watched HTTP/1.1\r\nHost: x\r\nContent-Type: application/merge-patch+json\r\n"
            f"Content-Length: {len(patch)}\r\n\r\n".encode()
            + patch
        )
        await reader.readuntil(f'"n":"{number}"'.encode())
        times.append(time.perf_counter() - begin)
        await load._answer(changer)
    writer.close()
    changes.close()
    return times


POD = """{"apiVersion":"v1","kind":"Pod","metadata":{"name":"%s"},"spec":{"terminationGracePeriodSeconds":0,
"containers":[{"name":"c","image":"busybox:1.36","command":["sleep","3600"]}]}}"""


def pod_start() -> Iterator[Row]:
    """kubectl apply → Ready on a real node with the image present; needs root and containerd."""
    with cluster.cluster("--nodes", "1") as made:
        _load_busybox(made)
        times = []
        for number in range(6):
            begin = time.monotonic()
            made.kubectl("apply", "-f", "-", stdin=POD % f"p-{number}")
            made.kubectl("wait", "--for=condition=Ready", f"pod/p-{number}", "--timeout=60s")
            times.append(time.monotonic() - begin)
            made.kubectl("delete", "pod", f"p-{number}")
        yield Row(
            "apply → pod Ready, median (two kubectl runs included)",
            f"{statistics.median(times[1:]):.2f} s",
            "upstream SLO 5 s",
        )


def _load_busybox(made: cluster.Cluster) -> None:
    root = made.data / "images-work"
    subprocess.run(["examples/demo/images.sh", str(root)], check=True)
    cluster.pybernetes("image", "build", str(root / "busybox"), "--name", "busybox:1.36", "--data", str(made.data))


BENCHMARKS: dict[str, Callable[[], Iterator[Row]]] = {
    "start": start,
    "idle": idle,
    "requests": requests,
    "watch": watch,
    "pod-start": pod_start,
}
