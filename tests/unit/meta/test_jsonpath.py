from __future__ import annotations

from typing import Any

import pytest

from pybernetes.meta import jsonpath

OBJECT = {
    "status": {
        "conditions": [{"type": "Ready", "status": "True"}, {"type": "Old", "status": "False"}],
        "a.b": {"c": 1},
    },
    "items": [1, 2, 3],
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".items[0]", [1]),
        (".items[-1]", [3]),
        (".items[0:2]", [1, 2]),
        (".items[*]", [1, 2, 3]),
        (".items[9]", []),
        (".nothing.at.all", []),
        (r".status.a\.b.c", [1]),
        (".status['a.b'].c", [1]),
        ('.status.conditions[?(@.type=="Ready")].status', ["True"]),
        ("{.status.conditions[*].type}", ["Ready", "Old"]),
        ("..c", [1]),
    ],
)
def test_a_path_finds_what_it_names(path: str, found: list[Any]) -> None:
    assert jsonpath.compiled(path)(OBJECT) == found


@pytest.mark.parametrize("path", ["spec", ".a[", ".a[?(x)]"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError):
        jsonpath.compiled(path)
