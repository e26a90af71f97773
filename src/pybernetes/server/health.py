"""``/healthz``, ``/livez``, ``/readyz`` and their checks; ``/version``; ``/metrics``.

Source: apiserver/pkg/server/healthz. Rule: what is wrong with a check is in our log and not in the answer; ``verbose``
lists the checks, ``exclude=<name>`` leaves one out, ``/readyz/<name>`` asks a single one.
Neighbours: ``api.py`` puts the routes here; ``cluster`` adds the checks that make a server ready.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import orjson

from pybernetes import __version__
from pybernetes.lib import log
from pybernetes.lib.http.message import HttpRequest
from pybernetes.lib.metrics import CONTENT_TYPE, Metrics
from pybernetes.server.context import Response
from pybernetes.server.discovery import missing

Check: TypeAlias = Callable[[], str]
"""What is wrong; empty where nothing is."""
GIT_VERSION: Final = "v1.36.0"
"""The Kubernetes whose API is served."""
_TEXT: Final = "text/plain; charset=utf-8"
_log = log.Log("server.health")


def _well() -> str:
    return ""


class Health:
    """The checks behind the three paths. What is not yet started fails ``readyz`` and ``healthz``, not ``livez``."""

    def __init__(self) -> None:
        always: dict[str, Check] = {"ping": _well, "log": _well}
        self._checks: dict[str, dict[str, Check]] = {path: dict(always) for path in ("healthz", "livez", "readyz")}

    def add(self, name: str, check: Check, *, live: bool = False) -> None:
        """Ask ``check`` too when the server is asked whether it is ready; with ``live`` also whether it lives."""
        for path in ("healthz", "livez", "readyz") if live else ("healthz", "readyz"):
            self._checks[path][name] = check

    def hold(self, name: str) -> Callable[[], None]:
        """Be not ready until the returned function is called."""
        held = [f"{name} has not finished"]
        self.add(name, lambda: held[0] if held else "")
        return held.clear

    def serves(self, path: str) -> bool:
        return path.strip("/").partition("/")[0] in self._checks

    def paths(self) -> list[str]:
        return [
            f"/{path}{below}" for path, checks in self._checks.items() for below in ("", *(f"/{n}" for n in checks))
        ]

    def respond(self, request: HttpRequest) -> Response:
        """The answer for a path that ``serves`` names. Raises NotFound for a check that is not there."""
        path, _, name = request.path.strip("/").partition("/")
        checks = self._checks[path]
        if name:
            if name not in checks:
                raise missing()
            return self._told(path, {name: checks[name]}, (), verbose=False)
        return self._told(path, checks, request.query.get("exclude", ()), verbose="verbose" in request.query)

    def _told(self, path: str, checks: Mapping[str, Check], excluded: object, *, verbose: bool) -> Response:
        left_out = set(excluded) if isinstance(excluded, list | tuple) else set()
        lines, failed = [], False
        for name, check in checks.items():
            if name in left_out:
                lines.append(f"[+]{name} excluded: ok")
                continue
            wrong = check()
            if wrong:
                failed = True
                _log.info("a health check fails", path=path, check=name, why=wrong)
            lines.append(f"[-]{name} failed: reason withheld" if wrong else f"[+]{name} ok")
        if failed:
            return _text("\n".join([*lines, f"{path} check failed", ""]), 500)
        return _text("\n".join([*lines, f"{path} check passed", ""]) if verbose else "ok")


def _text(text: str, status: int = 200) -> Response:
    headers = [("Cache-Control", "no-cache, private"), ("X-Content-Type-Options", "nosniff")]
    return Response(status=status, body=text.encode(), content_type=_TEXT, headers=headers)


def version() -> Response:
    """version.Info of apimachinery."""
    major, minor, _ = GIT_VERSION.lstrip("v").split(".")
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    told = {
        "major": major,
        "minor": minor,
        "gitVersion": f"{GIT_VERSION}+pybernetes.{__version__}",
        "gitCommit": "0" * 40,  # git's name for no commit: a wheel does not know its own
        "gitTreeState": "clean",
        "buildDate": "",
        "goVersion": "",
        "compiler": f"python{platform.python_version()}",
        "platform": f"{platform.system().lower()}/{machine}",
    }
    return Response(body=orjson.dumps(told, option=orjson.OPT_INDENT_2))


def metrics(told: Metrics) -> Response:
    return Response(body=told.render(), content_type=CONTENT_TYPE)
