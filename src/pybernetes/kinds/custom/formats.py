"""Formats of texts that a structural schema may ask for; any other is accepted (kube-openapi/pkg/validation/strfmt)."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final
from urllib.parse import urlsplit

from pybernetes.cel.functions import times
from pybernetes.cel.values import CelError
from pybernetes.meta import names


def _parses(parse: Callable[[str], Any]) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        try:
            parse(text)
        except (ValueError, CelError, binascii.Error):
            return False
        return True

    return fits


def _is(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


def _uri(text: str) -> bool:
    try:
        return bool(urlsplit(text).scheme) or text.startswith("/")
    except ValueError:
        return False


_HEX: Final = "[0-9a-fA-F]"
FORMATS: Final[Mapping[str, Callable[[str], bool]]] = {
    "bsonobjectid": _is(f"{_HEX}{{24}}"),
    "uri": _uri,
    "email": _is(r"[^@\s]+@[^@\s]+"),
    "hostname": lambda text: not names.dns1123_subdomain(text.lower()),
    "ipv4": _parses(ipaddress.IPv4Address),
    "ipv6": _parses(ipaddress.IPv6Address),
    "cidr": lambda text: "/" in text and _parses(lambda one: ipaddress.ip_network(one, strict=False))(text),
    "mac": _is(f"{_HEX}{{2}}([:-]{_HEX}{{2}}){{5}}"),
    "uuid": _is(f"{_HEX}{{8}}-?{_HEX}{{4}}-?{_HEX}{{4}}-?{_HEX}{{4}}-?{_HEX}{{12}}"),
    "uuid3": _is(f"{_HEX}{{8}}-?{_HEX}{{4}}-?3{_HEX}{{3}}-?{_HEX}{{4}}-?{_HEX}{{12}}"),
    "uuid4": _is(f"{_HEX}{{8}}-?{_HEX}{{4}}-?4{_HEX}{{3}}-?[89abAB]{_HEX}{{3}}-?{_HEX}{{12}}"),
    "uuid5": _is(f"{_HEX}{{8}}-?{_HEX}{{4}}-?5{_HEX}{{3}}-?[89abAB]{_HEX}{{3}}-?{_HEX}{{12}}"),
    "isbn10": _is(r"(\d[- ]?){9}[\dX]"),
    "isbn13": _is(r"(\d[- ]?){13}"),
    "isbn": _is(r"(\d[- ]?){9}[\dX]|(\d[- ]?){13}"),
    "creditcard": _is(r"(\d[- ]?){13,16}"),
    "ssn": _is(r"\d{3}[- ]?\d{2}[- ]?\d{4}"),
    "hexcolor": _is(f"#?({_HEX}{{3}}|{_HEX}{{6}})"),
    "rgbcolor": _is(r"rgb\(\s*\d{1,3}\s*,\s*\d{1,3}\s*,\s*\d{1,3}\s*\)"),
    "byte": _parses(lambda text: base64.b64decode(text, validate=True)),
    "date": _parses(date.fromisoformat),
    "date-time": _parses(times.parse_timestamp),
    "datetime": _parses(times.parse_timestamp),
    "duration": _parses(times.parse_duration),
    "k8s-short-name": lambda text: not names.dns1123_label(text),
    "k8s-long-name": lambda text: not names.dns1123_subdomain(text),
}
"""Name → does a text fit?"""
