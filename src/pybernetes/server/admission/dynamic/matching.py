"""Which writes a webhook or a policy is about: rules, selectors of namespaces and objects, and equivalent versions.

Sources: apiserver/pkg/admission/plugin/webhook/{predicates,generic}, plugin/policy/matching.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pybernetes.kinds.kind import Kind
from pybernetes.meta import objects, selectors
from pybernetes.meta.objects import Obj
from pybernetes.meta.selectors import LabelSelector
from pybernetes.server.admission.dynamic.question import Write

ANY: Final = "*"


@dataclass(frozen=True, slots=True)
class Rule:
    """RuleWithOperations; ``resources`` are pairs of a plural and a subresource."""

    operations: frozenset[str]
    groups: frozenset[str]
    versions: frozenset[str]
    resources: tuple[tuple[str, str], ...]
    scope: str = ANY
    names: frozenset[str] = frozenset()
    """Empty: objects of any name."""

    def matches(self, write: Write, row: Kind) -> bool:
        """Is the rule about a write of ``row``?"""
        a = write.attributes
        return (
            (write.operation in self.operations or ANY in self.operations)
            and (row.group in self.groups or ANY in self.groups)
            and (row.version in self.versions or ANY in self.versions)
            and any(p in (ANY, row.plural) and s in (ANY, a.subresource) for p, s in self.resources)
            and (self.scope == ANY or (self.scope == "Namespaced") is write.is_namespaced)
            and (not self.names or a.name in self.names)
        )


def rules(told: Sequence[Obj] | None) -> tuple[Rule, ...]:
    """Rules as configurations and policies have them."""
    return tuple(
        Rule(
            frozenset(rule.get("operations") or ()), frozenset(rule.get("apiGroups") or ()),
            frozenset(rule.get("apiVersions") or ()), tuple(_split(r) for r in rule.get("resources") or ()),
            rule.get("scope") or ANY, frozenset(rule.get("resourceNames") or ()),
        )
        for rule in told or ()
    )  # fmt: skip


def _split(resource: str) -> tuple[str, str]:
    plural, _, subresource = resource.partition("/")
    return plural, subresource


@dataclass(frozen=True, slots=True)
class Matching:
    rules: tuple[Rule, ...]
    excluded: tuple[Rule, ...]
    equivalent: bool
    """Do rules match by any version of what is written?"""
    namespaces: LabelSelector
    objects: LabelSelector

    def form(self, write: Write) -> Kind | None:
        """In the form of which row the write is to be shown; None where it is not concerned."""
        if not any(True for rule in self.rules if rule.operations & {write.operation, ANY}):
            return None
        if self.excluded and self._row(self.excluded, write) is not None:
            return None
        row = self._row(self.rules, write)
        return row if row is not None and self.selects(write) else None

    def _row(self, found: Sequence[Rule], write: Write) -> Kind | None:
        """The row that was asked for, or with ``equivalent`` another version of it, if a rule is about one."""
        for row in (write.row, *(write.others if self.equivalent else ())):
            if any(rule.matches(write, row) for rule in found):
                return row
        return None

    def selects(self, write: Write) -> bool:
        """Do the selectors of namespaces and objects select the write?"""
        if self.namespaces and not write.namespace_matches(self.namespaces):
            return False
        a = write.attributes
        return not self.objects or any(
            obj is not None and self.objects.matches(objects.labels(obj)) for obj in (a.obj, a.old)
        )


def of(told: Obj | None, rules_key: str = "rules") -> Matching | None:
    """From a webhook, or from ``matchConstraints`` and ``matchResources`` of policies (by ``resourceRules``); None
    where nothing is said."""
    if told is None:
        return None
    return Matching(
        rules(told.get(rules_key)), rules(told.get("excludeResourceRules")), told.get("matchPolicy") != "Exact",
        _selector(told.get("namespaceSelector")), _selector(told.get("objectSelector")),
    )  # fmt: skip


def _selector(told: Obj | None) -> LabelSelector:
    return selectors.from_label_selector(told or {})
