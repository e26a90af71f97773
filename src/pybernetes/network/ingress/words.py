"""HAProxy's words for what is the same in every configuration, and for what one backend does with a request. Pure.

Rule 1: every value from an object is quoted by ``quoted``, and in a format by ``formatted``: none can become a word.
Rule 2: the request that a pod sees carries the headers that ingress-nginx sets, with the client's own values gone.
Pitfalls: ``idle-close-on-response`` keeps an old process from closing idle connections on which a client is just about
to ask; ``hard-stop-after`` ends it at last, after the time that upstream waits for its workers.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from typing import Final

from pybernetes.network.ingress.model import CONNECT_SECONDS, READ_SECONDS, Backend, Handling, Header, Redirect
from pybernetes.network.ingress.servers import Server

HEAD: Final = """\
global
  stats socket {socket} mode 600 level admin
  hard-stop-after 240s
  tune.ssl.default-dh-param 2048
  ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
  mode http
  option idle-close-on-response
  option redispatch 1
  retries 3
  timeout http-request 60s
  timeout http-keep-alive 75s
  timeout client 60s
  timeout client-fin 10s
  timeout tunnel 1h
  timeout connect 5s
  timeout server 60s
  http-reuse safe
resolvers node
  parse-resolv-conf
frontend status
  bind {address}:{status}
  http-request return status 200 content-type text/plain string ok if {{ path /healthz }}
  http-request use-service prometheus-exporter if {{ path /metrics }}
"""
FRONTEND: Final = """\
frontend {scheme}
  bind {bind}
  http-request set-var(txn.b) base,url_dec,map_str({directory}/exact.map)
  http-request set-var(txn.b) base,url_dec,map_beg({directory}/prefix.map) if !{{ var(txn.b) -m found }}
  http-request set-var(txn.path) path,url_dec if !{{ var(txn.b) -m found }}
  http-request set-var(txn.host) req.hdr(host),field(1,:),lower if !{{ var(txn.b) -m found }}
  http-request set-var(txn.v) var(txn.host),map_str({directory}/hosts.map) if !{{ var(txn.b) -m found }}
  http-request set-var(txn.v) var(txn.host),regsub(^[^.]+,*),map_str({directory}/hosts.map,{any_host}) \
if !{{ var(txn.b) -m found }} !{{ var(txn.v) -m found }}
  http-request set-var(txn.key) var(txn.v),concat(,txn.path) if !{{ var(txn.b) -m found }}
  http-request set-var(txn.b) var(txn.key),map_str({directory}/exact.map) if !{{ var(txn.b) -m found }}
  http-request set-var(txn.b) var(txn.key),map_beg({directory}/prefix.map) if !{{ var(txn.b) -m found }}
{rules}\
  http-request return status 404 content-type text/html string "<html><head><title>404 Not Found</title></head>\
<body><center><h1>404 Not Found</h1></center></body></html>" if !{{ var(txn.b) -m found }}
  http-request set-header X-Request-ID %[uuid] if !{{ req.hdr(X-Request-ID) -m found }}
  http-request set-header X-Real-IP %[src]
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Port {port}
  http-request set-header X-Forwarded-Proto {scheme}
  http-request set-header X-Forwarded-Scheme {scheme}
  http-request set-header X-Scheme {scheme}
{answer}\
  use_backend %[var(txn.b)]
"""
HSTS: Final = '  http-response set-header Strict-Transport-Security "max-age=31536000; includeSubDomains"\n'
_HOST: Final = "%[req.hdr(host),field(1,:),lower]"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_PROTOCOL: Final = {
    "HTTP": "", "HTTPS": " ssl verify none", "GRPC": " proto h2", "GRPCS": " ssl verify none alpn h2",
}  # fmt: skip


def quoted(text: str) -> str:
    """One word, whatever is in it; a control character, which would end the line, is left out."""
    return "'" + _CONTROL.sub("", text).replace("'", "'\\''") + "'"


def formatted(text: str) -> str:
    """One word of a place where HAProxy would expand ``%``."""
    return quoted(text.replace("%", "%%"))


def backend(name: str, of: Backend, slots: Sequence[Server | None]) -> Iterator[str]:
    """The section of one backend."""
    yield f"backend {name}"
    yield f"  # {of.namespace}/{of.service}:{of.port}"
    yield from (f"  {line}" for line in _handling(of.handling))
    suffix = _PROTOCOL[of.handling.protocol]
    for number, server in enumerate(slots):
        yield f"  server s{number} {_address(server)}{suffix}"


def is_name(address: str) -> bool:
    """Is it a DNS name rather than an address?"""
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return True
    return False


def _address(server: Server | None) -> str:
    if server is None:
        return "192.0.2.1:1 disabled"  # RFC 5737: an address of nobody's
    address, port = server
    return f"{address}:{port}" + (" resolvers node init-addr none" if is_name(address) else "")


def _handling(of: Handling) -> Iterator[str]:
    if of.answer:
        yield f"http-request return status {of.answer}"
    if of.allowed:
        yield f"http-request deny deny_status 403 unless {{ src {' '.join(of.allowed)} }}"
    if of.to_tls:
        yield f"http-request redirect code 308 location https://{_HOST}%[pathq] unless {{ ssl_fc }}"
    if of.body_bytes:
        yield f"http-request deny deny_status 413 if {{ req.hdr_val(content-length) gt {of.body_bytes} }}"
    if of.rewrite:
        yield f"http-request replace-path {quoted(of.rewrite[0])} {formatted(of.rewrite[1])}"
    if of.redirect:
        yield f"http-request redirect code {of.redirect.code} location {_location(of.redirect)}"
    yield from map(_header, of.headers)
    if of.host:
        yield f"http-request set-header Host {formatted(of.host)}"
    if of.sticky_cookie:
        yield f"cookie {of.sticky_cookie} insert indirect nocache httponly dynamic"
        yield "dynamic-cookie-key ingress"
    if of.connect_seconds != CONNECT_SECONDS:
        yield f"timeout connect {of.connect_seconds}s"
    if of.read_seconds != READ_SECONDS:
        yield f"timeout server {of.read_seconds}s"


def _location(to: Redirect) -> str:
    if to.location:
        return formatted(to.location)
    scheme = to.scheme or "%[ssl_fc,iif(https,http)]"
    host = to.host.replace("%", "%%") or _HOST
    usual = {"http": 80, "https": 443}.get(to.scheme)
    port = f":{to.port}" if to.port and to.port != usual else ""
    return quoted(f"{scheme}://{host}{port}%[pathq]")


def _header(of: Header) -> str:
    value = "" if of.action == "del" else f" {formatted(of.value)}"
    return f"http-{of.direction} {of.action}-header {quoted(of.name)}{value}"
