"""What Kubernetes accepts as a name, a key or a value, and what it says of the rest.

Rule: every judge takes a text and answers its complaints, none when it is good; the sentences are upstream's
(apimachinery/pkg/util/validation and pkg/api/validate/content, api/validation for names of objects).
Neighbours: ``kinds/strategy`` puts a field's path before each complaint; ``generate`` makes names of generateName.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

NAME_MAX: Final = 63
GENERATED_BASE_MAX: Final = 58
"""Longest part of generateName that is kept, so that a suffix of five still makes a label (names.go)."""

_ALPHANUMERIC: Final = "must start and end with an alphanumeric character"
_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN: Final = rf"{_LABEL}(\.{_LABEL})*"
_KEY: Final = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"


class _Form(NamedTuple):
    """A regular expression with the sentence that tells of it."""

    pattern: re.Pattern[str]
    sentence: str

    @staticmethod
    def of(pattern: str, message: str, *examples: str) -> _Form:
        """``content.RegexError``: the comma before ``or`` is upstream's."""
        shown = " or ".join(f"'{example}', " for example in examples)
        return _Form(re.compile(pattern), f"{message} (e.g. {shown}regex used for validation is '{pattern}')")


_DNS1123_LABEL: Final = _Form.of(
    _LABEL,
    f"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and {_ALPHANUMERIC}",
    "my-name", "123-abc",
)  # fmt: skip
_DNS1123_SUBDOMAIN: Final = _Form.of(
    _SUBDOMAIN,
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    f"and {_ALPHANUMERIC}",
    "example.com",
)
_DNS1035_LABEL: Final = _Form.of(
    "[a-z]([-a-z0-9]*[a-z0-9])?",
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
    "character, and end with an alphanumeric character",
    "my-name", "abc-123",
)  # fmt: skip
_WILDCARD: Final = _Form.of(
    rf"\*\.{_SUBDOMAIN}",
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
    "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
    "*.example.com",
)
_NAME_PART: Final = _Form.of(
    _KEY, f"must consist of alphanumeric characters, '-', '_' or '.', and {_ALPHANUMERIC}",
    "MyName", "my.name", "123-abc",
)  # fmt: skip
_LABEL_VALUE: Final = _Form.of(
    f"({_KEY})?",
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    f"and {_ALPHANUMERIC}",
    "MyValue", "my_value", "12345",
)  # fmt: skip
_CONFIG_KEY: Final = _Form.of(
    "[-._a-zA-Z0-9]+", "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
    "key.name", "KEY_NAME", "key-name",
)  # fmt: skip
_C_IDENTIFIER: Final = _Form.of(
    "[A-Za-z_][A-Za-z0-9_]*",
    "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric "
    "characters or '_'",
    "my_name", "MY_NAME", "MyName",
)  # fmt: skip
_ENV_VAR: Final = re.compile("[ -<>-~]*")
_PORT_NAME: Final = (
    (re.compile(r"[-a-z0-9]+\Z"), "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"),
    (re.compile(r".*[a-z]", re.DOTALL), "must contain at least one letter (a-z)"),
    (re.compile(r"(?!.*--)", re.DOTALL), "must not contain consecutive hyphens"),
    (re.compile(r"(?!-)(?!.*-\Z)", re.DOTALL), "must not begin or end with a hyphen"),
)


def _judge(text: str, form: _Form, longest: int, unit: str = "bytes") -> list[str]:
    """Complaints about length and form. Older judges upstream count the same bytes but call them characters."""
    found = []
    if len(text) > longest or (not text.isascii() and len(text.encode()) > longest):
        found.append(f"must be no more than {longest} {unit}")
    if form.pattern.fullmatch(text) is None:
        found.append(form.sentence)
    return found


def _unmasked(name: str, is_prefix: bool) -> str:
    """A prefix may end in a dash, since a suffix follows (api/validation.maskTrailingDash)."""
    return f"{name[:-2]}a" if is_prefix and len(name) > 1 and name.endswith("-") else name


