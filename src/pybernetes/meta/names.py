"""What may be called what: the name rules of apimachinery/pkg/util/validation, with its sentences.

Every judge returns complaints, an empty list for a good value; the caller puts the field path in front.
"""

from __future__ import annotations

import re
from typing import Final

_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN: Final = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_RE: Final = re.compile(rf"{_LABEL}\Z")
_LABEL_1035_RE: Final = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?\Z")
_SUBDOMAIN_RE: Final = re.compile(rf"{_SUBDOMAIN}\Z")
_QUALIFIED_RE: Final = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]\Z")
_KEY_RE: Final = re.compile(r"[-._a-zA-Z0-9]+\Z")
_ENV_RE: Final = re.compile(r"[ -<>-~]+\Z")
_PORT_RE: Final = re.compile(r"[-a-z0-9]+\Z")

_LABEL_TEXT: Final = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_SUBDOMAIN_TEXT: Final = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_LABEL_1035_TEXT: Final = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)
_QUALIFIED_TEXT: Final = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_LABEL_VALUE_TEXT: Final = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_KEY_TEXT: Final = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  "
    "or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_ENV_TEXT: Final = (
    "a valid environment variable name must consist only of printable ASCII characters other than '=' "
    "(regex used for validation is '^[ -<>-~]+$')"
)

NAME_MAX: Final = 63
GENERATED_SUFFIX: Final = 5


def _too_long(maximum: int) -> str:
    return f"must be no more than {maximum} bytes"


def _judge(value: str, pattern: re.Pattern[str], text: str, maximum: int) -> list[str]:
    complaints = [_too_long(maximum)] if len(value.encode()) > maximum else []
    if not pattern.match(value):
        complaints.append(text)
    return complaints


def _unmasked(name: str, is_prefix: bool) -> str:
    """A generateName prefix may end in a dash, since more will follow it."""
    return name[:-1] + "a" if is_prefix and len(name) > 1 and name.endswith("-") else name


def dns1123_label(name: str, *, is_prefix: bool = False) -> list[str]:
    """RFC 1123 label: most names that become part of a DNS name."""
    return _judge(_unmasked(name, is_prefix), _LABEL_RE, _LABEL_TEXT, 63)


def dns1123_subdomain(name: str, *, is_prefix: bool = False) -> list[str]:
    """RFC 1123 subdomain: the rule for most objects' names."""
    return _judge(_unmasked(name, is_prefix), _SUBDOMAIN_RE, _SUBDOMAIN_TEXT, 253)


def dns1035_label(name: str, *, is_prefix: bool = False) -> list[str]:
    """RFC 1035 label: Services."""
    return _judge(_unmasked(name, is_prefix), _LABEL_1035_RE, _LABEL_1035_TEXT, 63)


def path_segment(name: str, *, is_prefix: bool = False) -> list[str]:
    """Whatever can stand in a path: RBAC objects (apimachinery/pkg/api/validation/path)."""
    if not is_prefix and name in (".", ".."):
        return [f"may not be '{name}'"]
    return [f"may not contain '{c}'" for c in ("/", "%") if c in name]


def qualified_name(key: str) -> list[str]:
    """``[prefix/]name``: label and annotation keys, finalizers, resource names."""
    prefix, slash, name = key.rpartition("/")
    complaints: list[str] = []
    if slash and "/" in prefix:
        return [
            "a qualified name " + _QUALIFIED_TEXT[:-1] + ") with an optional DNS subdomain prefix and '/' "
            "(e.g. 'example.com/MyName')"
        ]
    if slash and not prefix:
        complaints.append("prefix part must be non-empty")
    elif slash:
        complaints += [f"prefix part {c}" for c in dns1123_subdomain(prefix)]
    if not name:
        complaints.append("name part must be non-empty")
    elif len(name) > 63:
        complaints.append("name part " + _too_long(63))
    if not _QUALIFIED_RE.match(name):
        complaints.append("name part " + _QUALIFIED_TEXT)
    return complaints


def label_value(value: str) -> list[str]:
    complaints = [_too_long(63)] if len(value.encode()) > 63 else []
    if value and not _QUALIFIED_RE.match(value):
        complaints.append(_LABEL_VALUE_TEXT)
    return complaints


def config_map_key(key: str) -> list[str]:
    """A key of a ConfigMap or Secret: it becomes a file name."""
    complaints = _judge(key, _KEY_RE, _KEY_TEXT, 253)
    if key == ".":
        complaints.append("must not be '.'")
    elif key == "..":
        complaints.append("must not be '..'")
    elif key.startswith(".."):
        complaints.append("must not start with '..'")
    return complaints


def env_var_name(name: str) -> list[str]:
    """Relaxed rule of KEP-4369: any printable ASCII but '='."""
    return [] if _ENV_RE.match(name) else [_ENV_TEXT]


def port_name(name: str) -> list[str]:
    """IANA service name: a container port's name."""
    complaints = ["must be no more than 15 characters"] if len(name) > 15 else []
    if not _PORT_RE.match(name):
        complaints.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not any("a" <= c <= "z" for c in name):
        complaints.append("must contain at least one letter (a-z)")
    if "--" in name:
        complaints.append("must not contain consecutive hyphens")
    if name and (name[0] == "-" or name[-1] == "-"):
        complaints.append("must not begin or end with a hyphen")
    return complaints


def generate(prefix: str, suffix: str) -> str:
    """``metadata.generateName`` and five characters of chance, cut to what a label can hold (SimpleNameGenerator)."""
    return prefix[: NAME_MAX - GENERATED_SUFFIX] + suffix
