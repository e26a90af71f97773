from __future__ import annotations

from pathlib import Path

import pytest

from pybernetes.node import termination
from pybernetes.node.poddirs import PodDirs
from pybernetes.node.runtime import port

from .build import exited

LOG = "2026-01-01T00:00:00Z stdout F one\n2026-01-01T00:00:00Z stderr P tw\n2026-01-01T00:00:00Z stderr F o\n"


@pytest.fixture
def dirs(tmp_path: Path) -> PodDirs:
    made = PodDirs(tmp_path / "pod", tmp_path / "log")
    made.make()
    made.make_container("c", 0)
    (made.logs / "c" / "0.log").write_text(LOG)
    return made


def words(dirs: PodDirs, policy: str = "File", code: int = 1, said: str = "", by_runtime: str = "") -> str:
    dirs.termination_log("c", 0).write_text(said)
    log, annotations = str(dirs.logs / "c" / "0.log"), {port.TERMINATION_MESSAGE_POLICY: policy}
    return termination.message(exited(code=code, message=by_runtime, log_path=log, annotations=annotations), dirs)


def test_the_file_tells_and_the_runtime_before_it(dirs: PodDirs) -> None:
    assert words(dirs, said="sorry") == "sorry"
    assert words(dirs, said="sorry", by_runtime="killed") == "killed: sorry"


def test_the_log_tells_only_where_it_may_and_the_container_failed_without_a_word(dirs: PodDirs) -> None:
    assert words(dirs, policy="FallbackToLogsOnError") == "one\ntwo\n"
    assert words(dirs, policy="FallbackToLogsOnError", said="sorry") == "sorry"
    assert words(dirs, policy="FallbackToLogsOnError", code=0) == ""
    assert words(dirs) == ""


def test_only_the_end_is_told(dirs: PodDirs) -> None:
    assert len(words(dirs, said="x" * 9000)) == 4096
    assert len(termination.log_tail(b"2026 stdout F " + b"x" * 5000)) == 2048
    assert termination.log_tail(b"\n".join(b"t stdout F %d" % n for n in range(100))).splitlines()[0] == b"20"
