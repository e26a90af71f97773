"""The evaluator of every resource: a few count in a way of their own, all others by their number.

Rule: whatever is stored in a namespace can be counted as ``count/<plural>.<group>``; events are not, since a quota that
is used up would hide what it does.
"""

from __future__ import annotations

import functools
from typing import Final

from pybernetes.kinds.quota import amounts, claims, devices, pods, services
from pybernetes.kinds.quota.amounts import Amounts
from pybernetes.kinds.quota.evaluator import Evaluator
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj

OWN: Final = {
    (row.group, row.plural): row
    for row in (pods.EVALUATOR, services.EVALUATOR, claims.EVALUATOR, devices.EVALUATOR)
}  # fmt: skip
_ALIASES: Final = frozenset(("configmaps", "resourcequotas", "replicationcontrollers", "secrets"))
"""Resources of the core group that quotas also call by their plain name."""
_IGNORED: Final = frozenset((("", "events"), ("events.k8s.io", "events"), ("", "bindings")))


@functools.cache
def evaluator(group: str, plural: str) -> Evaluator | None:
    """The evaluator of a namespaced resource; None where quotas do not count it."""
    if (group, plural) in _IGNORED:
        return None
    return OWN.get((group, plural)) or _counted(group, plural)


def _counted(group: str, plural: str) -> Evaluator:
    """By number."""
    names = {f"count/{errors.qualified(plural, group)}"}
    if not group and plural in _ALIASES:
        names.add(plural)
    one: Amounts = dict.fromkeys(names, amounts.ONE)

    def usage(obj: Obj, now: float) -> Amounts:
        return one

    return Evaluator(group=group, plural=plural, usage=usage, covers=names.__contains__)
