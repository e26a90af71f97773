"""Static tokens: a CSV file of ``token,user,uid`` and, if wanted, ``"group1,group2"``, read at the start.

Source: apiserver/pkg/authentication/token/tokenfile. Rule: a token that is not in the file is for others to know.
"""

from __future__ import annotations

import csv
import hashlib
import io

from pybernetes.server.authn.table import authenticated, bearer
from pybernetes.server.context import Request, User

_LEAST_COLUMNS = 3


class TokenFile:
    """An authenticator of ``table.py``. Tokens are kept by their hash: how long a look-up takes tells nothing."""

    def __init__(self, users: dict[str, User]) -> None:
        self._users = {_hashed(token): user for token, user in users.items()}

    def authenticate(self, request: Request) -> User | None:
        token = bearer(request)
        return self._users.get(_hashed(token)) if token else None


def parse(text: str) -> dict[str, User]:
    """Token → user. Raises ValueError that names the line."""
    users: dict[str, User] = {}
    reader = csv.reader(io.StringIO(text), skipinitialspace=True)
    for row in reader:
        if not row or not any(row):
            continue
        if len(row) < _LEAST_COLUMNS or not row[0]:
            raise ValueError(f"line {reader.line_num}: must be token,user,uid and, if wanted, groups in quotes")
        groups = tuple(group.strip() for group in row[3].split(",") if group.strip()) if len(row) > 3 else ()
        users[row[0]] = authenticated(User(row[1], row[2], groups))
    return users


def _hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
