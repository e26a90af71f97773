"""One row of a library: a function's name, its signature in CEL's words, and the Python that does it.

Rule: ``signature`` is text, ``list(int), int -> bool``; the checker is told it, and the evaluator chooses by it among
rows of one name. A row of CEL's own library says ``standard`` so that the checker is not told twice.
Neighbours: ``library.py`` gathers all rows; the modules beside this one are the libraries.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    signature: str
    call: Callable[..., Any]
    member: bool = True
    """``target.name(…)``, the target being the first parameter; else ``name(…)``."""
    standard: bool = False

    @property
    def parameters(self) -> tuple[str, ...]:
        text = self.signature.partition("->")[0].strip()
        return tuple(split(text))

    @property
    def result(self) -> str:
        return self.signature.partition("->")[2].strip()

    @property
    def kinds(self) -> tuple[str, ...]:
        """What its parameters are at run time: ``list(int)`` is a ``list``."""
        return tuple(parameter.partition("(")[0] for parameter in self.parameters)


def split(text: str) -> list[str]:
    """The parts of a signature: commas within brackets part nothing."""
    out, depth, begun = [], 0, 0
    for index, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            out.append(text[begun:index].strip())
            begun = index + 1
    rest = text[begun:].strip()
    return [*out, rest] if rest else out


def on(name: str, signature: str, call: Callable[..., Any]) -> Function:
    """A member function that only Kubernetes has."""
    return Function(name, signature, call)


def of(name: str, signature: str, call: Callable[..., Any]) -> Function:
    """A global function that only Kubernetes has."""
    return Function(name, signature, call, member=False)


def known(name: str, signature: str, call: Callable[..., Any]) -> Function:
    """A member function that the checker knows already."""
    return Function(name, signature, call, standard=True)


def known_of(name: str, signature: str, call: Callable[..., Any]) -> Function:
    """A global function that the checker knows already."""
    return Function(name, signature, call, member=False, standard=True)
