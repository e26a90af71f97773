"""Text: CEL's own functions, cel-go's strings extension, and Kubernetes's ``find`` and ``findAll``.

Patterns are RE2's, by the RE2 library: they take time in proportion to the text, whatever a client writes.
"""

from __future__ import annotations

import functools
from typing import Any, Final

from pybernetes.cel.functions.function import Function, known, known_of, on
from pybernetes.cel.values import CelError

_BLANK: Final = "".join(map(chr, (*range(9, 14), 32, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F,
                                    0x205F, 0x3000)))  # fmt: skip
_UPPER: Final = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}
_LOWER: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_QUOTED: Final = {
    "\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v", "\\": r"\\", '"': r"\"",
}  # fmt: skip


@functools.lru_cache(maxsize=512)
def pattern(text: str) -> Any:
    """A compiled RE2 pattern. Raises CelError."""
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(text, options=options)
    except re2.error as error:
        why = error.args[0].decode() if isinstance(error.args[0], bytes) else error.args[0]
        raise CelError(f"error parsing regexp: {why}") from None


def matches(text: str, expression: str) -> bool:
    return pattern(expression).search(text) is not None


def find(text: str, expression: str) -> str:
    found = pattern(expression).search(text)
    return str(found.group()) if found else ""


def find_all(text: str, expression: str, most: int = -1) -> list[str]:
    found: list[str] = []
    for match in pattern(expression).finditer(text):
        if len(found) == most:
            break
        found.append(match.group())
    return found


def char_at(text: str, at: int) -> str:
    if not 0 <= at <= len(text):
        raise CelError(f"index out of range: {at}")
    return text[at : at + 1]


def index_of(text: str, part: str, start: int = 0) -> int:
    if not 0 <= start <= len(text):
        raise CelError(f"index out of range: {start}")
    return text.find(part, start)


def last_index_of(text: str, part: str, start: int | None = None) -> int:
    if start is None:
        return text.rfind(part)
    if not 0 <= start <= len(text):
        raise CelError(f"index out of range: {start}")
    return text.rfind(part, 0, start + len(part))


def replace(text: str, old: str, new: str, most: int = -1) -> str:
    grown = len(text) + (text.count(old) + 1) * len(new)
    if grown > _SIZE_MAX:
        raise CelError("operation cancelled: the text would grow beyond all bounds")
    return text.replace(old, new, most)


_SIZE_MAX: Final = 10_000_000


def split(text: str, separator: str, most: int = -1) -> list[str]:
    if most == 0:
        return []
    if not separator:
        letters = list(text)
        return letters if most < 0 or len(letters) <= most else [*letters[: most - 1], "".join(letters[most - 1 :])]
    return text.split(separator, most - 1 if most > 0 else -1)


def substring(text: str, start: int, end: int | None = None) -> str:
    end = len(text) if end is None else end
    for at in (start, end):
        if not 0 <= at <= len(text):
            raise CelError(f"index out of range: {at}")
    if start > end:
        raise CelError(f"invalid substring range. start: {start}, end: {end}")
    return text[start:end]


def join(parts: list[Any], separator: str = "") -> str:
    if not all(isinstance(part, str) for part in parts):
        raise CelError("no such overload")
    return separator.join(parts)


def quote(text: str) -> str:
    return '"' + "".join(_QUOTED.get(letter, letter) for letter in text) + '"'


TABLE: Final[tuple[Function, ...]] = (
    known("contains", "string, string -> bool", lambda text, part: part in text),
    known("startsWith", "string, string -> bool", str.startswith),
    known("endsWith", "string, string -> bool", str.endswith),
    known("matches", "string, string -> bool", matches),
    known_of("matches", "string, string -> bool", matches),
    on("find", "string, string -> string", find),
    on("findAll", "string, string -> list(string)", find_all),
    on("findAll", "string, string, int -> list(string)", find_all),
    known("charAt", "string, int -> string", char_at),
    known("indexOf", "string, string -> int", index_of),
    known("indexOf", "string, string, int -> int", index_of),
    known("lastIndexOf", "string, string -> int", last_index_of),
    known("lastIndexOf", "string, string, int -> int", last_index_of),
    known("lowerAscii", "string -> string", lambda text: text.translate(_LOWER)),
    known("upperAscii", "string -> string", lambda text: text.translate(_UPPER)),
    known("replace", "string, string, string -> string", replace),
    known("replace", "string, string, string, int -> string", replace),
    known("split", "string, string -> list(string)", split),
    known("split", "string, string, int -> list(string)", split),
    known("substring", "string, int -> string", substring),
    known("substring", "string, int, int -> string", substring),
    known("trim", "string -> string", lambda text: text.strip(_BLANK)),
    known("join", "list -> string", join),
    known("join", "list, string -> string", join),
    known("reverse", "string -> string", lambda text: text[::-1]),
    known_of("strings.quote", "string -> string", quote),
)
