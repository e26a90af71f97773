"""Container logs as kubectl asks for them, from files as containerd writes them."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pybernetes.lib.clock import SystemClock
from pybernetes.node import logs
from pybernetes.node.logs import LogOptions, Shape
from pybernetes.node.logs_watch import Watcher

STAMP = "2026-01-31T09:05:{:02}.5Z"


def line(second: int, text: str, *, stream: str = "stdout", tag: str = "F") -> bytes:
    return f"{STAMP.format(second)} {stream} {tag} {text}\n".encode()


SOME = line(1, "one") + line(2, "two", stream="stderr") + line(3, "th", tag="P") + line(4, "ree") + line(5, "")


def shaped(data: bytes, **options: object) -> bytes:
    shape = Shape(LogOptions(**options))  # type: ignore[arg-type]
    return b"".join([shape.feed(data[i : i + 7]) for i in range(0, len(data), 7)]) + shape.end()


def test_parts_of_a_line_become_one() -> None:
    assert shaped(SOME) == b"one\ntwo\nthree\n\n"


def test_one_stream_alone_can_be_asked_for() -> None:
    assert shaped(SOME, stream="stderr") == b"two\n"


def test_times_stand_before_whole_lines_with_nine_digits() -> None:
    at = "2026-01-31T09:05:{:02}.500000000Z "
    expected = f"{at.format(1)}one\n{at.format(2)}two\n{at.format(3)}three\n{at.format(5)}\n"
    assert shaped(SOME, timestamps=True) == expected.encode()


def test_lines_before_a_moment_are_left_out_whole() -> None:
    since = logs.moment(STAMP.format(4).encode())
    assert shaped(SOME, since=since) == b"\n"
    assert shaped(SOME, since=since - 1) == b"three\n\n"


def test_a_time_of_another_zone_is_the_same_moment() -> None:
    assert logs.moment(b"2026-01-31T11:05:01.123456789+02:00") == pytest.approx(1769850301.123456)


def test_no_more_bytes_than_asked_for() -> None:
    shape = Shape(LogOptions(limit_bytes=6))
    assert shape.feed(SOME) == b"one\ntw"
    assert shape.full
    assert Shape(LogOptions(limit_bytes=0)).full


def test_what_is_no_line_of_the_format_is_left_out() -> None:
    assert shaped(b"\0\0\0\n" + line(1, "one") + b"2026-01-31T09:05:01Z stdo") == b"one\n"


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, b""), (1, b"\n"), (2, b"three\n\n"), (3, b"two\nthree\n\n"), (4, b"one\ntwo\nthree\n\n"), (99, None)],
)
def test_the_last_lines_count_parts_once(count: int, expected: bytes | None) -> None:
    start = logs.tail_start(io.BytesIO(SOME), count)
    assert shaped(SOME[start:]) == (b"one\ntwo\nthree\n\n" if expected is None else expected)


def test_tailing_reads_no_more_of_a_big_file_than_it_needs() -> None:
    class Counting(io.BytesIO):
        taken = 0

        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            self.taken += len(data)
            return data

    many = b"".join(line(n % 60, f"line {n} " + "x" * 200) for n in range(20_000))
    file = Counting(many)
    start = logs.tail_start(file, 1000)
    assert shaped(many[start:]).startswith(b"line 19000 ")
    assert many[start:].count(b"\n") == 1000
    assert file.taken < len(many) / 8


# ── following ────────────────────────────────────────────────────────────────────────────────────────────


class Following:
    """A reader of ``path`` whose container lives until ``alive`` is set to False."""

    def __init__(self, path: Path, watcher: Watcher, **options: object) -> None:
        self.alive = True
        wanted = LogOptions(follow=True, **options)  # type: ignore[arg-type]
        self._pieces = logs.read(path, wanted, watcher=watcher, alive=self._alive, clock=SystemClock())
        self._got = b""

    async def _alive(self) -> bool:
        return self.alive

    async def expect(self, data: bytes) -> None:
        async with asyncio.timeout(5):
            while len(self._got) < len(data):
                self._got += await anext(self._pieces)
        assert self._got == data
        self._got = b""

    async def rest(self) -> bytes:
        async with asyncio.timeout(5):
            return b"".join([piece async for piece in self._pieces])

    async def close(self) -> None:
        await self._pieces.aclose()  # type: ignore[attr-defined]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "0.log"
    path.write_bytes(SOME)
    return path


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


async def test_without_following_a_log_ends_where_it_ends(path: Path) -> None:
    async def alive() -> bool:
        raise AssertionError("nobody need ask")

    pieces: AsyncIterator[bytes] = logs.read(
        path, LogOptions(tail_lines=2), watcher=Watcher(), alive=alive, clock=SystemClock()
    )
    assert b"".join([piece async for piece in pieces]) == b"three\n\n"


async def test_a_follower_gets_what_is_written_and_ends_with_the_container(path: Path) -> None:
    following = Following(path, Watcher(), tail_lines=0)
    reading = asyncio.ensure_future(following.expect(b"seven\n"))
    await asyncio.sleep(0)
    append(path, line(7, "seven"))
    await reading
    append(path, line(8, "eight")[:-3])
    append(path, line(8, "eight")[-3:] + line(9, "last"))
    following.alive = False
    assert await following.rest() == b"eight\nlast\n"


async def test_a_follower_goes_on_in_the_file_that_took_the_place_of_its_own(path: Path) -> None:
    following = Following(path, Watcher())
    await following.expect(b"one\ntwo\nthree\n\n")
    reading = asyncio.ensure_future(following.expect(b"late\nnew\n"))
    await asyncio.sleep(0)
    rotated = path.with_suffix(".log.1")
    path.rename(rotated)
    append(rotated, line(6, "late"))
    path.write_bytes(line(7, "new"))
    await reading
    await following.close()


async def test_two_followers_share_a_descriptor_that_goes_with_the_last_one(path: Path) -> None:
    watcher = Watcher()
    first, second = Following(path, watcher), Following(path, watcher)
    await first.expect(b"one\ntwo\nthree\n\n")
    await second.expect(b"one\ntwo\nthree\n\n")
    readings = [asyncio.ensure_future(f.expect(b"six\n")) for f in (first, second)]
    await asyncio.sleep(0)
    append(path, line(6, "six"))
    await asyncio.gather(*readings)
    await first.close()
    assert watcher.descriptor >= 0
    await second.close()
    assert watcher.descriptor < 0
