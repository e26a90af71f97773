"""Who is asked again after somebody else has changed the object: at most once, and only who wants to be.

Source: apiserver/pkg/admission/plugin/webhook/mutating/reinvocationcontext.go. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import orjson

from pybernetes.meta.objects import Obj

WEBHOOKS: Final = "webhooks"
POLICIES: Final = "policies"


class Rounds:
    """The first and the second round of mutating admission of one write."""

    def __init__(self) -> None:
        self.is_second = False
        self.wants_second = False
        self._called: defaultdict[str, set[str]] = defaultdict(set)
        self._due: defaultdict[str, set[str]] = defaultdict(set)
        self._left: dict[str, bytes] = {}

    def begin(self, who: str, obj: Obj | None) -> None:
        """``who`` (webhooks or policies) begins: in the second round all are due if the object is another now."""
        if self.is_second and obj is not None and self._left.get(who) != orjson.dumps(obj):
            self._require(who)

    def end(self, who: str, obj: Obj | None) -> None:
        if not self.is_second and obj is not None:
            self._left[who] = orjson.dumps(obj)

    def is_due(self, who: str, uid: str) -> bool:
        """Is it to be asked in this round?"""
        return not self.is_second or uid in self._due[who]

    def called(self, who: str, uid: str, *, changed: bool, again: bool) -> None:
        """It has been asked: did it change the object, and does it want to know of later changes?"""
        if changed:
            self._require(who)
            self.wants_second = True
        if again:
            self._called[who].add(uid)

    def _require(self, who: str) -> None:
        self._due[who] |= self._called.pop(who, set())
