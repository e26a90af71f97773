"""A cluster of simulated nodes, started by the real command, for the real clients."""

from collections.abc import Iterator

import pytest

from pybernetes.testing.command import Command, free_port


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    command = Command(tmp_path_factory.mktemp("cluster") / "data")
    try:
        command("up", "--nodes", "0", "--simulate", "2", "--port", str(free_port()))
        yield command
    finally:
        command.run("down", "--purge")
