"""Who is asked about the world: the ConfigMap ``kube-dns`` of kube-system, as kube-dns has always read it. Pure.

``stubDomains`` is a JSON object of domain → name servers, ``upstreamNameservers`` a JSON list of name servers that
stand in for the machine's own. A server is an IPv4 address, with ``:port`` where it is not 53. Text that says neither
is told in the log and changes nothing.
Neighbours: ``server.py`` follows the ConfigMap, ``forward.py`` asks.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import orjson

from pybernetes.meta.objects import Obj

NAMESPACE: Final = "kube-system"
NAME: Final = "kube-dns"
PORT: Final = 53
Address: TypeAlias = tuple[str, int]


class SettingsError(ValueError):
    """The ConfigMap says something that cannot be; the message names the key."""


@dataclass(frozen=True, slots=True)
class Settings:
    stubs: Mapping[str, tuple[Address, ...]] = field(default_factory=dict)
    """Domain (lower case, no dot at its end) → who knows it."""
    upstream: tuple[Address, ...] = ()
    """Empty: the machine's own resolvers."""

    def stub_of(self, name: str) -> str:
        """The longest of our domains in which ``name`` lies, or empty."""
        labels = name.split(".")
        candidates = (".".join(labels[start:]) for start in range(len(labels)))
        return next((each for each in candidates if each in self.stubs), "")


def read(config_map: Obj | None) -> Settings:
    """What a ConfigMap (or none) says. Raises SettingsError."""
    data = (config_map or {}).get("data") or {}
    stubs = _parsed(data, "stubDomains", "{}", dict)
    return Settings(
        {domain.rstrip(".").lower(): _servers(servers, "stubDomains") for domain, servers in stubs.items()},
        _servers(_parsed(data, "upstreamNameservers", "[]", list), "upstreamNameservers"),
    )


def _parsed(data: Mapping[str, str], key: str, default: str, shape: type[Any]) -> Any:
    try:
        found = orjson.loads(data.get(key) or default)
    except orjson.JSONDecodeError as error:
        raise SettingsError(f"{key} is not JSON: {error}") from error
    if not isinstance(found, shape):
        raise SettingsError(f"{key} must be a JSON {'object' if shape is dict else 'list'}")
    return found


def _servers(told: Any, key: str) -> tuple[Address, ...]:
    if not isinstance(told, list):
        raise SettingsError(f"{key}: {told!r} is not a list of name servers")
    return tuple(_server(str(each), key) for each in told)


def _server(text: str, key: str) -> Address:
    host, colon, port = text.partition(":")
    try:
        number = int(port) if colon else PORT
        return str(ipaddress.IPv4Address(host)), number
    except ValueError as error:
        raise SettingsError(f"{key}: {text!r} is not an IPv4 address with or without a port") from error
