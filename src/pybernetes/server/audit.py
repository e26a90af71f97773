"""The id by which a request is found again: in the answer's ``Audit-Id`` header, and in the audit log (``auditing/``).

Rule: a client's own id is kept (apiserver/pkg/endpoints/filters/audit_init.go). Ours look like UUIDs: a random
beginning for the process and a count, so that an id costs no chance.
"""

from __future__ import annotations

import itertools
from typing import Final

from pybernetes.lib.entropy import Entropy
from pybernetes.server.context import Request

_LONGEST: Final = 64


class AuditIds:
    def __init__(self, entropy: Entropy) -> None:
        self._beginning = entropy.uid()[:24]
        self._count = itertools.count(1)

    def of(self, request: Request) -> str:
        """The id of a request; to be asked once."""
        given = request.headers.get("audit-id", "")
        if given and len(given) <= _LONGEST and given.isascii() and given.isprintable():
            return given
        return f"{self._beginning}{next(self._count):012x}"
