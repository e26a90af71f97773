from pathlib import Path

import orjson
import pytest

from pybernetes.cli import time
from pybernetes.cluster import config, turning
from pybernetes.cluster.config import Config, ConfigError
from pybernetes.lib.clock import TurnedClock, VirtualClock
from pybernetes.meta import errors
from pybernetes.server.context import Request


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "clock"


def asked(method: str, body: object = None) -> Request:
    return Request(method, turning.PATH, body=b"" if body is None else orjson.dumps(body))


async def test_how_far_a_clock_was_turned_is_told_and_kept(file: Path) -> None:
    real = VirtualClock()
    door = turning.Door(TurnedClock(real, turning.kept(file)), file)
    answer = await door.handle(asked("POST", {"advanceSeconds": 3600}))
    assert orjson.loads(answer.body) == {"time": "2023-11-14T23:13:20Z", "aheadSeconds": 3600.0, "virtual": True}
    door = turning.Door(TurnedClock(real, turning.kept(file)), file)
    assert orjson.loads((await door.handle(asked("GET"))).body)["time"] == "2023-11-14T23:13:20Z"


@pytest.mark.parametrize(
    "body", [None, {}, [], {"advanceSeconds": "1h"}, {"advanceSeconds": -1}, {"advanceSeconds": True}]
)
async def test_what_is_no_span_of_time_is_refused(file: Path, body: object) -> None:
    with pytest.raises(errors.BadRequest):
        await turning.Door(TurnedClock(VirtualClock()), file).handle(asked("POST", body))


async def test_the_machines_clock_is_told_and_not_turned(file: Path) -> None:
    door = turning.Door(VirtualClock(), file)
    assert not orjson.loads((await door.handle(asked("GET"))).body)["virtual"]
    with pytest.raises(errors.BadRequest, match="goes by the machine's clock"):
        await door.handle(asked("POST", {"advanceSeconds": 1}))


def test_who_asks_for_a_clock_to_turn_gets_simulated_nodes() -> None:
    assert config.merged(None, {"clock": "virtual"}) == Config(nodes=0, simulate=1, clock="virtual")
    assert config.merged(None, {"clock": "virtual", "nodes": 0, "simulate": 5}).simulate == 5


def test_real_nodes_and_a_clock_to_turn_do_not_go_together() -> None:
    with pytest.raises(ConfigError, match="containers of real nodes live in the machine's time"):
        config.merged(None, {"clock": "virtual", "nodes": 1})
    with pytest.raises(ConfigError, match="--nodes 0 --simulate N"):
        config.merged(Config(nodes=0, simulate=1, clock="virtual"), {"nodes": 2})


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("3h", 10800), ("1h30m", 5400), ("2d", 172800), ("0.5h", 1800)]
)
def test_durations(text: str, seconds: float) -> None:
    assert time.duration(text) == seconds


@pytest.mark.parametrize("text", ["", "3", "h", "3 h", "-3h", "3hx"])
def test_what_is_no_duration_is_told(text: str) -> None:
    with pytest.raises(ConfigError, match="is no duration"):
        time.duration(text)
