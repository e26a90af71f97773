"""Killed with SIGKILL at any moment under load, the store has every acknowledged write and no half one.

A child process runs 32 writers over one file and reports each acknowledgement through a pipe. The parent kills it at
a random moment, opens the file itself, judges it, and lets the next child go on with the same file.
"""

from __future__ import annotations

import asyncio
import os
import random
import select
import signal
import time
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from pybernetes.storage.history import Retention
from pybernetes.storage.port import Record
from pybernetes.storage.sqlite.store import SqliteStore

KILLS = 50
WRITERS = 32
ROOT = "/registry/core/pods/"
SMALL = Retention(changes=300)
"""So that erasing is among what gets interrupted."""


def value(writer: int, step: int) -> bytes:
    body = b"%d %d %b" % (writer, step, b"x" * (step * 37 % 3000))
    return b"%08x %b" % (zlib.crc32(body), body)


def step_of(record: Record) -> int:
    """The step that wrote a record; a half written one fails here."""
    checksum, _, body = record.value.partition(b" ")
    assert int(checksum, 16) == zlib.crc32(body)
    return int(body.split(b" ")[1])


def key(writer: int, step: int) -> str:
    return f"{ROOT}w{writer}/{step % 5}"


async def write_for_ever(store: SqliteStore, writer: int, step: int, pipe: int) -> None:
    """Steps in order: each sets one of five keys, every seventh deletes it where it is there."""
    while True:
        step += 1
        if step % 7 == 0 and store.view.get(key(writer, step)):
            revision = await store.delete(key(writer, step))
        else:
            revision = await store.write(key(writer, step), value(writer, step))
        os.write(pipe, b"%d %d %d\n" % (writer, step, revision))


async def run_child(path: Path, steps: Mapping[int, int], pipe: int) -> None:
    store = SqliteStore(path, retention=SMALL)
    await asyncio.gather(*(write_for_ever(store, w, steps[w], pipe) for w in range(WRITERS)))


def start_child(path: Path, steps: Mapping[int, int]) -> tuple[int, int]:
    """(pid, pipe to read from)"""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            asyncio.run(run_child(path, steps, writing))
        finally:
            os._exit(1)
    os.close(writing)
    return pid, reading


def kill_after(seconds: float, pid: int, pipe: int) -> Iterator[tuple[int, int, int]]:
    """What was acknowledged as (writer, step, revision), killing after the time, up to the last word."""
    text, end = bytearray(), time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([pipe], [], [], left)[0]:
            text += os.read(pipe, 65536)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    while chunk := os.read(pipe, 65536):
        text += chunk
    os.close(pipe)
    for line in bytes(text).splitlines():
        writer, step, revision = map(int, line.split())
        yield writer, step, revision


def after_steps(writer: int, state: Mapping[str, int], start: int, end: int) -> dict[str, int]:
    """A writer's keys with the steps that set them, when it has gone from ``start`` to ``end``."""
    state = dict(state)
    for step in range(start + 1, end + 1):
        where = key(writer, step)
        if step % 7 == 0 and where in state:
            del state[where]
        else:
            state[where] = step
    return state


async def read_all(path: Path) -> tuple[dict[int, dict[str, int]], int]:
    store = SqliteStore(path, retention=SMALL)
    found: dict[int, dict[str, int]] = {w: {} for w in range(WRITERS)}
    for record in (await store.list(ROOT)).records:
        found[int(record.key.split("/")[-2][1:])][record.key] = step_of(record)
    revision = store.revision
    await store.close()
    return found, revision


@pytest.mark.slow
def test_every_acknowledged_write_outlives_a_kill_at_any_moment(tmp_path: Path) -> None:
    path, chance = tmp_path / "store.db", random.Random()
    steps, states = dict.fromkeys(range(WRITERS), 0), {w: dict[str, int]() for w in range(WRITERS)}
    acknowledged_in_all = 0
    for _ in range(KILLS):
        pid, pipe = start_child(path, steps)
        acknowledged, newest = dict(steps), 0
        for writer, step, revision in kill_after(chance.uniform(0.01, 0.2), pid, pipe):
            acknowledged[writer], newest = step, max(newest, revision)
            acknowledged_in_all += 1
        found, revision = asyncio.run(read_all(path))
        assert revision >= newest
        for writer in range(WRITERS):
            done = acknowledged[writer]
            possible = [after_steps(writer, states[writer], steps[writer], end) for end in (done, done + 1)]
            assert found[writer] in possible
            steps[writer] = done + possible.index(found[writer])
        states = found
    assert acknowledged_in_all > KILLS * WRITERS
