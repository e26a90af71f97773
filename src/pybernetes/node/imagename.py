"""Image names: the short form that people write and the full form that the runtime keeps (docker's reference). Pure."""

from __future__ import annotations

import re
from typing import Final

_DOMAIN: Final = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_COMPONENT: Final = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_TAG: Final = r"[\w][\w.-]{0,127}"
_DIGEST: Final = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_REFERENCE: Final = re.compile(
    rf"(?P<name>(?:{_DOMAIN}(?:\.{_DOMAIN})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?/{_COMPONENT}(?:/{_COMPONENT})*)"
    rf"(?::(?P<tag>{_TAG}))?(?:@(?P<digest>{_DIGEST}))?",
    re.ASCII,
)
_IDENTIFIER: Final = re.compile(r"[a-f0-9]{64}")
_NAME_MAX: Final = 255


def normalise(name: str) -> str:
    """``busybox`` → ``docker.io/library/busybox:latest``. Raises ValueError in the words of docker's parser."""
    match = _parse(name)
    tag = f":{match['tag']}" if match["tag"] else ""
    digest = f"@{match['digest']}" if match["digest"] else ""
    return match["name"] + (tag + digest or ":latest")


def with_default_tag(name: str) -> str:
    """The name as it was written, with ``:latest`` where it has neither tag nor digest. Raises as ``normalise``."""
    match = _parse(name)
    return name if match["tag"] or match["digest"] else f"{name}:latest"


def _parse(name: str) -> re.Match[str]:
    if _IDENTIFIER.fullmatch(name):
        raise ValueError(f"invalid repository name ({name}), cannot specify 64-byte hexadecimal strings")
    domain, rest = _split_domain(name)
    path = re.split("[:@]", rest, maxsplit=1)[0]
    if path != path.lower():
        raise ValueError(f"invalid reference format: repository name ({path}) must be lowercase")
    match = _REFERENCE.fullmatch(f"{domain}/{rest}")
    if match is None:
        raise ValueError("invalid reference format")
    if len(match["name"]) > _NAME_MAX:
        raise ValueError(f"repository name must not be more than {_NAME_MAX} characters")
    return match


def _split_domain(name: str) -> tuple[str, str]:
    """(registry, the rest), with docker.io and its ``library/`` filled in."""
    domain, slash, rest = name.partition("/")
    if not slash or not (set(domain) & set(".:") or domain == "localhost" or domain != domain.lower()):
        domain, rest = "docker.io", name
    if domain == "index.docker.io":
        domain = "docker.io"
    if domain == "docker.io" and "/" not in rest:
        rest = f"library/{rest}"
    return domain, rest
