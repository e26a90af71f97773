"""The real command on a data directory of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pybernetes.testing.command import Command


@pytest.fixture
def pybernetes(tmp_path: Path) -> Iterator[Command]:
    command = Command(tmp_path / "cluster")
    yield command
    command.run("down", "--purge")
