"""Names, keys and values are judged in upstream's words."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pybernetes.meta import names

SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
SERVICE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)
KEY = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


@pytest.mark.parametrize(
    ("judge", "text", "complaints"),
    [
        (names.dns1123_subdomain, "web-0.example", []),
        (names.dns1123_subdomain, "Web", [SUBDOMAIN]),
        (names.dns1123_subdomain, "", [SUBDOMAIN]),
        (names.dns1123_subdomain, "a" * 254, ["must be no more than 253 bytes"]),
        (names.dns1123_label, "web-0", []),
        (names.dns1123_label, "-web", [LABEL]),
        (names.dns1123_label, "a.b", ["must not contain dots"]),
        (names.dns1035_label, "web", []),
        (names.dns1035_label, "0web", [SERVICE]),
        (names.path_segment, "system:node", []),
        (names.path_segment, "..", ["may not be '..'"]),
        (names.path_segment, "a/b%", ["may not contain '/'", "may not contain '%'"]),
        (names.qualified_name, "app", []),
        (names.qualified_name, "example.com/App_1", []),
        (names.qualified_name, "/app", ["prefix part must be non-empty"]),
        (names.qualified_name, "-app", [KEY]),
        (names.label_value, "", []),
        (names.label_value, "a_B.1", []),
        (names.label_value, "a b", [VALUE]),
        (names.label_value, "é", [VALUE]),
        (names.config_map_key, "a.txt", []),
        (names.config_map_key, "..", ["must not be '..'"]),
        (names.config_map_key, "..a", ["must not start with '..'"]),
        (names.env_var_name, "a.b-c", []),
        (names.env_var_name, "a=b",
         ["a valid environment variable name must consist only of printable ASCII characters other than '='"]),
        (names.c_identifier, "_a1", []),
        (names.port_name, "http", []),
        (names.port_name, "80", ["must contain at least one letter (a-z)"]),
        (names.port_name, "a--b", ["must not contain consecutive hyphens"]),
        (names.port_name, "Http", ["must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"]),
        (names.port_name, "a" * 16, ["must be no more than 15 characters"]),
        (names.wildcard_dns1123_subdomain, "*.example.com", []),
    ],
)  # fmt: skip
def test_a_text_is_judged(judge: Callable[[str], list[str]], text: str, complaints: list[str]) -> None:
    assert judge(text) == complaints


def test_a_prefix_may_end_in_a_dash() -> None:
    assert names.dns1123_subdomain("web-", is_prefix=True) == []
    assert names.dns1123_subdomain("web-") == [SUBDOMAIN]


def test_a_generated_name_stays_a_label() -> None:
    assert names.generate("web-", "abcde") == "web-abcde"
    assert len(names.generate("x" * 100, "abcde")) == names.NAME_MAX
