"""The entrance itself: HAProxy in a node's namespace, web servers in pods, clients elsewhere."""

from __future__ import annotations

import asyncio
import base64
import http.client
import random
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from typing import Any

import pytest

from pybernetes.cluster import pki
from pybernetes.lib.clock import SystemClock
from pybernetes.meta.objects import Obj
from pybernetes.network.index import SERVICES, SLICES
from pybernetes.network.ingress import gateway, gatewaystatus, model
from pybernetes.network.ingress.haproxy import HAProxy
from pybernetes.network.ingress.loop import CLASSES, INGRESSES, SECRETS, Ingresses
from pybernetes.network.ingress.model import Request
from pybernetes.network.ingress.render import HTTP_PORT, HTTPS_PORT, Entrance
from pybernetes.testing.feed import Feed

pytestmark = pytest.mark.node
NOTES = "nginx.ingress.kubernetes.io/"
PODS = {"a": "10.249.1.2", "b": "10.249.1.3", "c": "10.249.2.2"}
WEB_PORT = 8088
WAYS = {"node1": ("10.249.2.0/24", "via", "172.31.251.12"), "node2": ("10.249.1.0/24", "via", "172.31.251.11")}


class Servers(ThreadingHTTPServer):
    request_queue_size = 512
    daemon_threads = True

    def server_bind(self) -> None:
        """Without asking a name server who we are: there is none."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A proxy that ends while it keeps a connection in reserve is none."""


