"""From a namespace's labels to what its pods may not do (pod-security-admission/api, policy).

Rule: labels that cannot be read are taken strictly where pods are refused, and not at all where somebody is only told.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

from pybernetes.kinds.podsecurity import baseline, restricted
from pybernetes.kinds.podsecurity.check import LATEST, Check, Violation
from pybernetes.meta import errors
from pybernetes.meta.errors import FieldError
from pybernetes.meta.objects import Obj

Mode: TypeAlias = Literal["enforce", "audit", "warn"]
MODES: Final[tuple[Mode, ...]] = ("enforce", "audit", "warn")
PREFIX: Final = "pod-security.kubernetes.io/"
PRIVILEGED: Final = "privileged"
LEVELS: Final = (PRIVILEGED, "baseline", "restricted")
"""From the loosest to the strictest."""
_VERSION: Final = re.compile(r"v1\.(0|[1-9][0-9]*)")


class Level(NamedTuple):
    """A profile and the minor version of its policy."""

    name: str = PRIVILEGED
    minor: int = LATEST

    def __str__(self) -> str:
        return f"{self.name}:{'latest' if self.minor == LATEST else f'v1.{self.minor}'}"

    @property
    def strictness(self) -> int:
        return LEVELS.index(self.name)


class Policy(NamedTuple):
    enforce: Level = Level()
    audit: Level = Level()
    warn: Level = Level()


def of(labels: Mapping[str, str]) -> tuple[Policy, Sequence[FieldError]]:
    """The policy that a namespace's labels tell, and what is wrong with them."""
    wrong: list[FieldError] = []
    return Policy(*(_level(labels, mode, wrong) for mode in MODES)), wrong


def _level(labels: Mapping[str, str], mode: Mode, wrong: list[FieldError]) -> Level:
    name, version = labels.get(PREFIX + mode, PRIVILEGED), labels.get(f"{PREFIX}{mode}-version", "latest")
    if name not in LEVELS:
        wrong.append(errors.invalid(f"metadata.labels[{PREFIX}{mode}]", name, f"must be one of {', '.join(LEVELS)}"))
        name = "restricted" if mode == "enforce" else PRIVILEGED
    found = _VERSION.fullmatch(version)
    if found is None and version != "latest":
        path = f"metadata.labels[{PREFIX}{mode}-version]"
        wrong.append(errors.invalid(path, version, 'must be "latest" or "v1.x"'))
    return Level(name, int(found[1]) if found is not None else LATEST)


def violations(level: Level, meta: Obj, spec: Obj) -> list[Violation]:
    """What of a pod, or of a pod template, the level forbids."""
    judged = (check.judge(meta, spec, level.minor) for check in checks(level))
    return [found for found in judged if found is not None]


@functools.cache
def checks(level: Level) -> Sequence[Check]:
    """The checks of a level, in the order in which they are told."""
    if level.name == PRIVILEGED:
        return ()
    stricter = restricted.CHECKS if level.name == "restricted" else ()
    found = [check for check in (*baseline.CHECKS, *stricter) if check.since <= level.minor]
    overridden = {name for check in found for name in check.overrides}
    return [check for check in found if check.id not in overridden]


def told(found: Sequence[Violation]) -> str:
    """With details, as refusals and warnings of pods tell them."""
    return ", ".join(map(str, found))


def reasons(found: Sequence[Violation]) -> str:
    """Without details, as warnings of many pods tell them."""
    return ", ".join(violation.reason for violation in found)
