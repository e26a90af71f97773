"""What a check of the Pod Security Standards is, and the words that all of them share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pybernetes.kinds.strategy.podspec import defaults
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

LATEST = 1_000_000
"""The minor version that stands for ``latest``."""


class Violation(NamedTuple):
    reason: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})" if self.detail else self.reason


@dataclass(frozen=True, slots=True)
class Check:
    """``judge`` gets the pod's metadata, its spec, and the minor version of the policy."""

    id: str
    judge: Callable[[Obj, Obj, int], Violation | None]
    since: int = 0
    """The minor version that brought it."""
    overrides: tuple[str, ...] = ()
    """Checks of ``baseline`` that it makes needless."""


def security(holder: Obj, *path: str) -> Any:
    """A field of ``securityContext``; None where it is not set."""
    return objects.get(holder, "securityContext", *path)


def containers(spec: Obj) -> Iterator[Obj]:
    """All of a pod's containers, in the order in which upstream visits them."""
    return defaults.containers(spec, "initContainers", "containers", "ephemeralContainers")


def quoted(names: Iterable[object]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def plural(word: str, many: Sequence[object] | set[str], ending: str = "s") -> str:
    return word if len(many) == 1 else word + ending


def named(names: Sequence[str]) -> str:
    """``container "a"``, ``containers "a", "b"``."""
    return f"{plural('container', names)} {quoted(names)}"


def setters(spec: Obj, is_bad: Callable[[Obj], bool]) -> str:
    """Who sets something bad: ``pod and containers "a", "b"``; empty where nobody does."""
    bad = [container["name"] for container in containers(spec) if is_bad(container)]
    return " and ".join([*(["pod"] if is_bad(spec) else []), *([named(bad)] if bad else [])])


def is_windows(spec: Obj) -> bool:
    return bool(objects.get(spec, "os", "name") == "windows")


def has_user_namespace(spec: Obj) -> bool:
    """Root in a user namespace of the pod's own is nobody on the node (KEP-127)."""
    return spec.get("hostUsers") is False
