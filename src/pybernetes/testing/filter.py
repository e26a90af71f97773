"""A small reader of the rules that ``network/policy/render.py`` writes: does a packet pass? For tests without a kernel.

Knows just the matches that are written there, and raises ValueError for any other, so that it cannot pass over one.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pybernetes.network.ruleset import Fragment


@dataclass(frozen=True, slots=True)
class Packet:
    """The first of a connection, as the forward hook sees it."""

    source: str
    destination: str
    protocol: str
    port: int


_MATCH: Final = re.compile(
    r"ip daddr \. meta l4proto \. th dport @(?P<ports>\S+)"
    r"|ip (?P<side>[sd])addr (?:@(?P<set>\S+)|(?P<unlike>!= )?(?P<network>[\d./]+))"
    r"|meta l4proto (?P<protocol>\w+)"
    r"|th dport \{ (?P<numbers>[^}]*) \}"
)


class Filter:
    """``rules``: all that is not fixed. ``passes``: what a node decides where both ends are its own pods."""

    def __init__(self, rules: Fragment) -> None:
        self._rules = rules

    def passes(self, packet: Packet) -> bool:
        known = [("known", address) in self._rules.elements for address in (packet.source, packet.destination)]
        return all(known) and self.may_leave(packet) and self.may_arrive(packet)

    def may_leave(self, packet: Packet) -> bool:
        return self._is_own(packet) or self._verdict("egress", packet.source, packet)

    def may_arrive(self, packet: Packet) -> bool:
        return self._is_own(packet) or self._verdict("ingress", packet.destination, packet)

    def _is_own(self, packet: Packet) -> bool:
        return ("selves", f"{packet.source} . {packet.destination}") in self._rules.elements

    def _verdict(self, map_: str, address: str, packet: Packet) -> bool:
        target = self._rules.elements.get((map_, address))
        return target is None or self._chain(target.removeprefix("goto "), packet) is not False

    def _chain(self, name: str, packet: Packet) -> bool | None:
        for rule in self._rules.chains[name]:
            words, _, last = rule.rpartition(" ")
            if words == "jump":
                if (found := self._chain(last, packet)) is not None:
                    return found
            elif all(self._matches(words, packet)):
                return last == "accept"
        return None

    def _matches(self, words: str, packet: Packet) -> Iterator[bool]:
        rest = words
        while rest:
            match = _MATCH.match(rest)
            if match is None:
                raise ValueError(f"not a match that policies write: {rest!r}")
            yield self._holds(match, packet)
            rest = rest[match.end() :].lstrip()

    def _holds(self, match: re.Match[str], packet: Packet) -> bool:
        found = match.groupdict()
        if found["ports"]:
            key = f"{packet.destination} . {packet.protocol} . {packet.port}"
            return (found["ports"], key) in self._rules.elements
        if found["protocol"]:
            return packet.protocol == found["protocol"]
        if found["numbers"]:
            return any(_within(packet.port, part) for part in found["numbers"].split(", "))
        address = packet.source if found["side"] == "s" else packet.destination
        if found["set"]:
            return (found["set"], address) in self._rules.elements
        inside = ipaddress.ip_address(address) in ipaddress.ip_network(found["network"], strict=False)
        return inside != bool(found["unlike"])


def _within(port: int, part: str) -> bool:
    first, _, last = part.partition("-")
    return int(first) <= port <= int(last or first)