class Web(BaseHTTPRequestHandler):
    """Answers with the pod's name and the path that it was asked for."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # one packet an answer: two would wait for each other's acknowledgement
    pod = ""

    def do_GET(self) -> None:
        body = f"{self.pod} {self.path} {self.headers['X-Forwarded-Proto']}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


class Site:
    """One node's entrance, fed by hand; ``get`` asks it from pod c, on the other node."""

    def __init__(self, world: Any, directory: Path) -> None:
        self.node, self.inside, self.directory = world.nodes["node1"], world.inside, directory
        self.feed, clock = Feed(), SystemClock()
        self.haproxy = HAProxy(
            shutil.which("haproxy") or "haproxy", directory / "run", pid_file=directory / "pid",
            log=directory / "log", default_certificate=certificate(directory, "fallback.example"), clock=clock,
        )  # fmt: skip
        entrance = Entrance(self.node.address, str(directory / "run"))
        self.ingresses = self.node.run(self._make(entrance, clock))
        self.put(CLASSES, {"metadata": {"name": "nginx"}, "spec": {"controller": "k8s.io/ingress-nginx"}})
        self.node.start(self.ingresses.run())
        for pod in PODS:
            self.service(f"svc-{pod}", pod)

    async def _make(self, entrance: Entrance, clock: SystemClock) -> Ingresses:
        return Ingresses(self.feed, self.feed, self.haproxy, entrance, clock, gateways=lambda reading: None)

    def put(self, resource: str, obj: Obj) -> None:
        self.node.run(self._put(resource, obj))

    async def _put(self, resource: str, obj: Obj) -> None:
        self.feed.informer(resource).put(obj)

    def settle(self) -> None:
        self.node.run(asyncio.wait_for(self.ingresses.in_step.wait(), 20))

    def service(self, name: str, pods: str) -> None:
        metadata = {"name": name, "namespace": "d"}
        self.put(SERVICES, {"metadata": metadata, "spec": {"ports": [{"name": "http", "port": 80}]}})
        self.put(SLICES, {
            "metadata": {**metadata, "labels": {"kubernetes.io/service-name": name}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [PODS[p]], "conditions": {"ready": True}} for p in pods],
            "ports": [{"name": "http", "port": WEB_PORT}],
        })  # fmt: skip

    def ingress(self, name: str, *paths: tuple[str, str, str], host: str, tls: str = "", **notes: str) -> None:
        items = [
            {"path": path, "pathType": kind, "backend": {"service": {"name": service, "port": {"number": 80}}}}
            for path, kind, service in paths
        ]
        spec: Obj = {"ingressClassName": "nginx", "rules": [{"host": host, "http": {"paths": items}}]}
        if tls:
            spec["tls"] = [{"hosts": [host], "secretName": tls}]
        annotations = {f"{NOTES}{key.replace('_', '-')}": value for key, value in notes.items()}
        self.put(INGRESSES, {"metadata": {"name": name, "namespace": "d", "annotations": annotations}, "spec": spec})
        self.settle()

    def secret(self, name: str, host: str) -> None:
        both = certificate(self.directory, host)
        data = dict.fromkeys(("tls.crt", "tls.key"), base64.b64encode(both).decode())
        self.put(SECRETS, {"metadata": {"name": name, "namespace": "d"}, "data": data})

    def connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(self.node.address, HTTP_PORT, timeout=10)
        connection.sock = self.inside("c", socket.socket)
        connection.sock.settimeout(10)
        connection.sock.connect((self.node.address, HTTP_PORT))
        return connection

    def get(self, path: str, host: str, **headers: str) -> tuple[int, str]:
        connection = self.connect()
        try:
            return ask(connection, path, host, **headers)
        finally:
            connection.close()

    def served(self, name: str) -> str:
        """The common name of the certificate that a client gets who asks for ``name``."""
        from cryptography import x509
        from cryptography.x509.oid import NameOID

        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with self.inside("c", socket.socket) as plain:
            plain.settimeout(10)
            plain.connect((self.node.address, HTTPS_PORT))
            with context.wrap_socket(plain, server_hostname=name) as wrapped:
                found = x509.load_der_x509_certificate(wrapped.getpeercert(binary_form=True) or b"")
        return str(found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def ask(connection: http.client.HTTPConnection, path: str, host: str, **headers: str) -> tuple[int, str]:
    connection.request("GET", path, headers={"Host": host, **{k.replace("_", "-"): v for k, v in headers.items()}})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def certificate(directory: Path, name: str) -> bytes:
    """A certificate and its key in one."""
    files, leaf = pki.Pki(directory / "pki" / name, time.time()), pki.Leaf("leaf", name, names=(name,), server=True)
    files.ensure([leaf])
    return files.certificate(leaf).read_bytes() + files.key(leaf).read_bytes()


@pytest.fixture(scope="module")
def site(world: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    if not shutil.which("haproxy"):
        pytest.skip("the entrance needs haproxy")
    world.inside("node1", lambda: subprocess.run(["ip", "route", "add", *WAYS["node1"]], check=True))
    world.inside("node2", lambda: subprocess.run(["ip", "route", "add", *WAYS["node2"]], check=True))
    servers = []
    for pod, address in PODS.items():
        handler = type("Pod", (Web,), {"pod": pod})
        server = world.inside(pod, lambda: Servers((address, WEB_PORT), handler))  # noqa: B023 done at once
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
    made = Site(world, tmp_path_factory.mktemp("entrance"))
    yield made
    made.node.run(made.ingresses.stop())
    made.node.run(made.haproxy.stop())
    for server in servers:
        server.shutdown()
        server.server_close()


def test_haproxy_goes_the_ways_of_the_model(site: Site) -> None:
    site.ingress("a", ("/", "Prefix", "svc-a"), ("/x", "Exact", "svc-b"), ("/y/z", "Prefix", "svc-c"), host="m.example")
    site.ingress("b", ("/w", "ImplementationSpecific", "svc-b"), host="*.m.example")
    site.ingress("c", ("/r/(one|two)", "ImplementationSpecific", "svc-c"), host="r.example", use_regex="true")
    site.ingress("d", ("/r", "Prefix", "svc-a"), ("/only", "Exact", "svc-b"), host="r.example")
    hosts = ("m.example", "M.example:80", "p.m.example", "p.p.m.example", "r.example", "nobody.example")
    paths = ("/", "/x", "/x/", "/y", "/y/z", "/y/z/", "/y/zz", "/w", "/wide", "/r/one", "/R/TWO/3", "/r/three", "/only")
    for host in hosts:
        for path in paths:
            route = model.find(site.ingresses.table, Request(host, path))
            wanted = (200, route.choice.splits[0][0].service[-1]) if route else (404, "<")
            status, said = site.get(path, host)
            assert (status, said[0]) == wanted, f"{host}{path}: {said}"


def test_a_path_is_rewritten_with_its_groups(site: Site) -> None:
    site.ingress(
        "w", ("/api(/|$)(.*)", "ImplementationSpecific", "svc-a"), host="w.example", rewrite_target="/v1/$2%25"
    )
    assert site.get("/api/users?page=2", "w.example") == (200, "a /v1/users%25?page=2 http")
    assert site.get("/API", "w.example") == (200, "a /v1/%25 http")


def test_a_canary_takes_its_weight(site: Site) -> None:
    site.ingress("v1", ("/", "Prefix", "svc-a"), host="k.example")
    site.ingress("v2", ("/", "Prefix", "svc-b"), host="k.example", canary="true", canary_weight="10")
    with_client = site.connect()
    counted = Counter(ask(with_client, "/", "k.example")[1][0] for _ in range(2000))
    assert 130 <= counted["b"] <= 270, "200 are expected; five standard deviations are 67"
    for weight, pod in (("0", "a"), ("100", "b")):
        site.ingress("v2", ("/", "Prefix", "svc-b"), host="k.example", canary="true", canary_weight=weight)
        assert {site.get("/", "k.example")[1][0] for _ in range(30)} == {pod}
    with_client.close()


@pytest.mark.parametrize(
    ("notes", "headers", "pod"),
    [
        ({"canary_by_header": "X-New"}, {}, "a"),
        ({"canary_by_header": "X-New"}, {"X_New": "always"}, "b"),
        ({"canary_by_header": "X-New", "canary_weight": "100"}, {"X_New": "never"}, "a"),
        ({"canary_by_header": "X-New", "canary_weight": "100"}, {"X_New": "other"}, "b"),
        ({"canary_by_header": "X-New", "canary_by_header_value": "it's"}, {"X_New": "it's"}, "b"),
        ({"canary_by_header": "X-New", "canary_by_header_value": "it's"}, {"X_New": "always"}, "a"),
        ({"canary_by_header": "X-New", "canary_by_header_pattern": "^k[ro]$"}, {"X_New": "kr"}, "b"),
        ({"canary_by_header": "X-New", "canary_by_header_pattern": "^k[ro]$"}, {"X_New": "kx"}, "a"),
        ({"canary_by_cookie": "new"}, {"Cookie": "old=1; new=always"}, "b"),
        ({"canary_by_cookie": "new", "canary_weight": "100"}, {"Cookie": "new=never"}, "a"),
        ({"canary_by_header": "X-New", "canary_by_cookie": "new"}, {"X_New": "never", "Cookie": "new=always"}, "a"),
    ],
)
def test_a_canary_goes_by_header_then_cookie_then_weight(
    site: Site, notes: dict[str, str], headers: dict[str, str], pod: str
) -> None:
    site.ingress("h1", ("/", "Prefix", "svc-a"), host="h.example")
    site.ingress("h2", ("/", "Prefix", "svc-b"), host="h.example", canary="true", **notes)
    assert {site.get("/", "h.example", **headers)[1][0] for _ in range(3)} == {pod}


def http_route(site: Site, name: str, host: str, *rules: Obj) -> None:
    """A route on a Gateway of its own."""
    made = {"metadata": {"name": name, "namespace": "d"}}
    site.put(gatewaystatus.CLASSES, {"metadata": {"name": "gc"}, "spec": {"controllerName": gateway.CONTROLLER}})
    listeners = [{"name": "http", "port": 80, "protocol": "HTTP"}]
    site.put(gatewaystatus.GATEWAYS, made | {"spec": {"gatewayClassName": "gc", "listeners": listeners}})
    spec = {"parentRefs": [{"name": name}], "hostnames": [host], "rules": [*rules]}
    site.put(gatewaystatus.ROUTES, made | {"spec": spec})
    site.settle()


def to(*pods: str, **rule: Any) -> Obj:
    """A rule that leads to the named pods with the weights written after them: ``a3``."""
    refs = [{"name": f"svc-{p[0]}", "port": 80, "weight": int(p[1:] or 1)} for p in pods]
    return {"backendRefs": refs, **rule}


def test_haproxy_goes_the_ways_of_http_routes(site: Site) -> None:
    def path(value: str, **more: Any) -> list[Obj]:
        return [{"path": {"type": "PathPrefix", "value": value}, **more}]

    new, digits = {"name": "X-New", "value": "it's"}, {"name": "q", "value": "^[0-9]+$", "type": "RegularExpression"}
    http_route(
        site, "g", "g.example",
        to("a"), to("b", matches=path("/b")), to("c", matches=path("/b", headers=[new])),
        to("c", matches=path("/", method="OPTIONS")), to("c", matches=path("/b/q", queryParams=[digits])),
    )  # fmt: skip
    for at in ("/", "/b", "/b/", "/bb", "/b/q?q=7", "/b/q?q=x"):
        for headers in ({}, {"X_New": "it's"}):
            path_, _, query = at.partition("?")
            lower = {key.lower().replace("_", "-"): value for key, value in headers.items()}
            asked = Request("g.example", path_, headers=lower, query=dict([query.split("=")]) if query else {})
            route = model.find(site.ingresses.table, asked)
            assert route is not None
            assert site.get(at, "g.example", **headers)[1][0] == route.choice.splits[0][0].service[-1], (at, headers)


def test_http_routes_split_by_weight_rewrite_and_redirect(site: Site) -> None:
    replace = {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/new"}}
    old = [{"path": {"type": "PathPrefix", "value": "/old"}}]
    gone = [{"path": {"type": "PathPrefix", "value": "/gone"}}]
    http_route(
        site, "g", "s.example", to("a3", "b1"),
        to("c", matches=old, filters=[{"type": "URLRewrite", "urlRewrite": replace}]),
        {"matches": gone, "filters": [{"type": "RequestRedirect", "requestRedirect": {**replace, "statusCode": 301}}]},
    )  # fmt: skip
    assert [site.get(at, "s.example")[1].split()[1] for at in ("/old", "/old/", "/old/x?y")] == [
        "/new",
        "/new/",
        "/new/x?y",
    ]
    connection = site.connect()
    connection.request("GET", "/gone/x", headers={"Host": "s.example"})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Location"], answer.read()) == (301, "http://s.example/new/x", b"")
    counted = Counter(ask(connection, "/", "s.example")[1][0] for _ in range(800))
    connection.close()
    assert 140 <= counted["b"] <= 260, "200 are expected; five standard deviations are 61"


def test_certificates_go_by_name_and_change_while_requests_run(site: Site) -> None:
    site.secret("one", "t.example")
    site.ingress("t", ("/", "Prefix", "svc-a"), host="t.example", tls="one")
    assert [site.served(name) for name in ("t.example", "u.example")] == ["t.example", "fallback.example"]
    assert site.get("/x", "t.example")[0] == 308
    site.secret("one", "renewed.example")
    site.settle()
    assert site.served("t.example") == "renewed.example"


def test_endpoints_come_and_go_without_a_new_configuration(site: Site) -> None:
    site.service("svc-move", "a")
    site.ingress("e", ("/", "Prefix", "svc-move"), host="e.example")
    before = sorted(path.name for path in site.haproxy.directory.glob("admin-*"))
    for pods in ("ab", "b", "bc", "c", ""):
        site.service("svc-move", pods)
        site.settle()
        answers = {site.get("/", "e.example") for _ in range(12)}
        assert {said[0] for status, said in answers if status == 200} == set(pods)
        assert pods or {status for status, _ in answers} == {503}
    assert sorted(path.name for path in site.haproxy.directory.glob("admin-*")) == before


def test_no_request_is_lost_while_the_configuration_changes(site: Site) -> None:
    site.ingress("n", ("/", "Prefix", "svc-a"), host="n.example")
    lost, served, stop = [], Counter[str](), threading.Event()

    def clients(keeps: bool) -> None:
        connection = site.connect()
        while not stop.is_set():
            try:
                status, _ = ask(connection, "/", "n.example")
            except (OSError, http.client.HTTPException) as error:
                lost.append(repr(error))
                return
            served["kept" if keeps else "new"] += 1
            if status != 200:
                lost.append(str(status))
            if not keeps or connection.sock is None:  # the answer said that it is the last on this connection
                connection.close()
                connection = site.connect()
        connection.close()

    threads = [threading.Thread(target=clients, args=(keeps,)) for keeps in (True, False)]
    for thread in threads:
        thread.start()
    for number in range(50):
        site.ingress(f"n{number}", (f"/{number}", "Prefix", random.choice(("svc-b", "svc-c"))), host="n.example")
    stop.set()
    for thread in threads:
        thread.join()
    assert not lost
    assert min(served["kept"], served["new"]) > 100


def test_an_entrance_that_was_killed_is_there_again(site: Site) -> None:
    site.ingress("q", ("/", "Prefix", "svc-a"), host="q.example")
    site.node.run(site.haproxy.stop())
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            assert site.get("/", "q.example")[0] == 200
            return
        except ConnectionRefusedError:
            continue
    raise AssertionError("it did not come back")
