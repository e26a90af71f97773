"""What admission is asked before a request leads out of the registry: exec, attach, log, port-forward, proxies.

Rule: what the query asks for becomes an object (PodExecOptions …), as webhooks see it (registry/rest.Connecter).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pybernetes.meta.objects import Obj
from pybernetes.server.registry.call import Call

_FLAGS: Final = frozenset(
    ("stdin", "stdout", "stderr", "tty", "follow", "previous", "timestamps", "insecureSkipTLSVerifyBackend")
)
_NUMBERS: Final = frozenset(("sinceSeconds", "tailLines", "limitBytes"))
_LISTS: Final = frozenset(("command",))
_READING: Final = "log"
"""Logs are read, and reads are nobody's to admit."""


async def admitted(call: Call) -> None:
    """Raises ApiError."""
    if call.subresource == _READING:
        return
    options = _options(call.kind.subresources[call.subresource].kind, call.request.query)
    if call.info.tail:
        options["path"] = call.info.tail
    attributes = call.attributes("connect", options, None)
    await call.context.admission.admit(attributes)
    await call.context.admission.validate(attributes)


def _options(kind: str, query: Mapping[str, Sequence[str]]) -> Obj:
    found: Obj = {"kind": kind, "apiVersion": "v1"}
    for key, values in query.items():
        if key == "ports":
            found[key] = [int(port) for value in values for port in value.split(",") if port.isdecimal()]
        elif values:
            found[key] = list(values) if key in _LISTS else _value(key, values[0])
    return found


def _value(key: str, text: str) -> Any:
    if key in _FLAGS:
        return text.lower() in ("1", "t", "true", "")
    return int(text) if key in _NUMBERS and text.isdecimal() else text
