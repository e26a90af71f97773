"""YAML is read as Kubernetes reads it."""

from __future__ import annotations

import pytest

from pybernetes.meta import manifest


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 2026-01-31", "2026-01-31"), ("a: 2026-01-31T10:00:00Z", "2026-01-31T10:00:00Z"), ("a: 12:30", "12:30"),
        ("a: 0644", 420), ("a: 1e3", 1000.0), ("a: 1.5", 1.5), ("a: true", True), ("a: ~", None), ("a: 10", 10),
        ("a: '10'", "10"), ("a: 1.2.3", "1.2.3"), ("a: 0x1f", 31), ("a: -1", -1), ("a: 5m", "5m"),
    ],
)  # fmt: skip
def test_scalars_have_their_json_types(text: str, value: object) -> None:
    assert manifest.loads(text) == {"a": value}


def test_keys_become_texts() -> None:
    assert manifest.loads("2: a\ntrue: b\n1.5: c") == {"2": "a", "true": "b", "1.5": "c"}


def test_documents_that_are_empty_are_skipped() -> None:
    assert manifest.loads_all("---\n---\na: 1\n---\n# nothing\n---\nb: 2\n") == [{"a": 1}, {"b": 2}]


def test_what_is_no_yaml_is_told_with_its_place() -> None:
    with pytest.raises(manifest.ManifestError, match="line 1"):
        manifest.loads("a: [1")


def test_shared_values_are_written_out_in_full() -> None:
    shared = {"x": 1}
    assert manifest.dumps({"a": shared, "b": shared}) == "a:\n  x: 1\nb:\n  x: 1\n"
