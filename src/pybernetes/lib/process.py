"""The only home of child processes that we wait for. Those that outlive us are ``lib/daemon.py``'s."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    code: int
    stdout: bytes
    stderr: bytes


class ProcessError(Exception):
    """A program that is missing, failed or took too long; the message holds the command and its own words."""

    def __init__(self, argv: Sequence[str], why: str, result: Result | None = None) -> None:
        super().__init__(f"{shlex.join(argv)}: {why}")
        self.argv, self.result = tuple(argv), result


async def run(
    argv: Sequence[str],
    *,
    input: bytes | None = None,
    timeout_seconds: float = 60,
    check: bool = True,
    environment: Mapping[str, str] | None = None,
) -> Result:
    """Run a program to its end. Raises ProcessError, unless ``check`` is False and it merely failed."""
    try:
        child = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL if input is None else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=None if environment is None else dict(environment),
        )
    except FileNotFoundError as error:
        raise ProcessError(argv, f"the program {argv[0]!r} is not installed") from error
    try:
        stdout, stderr = await asyncio.wait_for(child.communicate(input), timeout_seconds)
    except TimeoutError as error:
        raise ProcessError(argv, f"no end after {timeout_seconds:g} s") from error
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    result = Result(child.returncode or 0, stdout, stderr)
    if check and result.code:
        said = (stderr or stdout).decode(errors="replace").strip()
        raise ProcessError(argv, said or f"exit code {result.code}", result)
    return result
