"""From kubectl's annotation to owners: ``kubectl.kubernetes.io/last-applied-configuration``.

Rule 1: kubectl may take over, without a conflict, the fields that its annotation has as the object has them.
Rule 2: where the annotation is, an apply by kubectl keeps it up to date, so that one may go back to client-side apply.
Another manager than ``kubectl`` has neither. Source: apimachinery/pkg/util/managedfields/internal/lastapplied*.go.
"""

from __future__ import annotations

from typing import Final

import orjson

from pybernetes.meta import fieldset, objects
from pybernetes.meta.fieldset import Fields
from pybernetes.meta.fieldtypes import Struct
from pybernetes.meta.objects import Obj

MANAGER: Final = "kubectl"
ANNOTATION: Final = "kubectl.kubernetes.io/last-applied-configuration"


def allowed(type_: Struct, live: Obj, api_version: str) -> Fields:
    """The fields that the annotation of ``live`` has and that nobody changed since; empty without a good annotation."""
    try:
        last = orjson.loads(objects.annotations(live).get(ANNOTATION, ""))
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(last, dict) or last.get("apiVersion") != api_version:
        return {}
    differs = type_.compared(last, live)
    return fieldset.difference(type_.owned(last), fieldset.union(differs.changed, differs.gone))


def renewed(obj: Obj, applied: Obj) -> Obj:
    """``obj`` with its annotation, if it has one, telling what was applied."""
    if not objects.annotations(obj).get(ANNOTATION):
        return obj
    told = objects.without(applied, ("metadata", "annotations", ANNOTATION))
    text = orjson.dumps(told, option=orjson.OPT_SORT_KEYS).decode() + "\n"
    return objects.evolve(obj, ("metadata", "annotations", ANNOTATION), text)
