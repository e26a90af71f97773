"""The annotations of ingress-nginx, read into ``model.Handling`` and ``model.Canary``. Pure.

Rule 1: what cannot be is left out and told as a problem, as upstream does; the rest of the Ingress works.
Rule 2: no value with a control character is taken: it would end a line of the data plane's configuration.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeVar

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.network.ingress.model import (
    CONNECT_SECONDS,
    READ_SECONDS,
    Backend,
    Canary,
    Handling,
    Problem,
    Redirect,
    Source,
)  # fmt: skip

T = TypeVar("T")
PREFIX: Final = "nginx.ingress.kubernetes.io/"
STICKY_COOKIE: Final = "INGRESSCOOKIE"
BODY_BYTES: Final = 1 << 20
"""Upstream's proxy-body-size: 1m."""
_PROTOCOLS: Final[Mapping[str, Literal["HTTP", "HTTPS", "GRPC", "GRPCS"]]] = {
    "HTTP": "HTTP", "AUTO_HTTP": "HTTP", "HTTPS": "HTTPS", "GRPC": "GRPC", "GRPCS": "GRPCS",
}  # fmt: skip
_UNITS: Final = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")


@dataclass(slots=True)
class Annotations:
    """The annotations of one Ingress; ``problems`` grows as they are read."""

    values: Mapping[str, str]
    source: Source
    problems: list[Problem] = field(default_factory=list)

    @classmethod
    def of(cls, ingress: Obj, source: Source) -> Annotations:
        found = cls({}, source)
        found.values = dict(found._safe(ingress))
        return found

    def _safe(self, ingress: Obj) -> Iterator[tuple[str, str]]:
        for key, value in (objects.meta(ingress).get("annotations") or {}).items():
            if not key.startswith(PREFIX):
                continue
            if any(ord(c) < 32 or ord(c) == 127 for c in value):
                self.complain(key.removeprefix(PREFIX), "has a control character")
            else:
                yield key.removeprefix(PREFIX), value

    def complain(self, name: str, why: str) -> None:
        self.problems.append(Problem(self.source, "InvalidAnnotation", f"annotation {PREFIX}{name} {why}"))

    def text(self, name: str) -> str:
        return self.values.get(name, "").strip()

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.text(name).lower()
        return default if not value else value in ("true", "1", "t")

    def number(self, name: str, default: int) -> int:
        return self.read(name, int, default, "is not a number")

    def pattern(self, name: str) -> str:
        """A regular expression, or empty where it is none."""
        return self.read(name, lambda text: re.compile(text).pattern, "", "is not a regular expression")

    def token(self, name: str, default: str = "") -> str:
        """A header's or a cookie's name."""
        value = self.text(name)
        if value and not _TOKEN.match(value):
            self.complain(name, f"cannot be a name: {value}")
            return default
        return value or default

    def networks(self, name: str) -> tuple[str, ...]:
        def read(text: str) -> tuple[str, ...]:
            return tuple(str(ipaddress.ip_network(part.strip(), strict=False)) for part in text.split(","))

        return self.read(name, read, (), "is not a list of networks")

    def read(self, name: str, parse: Callable[[str], T], default: T, why: str) -> T:
        """A value as ``parse`` reads it; what that refuses is told as a problem."""
        value = self.text(name)
        if not value:
            return default
        try:
            return parse(value)
        except (ValueError, re.error):
            self.complain(name, f"{why}: {value}")
            return default


def handling(of: Annotations, has_certificate: bool) -> Handling:
    """What the annotations ask for on every path of their Ingress; the rewriting depends on the path (``rewrite``)."""
    return Handling(
        to_tls=of.flag("force-ssl-redirect") or (has_certificate and of.flag("ssl-redirect", default=True)),
        redirect=_redirect(of),
        protocol=_protocol(of),
        body_bytes=of.read("proxy-body-size", size, BODY_BYTES, "is not a size"),
        sticky_cookie=of.token("session-cookie-name", STICKY_COOKIE) if of.text("affinity") == "cookie" else "",
        host=of.text("upstream-vhost"),
        connect_seconds=of.number("proxy-connect-timeout", CONNECT_SECONDS),
        read_seconds=of.number("proxy-read-timeout", READ_SECONDS),
        allowed=of.networks("allowlist-source-range") or of.networks("whitelist-source-range"),
    )


def canary(of: Annotations, backend: Backend) -> Canary:
    """How much of the traffic a canary Ingress takes."""
    return Canary(
        backend=backend,
        header=of.token("canary-by-header"),
        header_value=of.text("canary-by-header-value"),
        header_pattern=of.pattern("canary-by-header-pattern"),
        cookie=of.token("canary-by-cookie"),
        weight=max(0, of.number("canary-weight", 0)),
        weight_total=max(100, of.number("canary-weight-total", 100)),
    )


def is_canary(of: Annotations) -> bool:
    return of.flag("canary")


def wants_regex(of: Annotations) -> bool:
    """Upstream: either annotation makes all paths of its hosts regular expressions."""
    return of.flag("use-regex") or bool(of.text("rewrite-target"))


def rewrite(of: Annotations, path: str) -> tuple[str, str] | None:
    """(expression, new path), where a path of this Ingress is to be rewritten."""
    target = of.text("rewrite-target")
    if not target or target == path:
        return None
    return f"(?i)^{path}", re.sub(r"\$(\d)", r"\\\1", target.replace("\\", "\\\\"))


def _redirect(of: Annotations) -> Redirect | None:
    if location := of.text("temporal-redirect"):
        return Redirect(302, location)
    if location := of.text("permanent-redirect"):
        code = of.number("permanent-redirect-code", 301)
        return Redirect(code if code in (301, 302, 303, 307, 308) else 301, location)
    return None


def _protocol(of: Annotations) -> Literal["HTTP", "HTTPS", "GRPC", "GRPCS"]:
    asked = of.text("backend-protocol").upper() or "HTTP"
    if asked not in _PROTOCOLS:
        of.complain("backend-protocol", f"must be one of {', '.join(_PROTOCOLS)}: {asked}")
    return _PROTOCOLS.get(asked, "HTTP")


def size(text: str) -> int:
    """nginx's sizes: ``8k``, ``1m``, ``2g``; 0 is without limit. Raises ValueError."""
    found = re.fullmatch(r"(\d+)([kKmMgG]?)", text)
    if not found:
        raise ValueError(text)
    return int(found[1]) * _UNITS[found[2].lower()]
