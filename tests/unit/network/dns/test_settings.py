"""What the ConfigMap of the name server may say."""

from __future__ import annotations

import pytest

from pybernetes.network.dns import settings
from pybernetes.network.dns.settings import Settings


def test_servers_are_addresses_with_or_without_a_port() -> None:
    found = settings.read(
        {
            "data": {
                "stubDomains": '{"Acme.local.": ["10.0.0.1", "10.0.0.2:5353"]}',
                "upstreamNameservers": '["8.8.8.8"]',
            }
        }
    )
    assert found == Settings({"acme.local": (("10.0.0.1", 53), ("10.0.0.2", 5353))}, (("8.8.8.8", 53),))
    assert settings.read(None) == settings.read({}) == Settings()


def test_the_longest_domain_knows_a_name() -> None:
    found = Settings({"acme.local": (), "eu.acme.local": ()})
    assert [found.stub_of(name) for name in ("acme.local", "a.eu.acme.local", "b.acme.local", "xacme.local")] == [
        "acme.local", "eu.acme.local", "acme.local", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"stubDomains": "{"}, "stubDomains is not JSON"),
        ({"stubDomains": "[]"}, "stubDomains must be a JSON object"),
        ({"stubDomains": '{"a": "10.0.0.1"}'}, "is not a list"),
        ({"upstreamNameservers": '["dns.example.com"]'}, "'dns.example.com' is not an IPv4 address"),
        ({"upstreamNameservers": '["10.0.0.1:x"]'}, "'10.0.0.1:x' is not"),
    ],
)
def test_what_cannot_be_is_refused_by_its_key(data: dict[str, str], words: str) -> None:
    with pytest.raises(settings.SettingsError, match=words.replace("[", r"\[")):
        settings.read({"data": data})
