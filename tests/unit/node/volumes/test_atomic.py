from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from pybernetes.node.volumes import atomic
from pybernetes.node.volumes.payload import File


def shown(folder: Path) -> dict[str, str]:
    """What a container sees: names without dots, and their content."""
    out: dict[str, str] = {}
    for name in os.listdir(folder):
        if not name.startswith(".."):
            path = folder / name
            inner = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
            out |= {str(p.relative_to(folder)): p.read_text() for p in inner}
    return out


def test_a_set_of_files_is_replaced_by_one_rename(tmp_path: Path) -> None:
    assert atomic.write(tmp_path, {"a": File(b"1", 0o644), "d/b": File(b"2", 0o600)}, "one")
    assert shown(tmp_path) == {"a": "1", "d/b": "2"}
    assert os.readlink(tmp_path / "..data") == "..one"
    assert stat.S_IMODE((tmp_path / "d/b").stat().st_mode) == 0o600
    assert atomic.write(tmp_path, {"a": File(b"3", 0o644), "c": File(b"4", 0o644)}, "two")
    assert shown(tmp_path) == {"a": "3", "c": "4"}
    assert sorted(os.listdir(tmp_path)) == ["..data", "..two", "a", "c"]


def test_the_same_files_are_left_alone(tmp_path: Path) -> None:
    payload = {"a": File(b"1", 0o644)}
    assert atomic.write(tmp_path, payload, "one")
    assert not atomic.write(tmp_path, payload, "two")
    assert atomic.write(tmp_path, {"a": File(b"1", 0o600)}, "three")


def test_no_files_at_all_is_an_empty_folder(tmp_path: Path) -> None:
    assert atomic.write(tmp_path, {}, "one")
    assert shown(tmp_path) == {}
    assert not atomic.write(tmp_path, {}, "two")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_group_may_read_everything(tmp_path: Path) -> None:
    payload = {"d/a": File(b"1", 0o600)}
    assert atomic.write(tmp_path, payload, "one", group=4321)
    found = (tmp_path / "d/a").stat()
    assert (found.st_gid, stat.S_IMODE(found.st_mode)) == (4321, 0o640)
    assert not atomic.write(tmp_path, payload, "two", group=4321)
