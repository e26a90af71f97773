"""``pybernetes clock``: ask for the cluster's time, or let it pass."""

from __future__ import annotations

import argparse
import asyncio
import re
from typing import Any, Final

from pybernetes.cli import commands
from pybernetes.cluster import access
from pybernetes.cluster.config import VIRTUAL_CLOCK, Config, ConfigError, Paths

_PATH: Final = "/pybernetes/clock"
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


def clock(arguments: argparse.Namespace) -> int:
    """The subcommand."""
    paths = commands.data_paths(arguments)
    config = commands.existing(paths)
    if arguments.action == "show":
        told = asyncio.run(_ask(paths, "GET", None))
    else:
        seconds = duration(arguments.duration)
        _refuse_machines(config)
        told = asyncio.run(_ask(paths, "POST", {"advanceSeconds": seconds}))
    print(f"{told['time']}{_how(told)}")
    return 0


def duration(text: str) -> float:
    """Seconds of ``90s``, ``3h``, ``1h30m`` or ``2d``. Raises ConfigError."""
    parts = _DURATION.findall(text)
    if not parts or "".join(map("".join, parts)) != text:
        raise ConfigError(f"{text}: is no duration; it looks like 90s, 3h, 1h30m or 2d")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _how(told: dict[str, Any]) -> str:
    if not told["virtual"]:
        return " (the machine's clock)"
    return f" ({_written(told['aheadSeconds'])} ahead of the machine's clock)"


def _written(seconds: float) -> str:
    """``3h0m5s``."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}h{minutes}m{whole % 60}s" if hours else f"{minutes}m{whole % 60}s" if minutes else f"{whole}s"


def _refuse_machines(config: Config) -> None:
    if config.clock == VIRTUAL_CLOCK:
        return
    why = ""
    if config.nodes:
        why = "; it has real nodes, and what runs in real containers lives in the machine's time"
    raise ConfigError(
        f"this cluster goes by the machine's clock{why}. 'pybernetes up --clock virtual --nodes 0 --simulate N' "
        "makes one whose clock can be turned"
    )


async def _ask(paths: Paths, method: str, body: Any) -> dict[str, Any]:
    client = access.admin(paths)
    try:
        told: dict[str, Any] = await client.transport.request(method, _PATH, body=body)
        return told
    finally:
        await client.close()
