"""Questions and answers as bytes, by dnslib; the only file that knows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import dnslib
from dnslib import QTYPE, RCODE

from pybernetes.network.dns.records import TTL_SECONDS, Record

UDP_BYTES: Final = 512
"""What an answer by UDP may have unless the caller says that it takes more."""
UDP_BYTES_MAX: Final = 4096
LABEL_BYTES: Final = 63

_UNREADABLE: Final = (dnslib.DNSError, ValueError, IndexError)
"""What dnslib raises on bytes that are no message."""
_DATA: Final[Mapping[str, Callable[[Any], Any]]] = {
    "A": dnslib.A,
    "AAAA": dnslib.AAAA,
    "PTR": dnslib.PTR,
    "NS": dnslib.NS,
    "CNAME": dnslib.CNAME,
    "TXT": dnslib.TXT,
    "SRV": lambda data: dnslib.SRV(*data),
    "SOA": lambda data: dnslib.SOA(data[0], data[1], (1, 7200, 1800, 86400, TTL_SECONDS)),
}


@dataclass(frozen=True, slots=True)
class Question:
    name: str
    """Lower case, without the dot at its end."""
    type: str
    message: Any
    """The parsed message, of which the answer is made."""


def parse(data: bytes) -> Question | None:
    """The question of a message; None for what is none."""
    try:
        message = dnslib.DNSRecord.parse(data)
    except _UNREADABLE:
        return None
    if message.header.qr or message.header.opcode or len(message.questions) != 1:
        return None
    if any(len(label) > LABEL_BYTES for label in message.q.qname.label):
        return None  # read as a name, and yet never one that an answer could repeat
    return Question(str(message.q.qname).rstrip(".").lower(), _type(message.q.qtype), message)


def _type(number: int) -> str:
    return str(QTYPE.forward.get(number, f"TYPE{number}"))


def render(
    question: Question,
    records: Iterable[Record] = (),
    *,
    code: str = "NOERROR",
    authority: Iterable[Record] = (),
    additional: Iterable[Record] = (),
    is_authority: bool = True,
    udp: bool = False,
) -> bytes:
    """The answer's bytes; ``udp``: cut short, and marked so, where it is larger than the caller takes."""
    reply = question.message.reply(aa=is_authority, ra=1)
    reply.header.rcode = getattr(RCODE, code)
    for add, rows in ((reply.add_answer, records), (reply.add_auth, authority), (reply.add_ar, additional)):
        for row in rows:
            add(_resource(row))
    data = bytes(reply.pack())
    if udp and len(data) > _limit(question):
        data = bytes(reply.truncate().pack())
    return data


def answers(data: bytes) -> list[Any]:
    """The answer records of a message from elsewhere; none where it cannot be read."""
    try:
        return list(dnslib.DNSRecord.parse(data).rr)
    except _UNREADABLE:
        return []


def holds(data: bytes) -> tuple[str, float]:
    """(response code, for how many seconds an answer from elsewhere holds); no time for what cannot be read or is cut
    short. Without records it is the SOA's word that counts (RFC 2308)."""
    try:
        message = dnslib.DNSRecord.parse(data)
    except _UNREADABLE:
        return "SERVFAIL", 0.0
    code = str(RCODE.forward.get(message.header.rcode, message.header.rcode))
    if message.header.tc:
        return code, 0.0
    lives = [record.ttl for record in (*message.rr, *message.auth)]
    lives += [record.rdata.times[4] for record in message.auth if record.rtype == QTYPE.SOA and not message.rr]
    return code, float(min(lives, default=TTL_SECONDS))


def query(question: Question, name: str) -> bytes:
    """The same question about another name, under the same number."""
    asked = dnslib.DNSRecord.question(name, question.type)
    asked.header.id = question.message.header.id
    return bytes(asked.pack())


def _resource(record: Any) -> Any:
    if not isinstance(record, Record):
        return record
    return dnslib.RR(
        record.name, getattr(QTYPE, record.type), rdata=_DATA[record.type](record.data), ttl=record.ttl_seconds
    )


def _limit(question: Question) -> int:
    offered: list[int] = [record.rclass for record in question.message.ar if record.rtype == QTYPE.OPT]
    return min(max([UDP_BYTES, *offered]), UDP_BYTES_MAX)
