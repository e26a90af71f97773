"""Feature gates: upstream's name for behaviours that a cluster may have otherwise than by default.

Rule: a gate is a row here, its name and its default are upstream's, and what it switches reads it from ``Config``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NO_TOKEN_AUTO_GENERATION: Final = "LegacyServiceAccountTokenNoAutoGeneration"
"""False: every ServiceAccount gets a Secret with a token that does not end, as before Kubernetes 1.24; programs of that
time (upstream's own conformance suite among them) wait for it."""

DEFAULTS: Final[Mapping[str, bool]] = {
    NO_TOKEN_AUTO_GENERATION: True,
}


def parse(text: str) -> Mapping[str, bool]:
    """Every gate's value after ``Name=true,Other=false``. Raises ValueError for a name or a value that is none."""
    found = dict(DEFAULTS)
    for part in filter(None, text.split(",")):
        name, _, value = part.partition("=")
        if name not in DEFAULTS:
            raise ValueError(f"unrecognized feature gate: {name}; there are: {', '.join(sorted(DEFAULTS))}")
        if value not in ("true", "false"):
            raise ValueError(f'invalid value of {name}={value}, must be "true" or "false"')
        found[name] = value == "true"
    return found
