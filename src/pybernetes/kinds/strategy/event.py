"""Events: they live beside what they tell of (validation.ValidateEvent)."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.kind import Strategy
from pybernetes.kinds.strategy import check
from pybernetes.kinds.strategy.check import Errors
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj, namespace


@check.listed
def validate(obj: Obj) -> Errors:
    """An event lives beside what it tells of; events about cluster-wide objects live in ``default``."""
    regarding = (obj.get("involvedObject") or {}).get("namespace") or ""
    allowed = (regarding,) if regarding else ("", "default")
    if namespace(obj) not in allowed:
        yield errors.invalid("involvedObject.namespace", regarding, "does not match event.namespace")


STRATEGY: Final = Strategy(validate=validate, has_generation=False, allow_create_on_update=True)
