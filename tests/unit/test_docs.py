"""The maps name real places: every source path in the documentation exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    *sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("docs/*.md")),
]
CODE = re.compile(r"`((?:src/pybernetes/|tests/|docs/|examples/|tools/)?[a-z_]+(?:/[a-z_]+)*/?(?:\.py|\.sh|\.md|/))`")
LINK = re.compile(r"\]\(([^)#:]+)\)")


@pytest.mark.parametrize("page", PAGES)
def test_every_file_a_page_names_exists(page: str) -> None:
    text = (ROOT / page).read_text()
    missing = [
        n for n in CODE.findall(text) if not any((base / n).exists() for base in (ROOT, ROOT / "src/pybernetes"))
    ]
    missing += [n for n in LINK.findall(text) if not ((ROOT / page).parent / n).exists()]
    assert missing == []
