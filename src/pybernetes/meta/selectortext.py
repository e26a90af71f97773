"""The text of label selectors, read as apimachinery/pkg/labels reads it.

Grammar: ``selector = requirement {"," requirement}``; ``requirement = ["!"] KEY [op VALUE | "in" set | "notin" set]``;
``set = "(" [VALUE] {"," [VALUE]} ")"``. Values may be empty; ``in`` and ``notin`` are words only behind a key.
Neighbour: ``meta/selectors.py`` judges what is read and makes it match.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NoReturn

from pybernetes.meta import errors, names

_TOKEN: Final = re.compile(r"[ \t\r\n]*(?:(?P<sign>==|!=|[=!(),<>])|(?P<word>[^=!(),<>\s]+)|(?P<end>\Z))")
_OPERATORS: Final = {"=": "=", "==": "==", "!=": "!=", "in": "in", "notin": "notin", ">": "gt", "<": "lt"}
_EXPECTED_OPERATORS: Final = "in, notin, =, ==, !=, gt, lt"
_SIGNS: Final = frozenset(("", "=", "==", "!=", "!", "(", ")", ",", "<", ">"))

Read = tuple[str, str, Sequence[str]]
"""(key, op, values)."""


def read(text: str) -> list[Read]:
    """The requirements of a selector's text. Raises BadRequest."""
    return _Reader(_tokens(text)).requirements()


def _tokens(text: str) -> list[str]:
    """Signs and words; the end is an empty token."""
    found, at = [], 0
    while True:
        token = _TOKEN.match(text, at)
        if token is None:
            raise errors.BadRequest(f"unable to parse requirement: found '{text[at:]}', expected: identifier")
        found.append(token["sign"] or token["word"] or "")
        if token["end"] is not None:
            return found
        at = token.end()


class _Reader:
    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens, self.at = tokens, 0

    def peek(self) -> str:
        return self.tokens[self.at]

    def take(self) -> str:
        """The next token; the end can be taken again and again."""
        token = self.tokens[self.at]
        self.at = min(self.at + 1, len(self.tokens) - 1)
        return token

    def requirements(self) -> list[Read]:
        found: list[Read] = []
        if self.peek() == "":
            return found
        if self.peek() in _SIGNS - {"!"}:
            _fail(f"found '{self.peek()}', expected: !, identifier, or 'end of string'")
        while True:
            found.append(self.requirement())
            token = self.take()
            if token == "":
                return found
            if token != ",":
                _fail(f"found '{token}', expected: ',' or 'end of string'")
            if self.peek() in _SIGNS - {"!"}:
                _fail(f"found '{self.peek()}', expected: identifier after ','")

    def requirement(self) -> Read:
        negated = self.peek() == "!"
        if negated:
            self.take()
        key = self.take()
        if key in _SIGNS:
            _refuse(f"found '{key}', expected: identifier")
        if bad := names.qualified_name(key):
            _refuse(str(errors.invalid("<nil>", key, "; ".join(bad))))
        if self.peek() in ("", ","):
            return key, "!" if negated else "exists", ()
        return key, *self.restriction()

    def restriction(self) -> tuple[str, Sequence[str]]:
        sign = self.take()
        op = _OPERATORS.get(sign)
        if op is None:
            _refuse(f"found '{sign}', expected: {_EXPECTED_OPERATORS}")
        if op in ("in", "notin"):
            return op, self.values()
        if self.peek() in ("", ","):
            return op, ("",)
        value = self.take()
        if value in _SIGNS:
            _refuse(f"found '{value}', expected: identifier")
        return op, (value,)

    def values(self) -> Sequence[str]:
        """``(a,b)``; a missing value is the empty one."""
        if (token := self.take()) != "(":
            _refuse(f"found '{token}' expected: '('")
        found, value = [], ""
        while True:
            token = self.take()
            if token in (",", ")"):
                found.append(value)
                value = ""
                if token == ")":
                    return found
            elif token in _SIGNS:
                _refuse(f"found '{token}', expected: ',', or identifier")
            elif value:
                _refuse(f"found '{token}', expected: ',' or ')'")
            else:
                value = token


def _fail(why: str) -> NoReturn:
    raise errors.BadRequest(why)


def _refuse(why: str) -> NoReturn:
    """What is wrong within one requirement."""
    raise errors.BadRequest(f"unable to parse requirement: {why}")
