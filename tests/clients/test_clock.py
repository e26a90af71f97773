"""The command turns the clock of a cluster: what takes hours has happened when it returns."""

import json
from collections.abc import Iterator

import pytest

from pybernetes.testing.command import Command, free_port

HOURLY = """
apiVersion: batch/v1
kind: CronJob
metadata: {name: hourly}
spec:
  schedule: "0 * * * *"
  successfulJobsHistoryLimit: 10
  jobTemplate:
    spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: "main:1"}]}}}
"""


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    command = Command(tmp_path_factory.mktemp("turned") / "data")
    try:
        command("up", "--clock", "virtual", "--port", str(free_port()))
        yield command
    finally:
        command.run("down", "--purge")


def hours_ahead(turned: Command) -> float:
    return float(json.loads(turned.kubectl("get", "--raw", "/pybernetes/clock"))["aheadSeconds"]) / 3600


def test_three_hours_have_had_three_jobs_also_after_a_restart(turned: Command) -> None:
    turned.kubectl("apply", "-f", "-", stdin=HOURLY)
    assert "3h0m" in turned("clock", "advance", "3h")
    assert len(turned.kubectl("get", "jobs", "-o", "name").split()) == 3
    turned("down")
    turned("up")
    assert hours_ahead(turned) == pytest.approx(3, abs=0.01)
    assert "ahead of the machine's clock" in turned("clock", "show")


def test_only_administrators_may_turn_it(turned: Command) -> None:
    refused = turned.kubectl("get", "--raw", "/pybernetes/clock", "--as", "jane", check=False)
    assert 'cannot get path "/pybernetes/clock"' in refused


def test_real_nodes_cannot_be_added(turned: Command) -> None:
    refused = turned.run("up", "--nodes", "1")
    assert refused.returncode == 1
    assert "live in the machine's time" in refused.stdout


def test_the_clock_of_the_machine_is_not_turned(cluster: Command) -> None:
    refused = cluster.run("clock", "advance", "1h")
    assert refused.returncode == 1
    assert "goes by the machine's clock" in refused.stdout
