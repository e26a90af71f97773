"""Probes and lifecycle hooks: what is called in or at a container (validation.validateProbe, validateHandler)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from pybernetes.kinds.strategy import check
from pybernetes.kinds.strategy.check import Errors
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj

_HEADER: Final = re.compile(r"^[-A-Za-z0-9]+$")
_COUNTS: Final = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")


def _exec(action: Obj, path: str) -> Errors:
    if not action.get("command"):
        yield errors.required(f"{path}.command")


def _http_get(action: Obj, path: str) -> Errors:
    if not action.get("path"):
        yield errors.required(f"{path}.path")
    yield from check.port(action.get("port"), f"{path}.port")
    yield from check.one_of(action.get("scheme"), f"{path}.scheme", ("HTTP", "HTTPS"))
    for header, at in check.each(action.get("httpHeaders"), f"{path}.httpHeaders"):
        name = header.get("name") or ""
        if not _HEADER.match(name):
            text = (
                "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used"
                " for validation is '[-A-Za-z0-9]+')"
            )
            yield errors.invalid(f"{at}.name", name, text)


def _tcp_socket(action: Obj, path: str) -> Errors:
    return check.port(action.get("port"), f"{path}.port")


def _grpc(action: Obj, path: str) -> Errors:
    return check.port_number(action.get("port") or 0, f"{path}.port")


_ACTIONS: Final[tuple[tuple[str, Callable[[Obj, str], Errors]], ...]] = (
    ("exec", _exec),
    ("httpGet", _http_get),
    ("tcpSocket", _tcp_socket),
    ("grpc", _grpc),
)


def _handler(handler: Obj, path: str, grace_seconds: int | None = None) -> Errors:
    found = [key for key, _ in _ACTIONS if handler.get(key) is not None]
    for key, judge in _ACTIONS:
        if key in found[1:]:
            yield errors.field_forbidden(f"{path}.{key}", "may not specify more than 1 handler type")
        elif key in found:
            yield from judge(handler[key], f"{path}.{key}")
    if (sleep := handler.get("sleep")) is not None:
        yield from _sleep(sleep, bool(found), grace_seconds, f"{path}.sleep")
    elif not found:
        yield errors.required(path, "must specify a handler type")


def _sleep(action: Obj, has_other: bool, grace_seconds: int | None, path: str) -> Errors:
    seconds = action.get("seconds") or 0
    if has_other:
        yield errors.field_forbidden(path, "may not specify more than 1 handler type")
    elif grace_seconds is not None and not 0 <= seconds <= grace_seconds:
        text = f"must be non-negative and less than terminationGracePeriodSeconds ({grace_seconds})"
        yield errors.invalid(path, seconds, text)


def lifecycle(hooks: Obj | None, grace_seconds: int | None, path: str) -> Errors:
    """``postStart`` and ``preStop``."""
    for key in ("postStart", "preStop"):
        if hooks and (hook := hooks.get(key)) is not None:
            yield from _handler(hook, f"{path}.{key}", grace_seconds)


def _probe(probe: Obj, path: str) -> Errors:
    yield from _handler({k: v for k, v in probe.items() if k != "sleep"}, path)
    for key in _COUNTS:
        yield from check.non_negative(probe.get(key), f"{path}.{key}")
    grace = probe.get("terminationGracePeriodSeconds")
    if grace is not None and grace <= 0:
        yield errors.invalid(f"{path}.terminationGracePeriodSeconds", grace, "must be greater than 0")


def probes(container: Obj, path: str) -> Errors:
    """The three probes of a container, and what only some of them may say."""
    for key in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe, at = container.get(key), f"{path}.{key}"
        if probe is None:
            continue
        yield from _probe(probe, at)
        if key != "readinessProbe" and probe.get("successThreshold") != 1:
            yield errors.invalid(f"{at}.successThreshold", probe.get("successThreshold"), "must be 1")
        if key == "readinessProbe" and (grace := probe.get("terminationGracePeriodSeconds")) is not None:
            yield errors.invalid(f"{at}.terminationGracePeriodSeconds", grace, "must not be set for readinessProbes")
