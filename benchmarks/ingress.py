"""What an entrance for Ingresses costs beside HAProxy with nothing but a backend, and how fast it takes a change.

Both run on loopback with the same web server behind them, turn by turn, so that the machine's mood meets both alike.
The load is wrk's (Debian: wrk), one thread and 32 connections.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.cluster import TICKS
from benchmarks.first_light import Row
from pybernetes.cluster import pki
from pybernetes.lib.clock import SystemClock
from pybernetes.meta.objects import Obj
from pybernetes.network.index import SERVICES, SLICES
from pybernetes.network.ingress.haproxy import HAProxy
from pybernetes.network.ingress.loop import CLASSES, INGRESSES, Ingresses
from pybernetes.network.ingress.render import Entrance
from pybernetes.testing.feed import Feed

HOSTS = 500
WEB, BARE, HTTP, HTTPS, STATUS = 18901, 18902, 18903, 18904, 18905
PLAIN = """\
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
frontend web
  bind 127.0.0.1:{web}
  http-request return status 200 content-type text/plain string ok
"""
PROXY = (
    PLAIN.partition("frontend")[0]
    + """\
frontend entrance
  bind 127.0.0.1:{bare}
  default_backend b
backend b
  server s 127.0.0.1:{web}
"""
)


def ingress() -> Iterator[Row]:
    """Requests per second through 500 Ingresses and through a bare proxy; one change of endpoints and of routes."""
    if not (shutil.which("wrk") and shutil.which("haproxy")):
        yield Row("requests per second through an Ingress", "needs wrk and haproxy")
        return
    with (
        tempfile.TemporaryDirectory() as directory,
        _plain(Path(directory), "web", PLAIN),
        _plain(Path(directory), "bare", PROXY) as bare,
    ):
        yield from asyncio.run(_measure(Path(directory), bare))


@contextmanager
def _plain(directory: Path, name: str, text: str) -> Iterator[int]:
    """A HAProxy with this configuration; its process id."""
    path = directory / f"{name}.cfg"
    path.write_text(text.format(web=WEB, bare=BARE))
    process = subprocess.Popen(["haproxy", "-q", "-f", str(path)])
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait()


async def _measure(directory: Path, bare: int) -> Iterator[Row]:
    feed, clock = Feed(), SystemClock()
    files, leaf = pki.Pki(directory / "pki", clock.time()), pki.Leaf("x", "x", server=True)
    files.ensure([leaf])
    haproxy = HAProxy(
        "haproxy", directory / "run", pid_file=directory / "pid", log=directory / "log",
        default_certificate=files.certificate(leaf).read_bytes() + files.key(leaf).read_bytes(), clock=clock,
    )  # fmt: skip
    works = Ingresses(feed, feed, haproxy, Entrance("127.0.0.1", str(directory / "run"), HTTP, HTTPS, STATUS), clock)
    _world(feed)
    running = asyncio.ensure_future(works.run())
    try:
        begin = time.perf_counter()
        await works.in_step.wait()
        rows = [Row(f"{HOSTS} Ingresses, from nothing", f"{time.perf_counter() - begin:.2f} s")]
        master = (directory / "pid").read_text().split()[0]
        worker = int(Path(f"/proc/{master}/task/{master}/children").read_text().split()[0])
        rows += await asyncio.to_thread(_throughput, bare, worker)
        rows.append(await _change(works, feed, SLICES, [_slice(("127.0.0.1", f"127.0.0.{n}")) for n in range(2, 12)]))
        rows.append(await _change(works, feed, INGRESSES, [_ingress(HOSTS + n) for n in range(10)]))
    finally:
        await works.stop()
        await running
        await haproxy.stop()
    return iter(rows)


def _throughput(bare: int, entrance: int) -> list[Row]:
    """``bare`` and ``entrance``: the processes whose CPU time is told beside the rates, which waver far more."""
    rates: dict[int, list[float]] = {BARE: [], HTTP: []}
    seconds: dict[int, float] = {BARE: 0.0, HTTP: 0.0}
    for _ in range(9):
        for port, process in ((BARE, bare), (HTTP, entrance)):
            begin = _cpu_seconds(process)
            rates[port].append(_wrk(port))
            seconds[port] += _cpu_seconds(process) - begin
    each = {port: seconds[port] / sum(rates[port]) * 1e6 for port in rates}
    alone, through = (statistics.median(found) for found in rates.values())
    return [
        Row("requests per second, bare HAProxy", f"{alone:,.0f}", f"{each[BARE]:.1f} µs of CPU each"),
        Row(
            "requests per second through an Ingress", f"{through:,.0f}",
            f"{through / alone:.2f} of bare (goal ≥ 0.95), {each[HTTP]:.1f} µs of CPU each",
        ),
    ]  # fmt: skip


def _cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _wrk(port: int) -> float:
    argv = ["wrk", "-t1", "-c32", "-d1s", "-H", f"Host: h{HOSTS // 2}.example", f"http://127.0.0.1:{port}/some/path"]
    said = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in said:
        raise RuntimeError(said)
    return float(next(line for line in said.splitlines() if line.startswith("Requests/sec")).split()[1])


async def _change(works: Ingresses, feed: Feed, resource: str, changes: list[Obj]) -> Row:
    took = []
    for obj in changes:
        begin = time.perf_counter()
        feed.informer(resource).put(obj)
        await works.in_step.wait()
        took.append(time.perf_counter() - begin)
    what = "endpoint" if resource == SLICES else "Ingress"
    return Row(f"one changed {what} of {HOSTS} Ingresses, median of 10", f"{statistics.median(took) * 1e3:.1f} ms")


def _world(feed: Feed) -> None:
    feed.informer(CLASSES).put({"metadata": {"name": "nginx"}, "spec": {"controller": "k8s.io/ingress-nginx"}})
    ports = [{"name": "http", "port": 80}]
    feed.informer(SERVICES).put({"metadata": {"name": "web", "namespace": "d"}, "spec": {"ports": ports}})
    feed.informer(SLICES).put(_slice(("127.0.0.1",)))
    for number in range(HOSTS):
        feed.informer(INGRESSES).put(_ingress(number))


def _slice(addresses: tuple[str, ...]) -> Obj:
    return {
        "metadata": {"name": "web", "namespace": "d", "labels": {"kubernetes.io/service-name": "web"}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address]} for address in addresses],
        "ports": [{"name": "http", "port": WEB}],
    }


def _ingress(number: int) -> Obj:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    paths = [{"path": path, "pathType": "Prefix", "backend": backend} for path in ("/", "/some", "/other")]
    rules = [{"host": f"h{number}.example", "http": {"paths": paths}}]
    spec = {"ingressClassName": "nginx", "rules": rules}
    return {"metadata": {"name": f"i{number}", "namespace": "d"}, "spec": spec}


BENCHMARKS = {"ingress": ingress}
