"""PodTemplates: a template by itself, that nothing makes pods of."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.kind import Strategy
from pybernetes.kinds.strategy import check, fill
from pybernetes.kinds.strategy.check import Errors
from pybernetes.kinds.strategy.podspec import defaults, spec
from pybernetes.meta.objects import Obj


def default(obj: Obj) -> None:
    defaults.template(fill.child(obj, "template"))


@check.listed
def validate(obj: Obj) -> Errors:
    yield from spec.template(obj.get("template"), "template")


STRATEGY: Final = Strategy(
    default=default,
    validate=validate,
    generation=lambda new, old: new.get("template") != old.get("template"),
)
