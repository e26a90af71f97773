from __future__ import annotations

import asyncio
import gzip
from dataclasses import replace
from pathlib import Path

from pybernetes.lib.clock import VirtualClock
from pybernetes.meta import objects
from pybernetes.node import logrotate
from pybernetes.node.runtime.memory import MemoryRuntime
from pybernetes.testing import onenode

from .scene import C, Scene

NOW = 1_700_000_000.0


def test_a_log_is_set_aside_under_its_time_and_older_ones_are_compressed(tmp_path: Path) -> None:
    log = tmp_path / "0.log"
    for turn in range(7):
        log.write_text(f"turn {turn}")
        logrotate.rotate(log, NOW + turn, files_max=5)
    names = sorted(p.name for p in tmp_path.iterdir())
    assert names == [
        "0.log.20231114-221323.gz", "0.log.20231114-221324.gz", "0.log.20231114-221325.gz", "0.log.20231114-221326",
    ]  # fmt: skip
    assert gzip.decompress((tmp_path / names[0]).read_bytes()) == b"turn 3"
    assert (tmp_path / names[-1]).read_text() == "turn 6"


def test_with_the_log_that_is_written_no_more_files_stay_than_wanted() -> None:
    drop, compress = logrotate.plan(["a", "b.gz", "c.gz", "d"], files_max=5)
    assert (drop, compress) == (["a"], ["d"])


async def test_a_container_whose_log_is_too_long_writes_a_new_one(tmp_path: Path) -> None:
    clock = VirtualClock()
    runtime = MemoryRuntime(clock, images=["web:1"])
    scene = Scene(runtime, replace(onenode.config(tmp_path), log_bytes_max=100), clock)
    await scene.start()
    await scene.pod("p", C)
    pod = await scene.ready("p")
    folder = scene.config.logs / f"default_p_{objects.uid(pod)}" / "c"
    (folder / "0.log").write_text("x" * 101)
    await clock.advance(10)
    while not runtime.reopened:
        await asyncio.sleep(0)  # files are moved in a thread
    assert len(list(folder.glob("0.log.*"))) == 1
    await scene.stop()
