import os
import sys
from pathlib import Path

from pybernetes.lib import daemon
from pybernetes.lib.clock import SystemClock


async def test_a_started_process_is_found_and_stopped(tmp_path: Path) -> None:
    pid_file = tmp_path / "run" / "sleeper.pid"
    started = daemon.start(["sleep", "60"], pid_file=pid_file, log=tmp_path / "log" / "sleeper.log")
    assert daemon.find(pid_file) == started
    await daemon.stop([started], SystemClock(), grace_seconds=5)
    assert daemon.find(pid_file) is None


async def test_a_process_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    script = f"trap '' TERM; touch {ready}; while :; do sleep 0.1; done"
    started = daemon.start(["sh", "-c", script], pid_file=tmp_path / "p", log=tmp_path / "l")
    clock = SystemClock()
    while not ready.exists():
        await clock.sleep(0.01)
    await daemon.stop([started], clock, grace_seconds=0.1)
    assert not started.alive()


def test_a_recycled_pid_is_not_ours(tmp_path: Path) -> None:
    pid_file = tmp_path / "p"
    pid_file.write_text(f"{os.getpid()} 1\n")
    assert daemon.find(pid_file) is None


def test_a_torn_pid_file_means_nobody(tmp_path: Path) -> None:
    pid_file = tmp_path / "p"
    pid_file.write_text("12")
    assert daemon.find(pid_file) is None


async def test_output_goes_to_the_log(tmp_path: Path) -> None:
    log = tmp_path / "l"
    started = daemon.start(["sh", "-c", "echo out; echo err >&2"], pid_file=tmp_path / "p", log=log)
    clock = SystemClock()
    while started.alive():
        await clock.sleep(0.01)
    assert sorted(log.read_text().split()) == ["err", "out"]


async def test_a_process_lives_until_its_last_thread_has_ended(tmp_path: Path) -> None:
    """For as long it holds its ports; its first thread may be long gone."""
    code = "import ctypes, threading, time; threading.Thread(target=time.sleep, args=(60,)).start(); "
    code += "print('x', flush=True); ctypes.CDLL(None).pthread_exit(None)"
    started = daemon.start([sys.executable, "-c", code], pid_file=tmp_path / "p.pid", log=tmp_path / "log")
    clock = SystemClock()
    while b") Z" not in Path(f"/proc/{started.pid}/stat").read_bytes():
        await clock.sleep(0.01)
    assert started.alive()
    await daemon.stop([started], clock, grace_seconds=0)
    assert not started.alive()