# ── names of objects ─────────────────────────────────────────────────────────────────────────────────────


def dns1123_subdomain(name: str, *, is_prefix: bool = False) -> list[str]:
    """Most names: ``web-0.example``, at most 253 bytes."""
    return _judge(_unmasked(name, is_prefix), _DNS1123_SUBDOMAIN, 253)


def dns1123_label(name: str, *, is_prefix: bool = False) -> list[str]:
    """Namespaces, containers, volumes: no dots, at most 63 bytes."""
    text = _unmasked(name, is_prefix)
    found = _judge(text, _DNS1123_LABEL, NAME_MAX)
    if found and found[-1] is _DNS1123_LABEL.sentence and _DNS1123_SUBDOMAIN.pattern.fullmatch(text):
        found[-1] = "must not contain dots"
    return found


def dns1035_label(name: str, *, is_prefix: bool = False) -> list[str]:
    """Services: a label that begins with a letter."""
    return _judge(_unmasked(name, is_prefix), _DNS1035_LABEL, NAME_MAX, "characters")


def wildcard_dns1123_subdomain(name: str) -> list[str]:
    """Hosts of ingresses: ``*.example.com``."""
    return _judge(name, _WILDCARD, 253, "characters")


def path_segment(name: str, *, is_prefix: bool = False) -> list[str]:
    """Names that need only be a segment of a path: RBAC's ``system:node``."""
    if name in (".", "..") and not is_prefix:
        return [f"may not be '{name}'"]
    return [f"may not contain '{sign}'" for sign in "/%" if sign in name]


def generate(prefix: str, suffix: str) -> str:
    """The name that ``generateName: prefix`` becomes with this suffix (apiserver/pkg/storage/names)."""
    return prefix[:GENERATED_BASE_MAX] + suffix


# ── keys and values ──────────────────────────────────────────────────────────────────────────────────────


def qualified_name(key: str) -> list[str]:
    """A label's key: ``[dns.subdomain/]Name``."""
    prefix, slash, name = key.rpartition("/")
    if "/" in prefix:
        rest = " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return [f"a valid label key {_NAME_PART.sentence}{rest}"]
    found = [f"prefix part {text}" for text in _prefix_complaints(prefix)] if slash else []
    if not name:
        found.append("name part must be non-empty")
    return found + [f"name part {text}" for text in _judge(name, _NAME_PART, NAME_MAX)]


def _prefix_complaints(prefix: str) -> Sequence[str]:
    return dns1123_subdomain(prefix) if prefix else ("must be non-empty",)


def label_value(value: str) -> list[str]:
    """The value of a label; may be empty."""
    return _judge(value, _LABEL_VALUE, NAME_MAX)


def config_map_key(key: str) -> list[str]:
    """A key of a ConfigMap or Secret, which becomes a file's name."""
    found = _judge(key, _CONFIG_KEY, 253, "characters")
    if key in (".", ".."):
        found.append(f"must not be '{key}'")
    elif key.startswith(".."):
        found.append("must not start with '..'")
    return found


def env_var_name(name: str) -> list[str]:
    """Any printable ASCII but ``=`` (validation.IsRelaxedEnvVarName)."""
    found = [] if name else ["environment variable name must be non-empty"]
    if _ENV_VAR.fullmatch(name) is None:
        found.append("a valid environment variable name must consist only of printable ASCII characters other than '='")
    return found


def c_identifier(name: str) -> list[str]:
    return [] if _C_IDENTIFIER.pattern.fullmatch(name) else [_C_IDENTIFIER.sentence]


def port_name(name: str) -> list[str]:
    """A named port (RFC 6335 in lower case): at most 15 characters and a letter among them."""
    found = ["must be no more than 15 characters"] if len(name) > 15 else []
    return found + [text for pattern, text in _PORT_NAME if pattern.match(name) is None]
