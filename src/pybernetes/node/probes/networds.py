"""Failures of connections in the words in which Go's standard library tells them: users know them from events. Pure."""

from __future__ import annotations

import errno
import os
import ssl


def dialing(error: BaseException, host: str, port: int) -> str:
    """Why no connection came about."""
    where = f"dial tcp {address(host, port)}"
    if isinstance(error, TimeoutError):
        return f"{where}: i/o timeout"
    if isinstance(error, ssl.SSLError):
        return f"tls: {error.reason or error}"
    if isinstance(error, OSError) and error.errno and error.errno > 0:
        return f"{where}: connect: {os.strerror(error.errno).lower()}"
    if isinstance(error, OSError):
        return f"dial tcp: lookup {host}: no such host"
    return f"{where}: {error}"


def reading(why: str, host: str, port: int) -> str:
    """Why a connection ended without an answer; ``why`` is the system's word."""
    if os.strerror(errno.ECONNRESET) in why:
        return f"read tcp {address(host, port)}: read: connection reset by peer"
    return "EOF"


def address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def duration(seconds: float) -> str:
    """Whole seconds as Go prints a Duration: ``1s``, ``1m30s``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + f"{rest}s"
