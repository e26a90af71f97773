"""One RBAC rule against one question, and one set of rules against another. Pure.

Source: pkg/apis/rbac/v1/evaluation_helpers.go (does a rule allow it?) and component-helpers/auth/rbac/validation (does
a set of rules hold everything that another would give?).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pybernetes.meta.objects import Obj
from pybernetes.server.context import Info

ALL: Final = "*"


@dataclass(frozen=True, slots=True)
class Rule:
    """A PolicyRule with its lists made quick to ask."""

    verbs: frozenset[str]
    groups: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    urls: tuple[str, ...] = ()

    def allows(self, info: Info) -> bool:
        """RuleAllows."""
        if info.verb not in self.verbs and ALL not in self.verbs:
            return False
        if not info.is_resource:
            return any(url_matches(url, info.path) for url in self.urls)
        return (
            (info.group in self.groups or ALL in self.groups)
            and self._names_resource(info.resource, info.subresource)
            and (not self.names or info.name in self.names)
        )

    def _names_resource(self, resource: str, subresource: str) -> bool:
        resources = self.resources
        if ALL in resources:
            return True
        if not subresource:
            return resource in resources
        return f"{resource}/{subresource}" in resources or f"*/{subresource}" in resources


def rule(obj: Obj) -> Rule:
    """Of a PolicyRule as the API has it."""
    return Rule(
        frozenset(obj.get("verbs") or ()),
        frozenset(obj.get("apiGroups") or ()),
        frozenset(obj.get("resources") or ()),
        frozenset(obj.get("resourceNames") or ()),
        tuple(obj.get("nonResourceURLs") or ()),
    )


def url_matches(pattern: str, path: str) -> bool:
    """``*`` matches every path, ``/healthz/*`` those below it."""
    return pattern in (ALL, path) or (pattern.endswith("*") and path.startswith(pattern.rstrip("*")))


# ── covering ─────────────────────────────────────────────────────────────────────────────────────────────


def missing(held: Sequence[Rule], wanted: Iterable[Obj]) -> list[Obj]:
    """What ``wanted`` grants beyond ``held``, as rules of one verb and one resource (or URL) each."""
    return [atom for obj in wanted for atom in _atoms(obj) if not any(_covers(have, atom) for have in held)]


def _atoms(obj: Obj) -> Iterator[Obj]:
    """BreakdownRule: a rule as the smallest rules that mean the same."""
    for verb in obj.get("verbs") or ():
        for url in obj.get("nonResourceURLs") or ():
            yield {"verbs": [verb], "nonResourceURLs": [url]}
        for group in obj.get("apiGroups") or ():
            for resource in obj.get("resources") or ():
                atom = {"verbs": [verb], "apiGroups": [group], "resources": [resource]}
                names = obj.get("resourceNames") or ()
                yield from [{**atom, "resourceNames": [name]} for name in names] or [atom]


def _covers(have: Rule, atom: Obj) -> bool:
    """ruleCovers, for a rule of one verb."""
    verb = atom["verbs"][0]
    if verb not in have.verbs and ALL not in have.verbs:
        return False
    if urls := atom.get("nonResourceURLs"):
        return any(url_matches(url, urls[0]) for url in have.urls)
    names = frozenset(atom.get("resourceNames") or ())
    return (
        (atom["apiGroups"][0] in have.groups or ALL in have.groups)
        and _covers_resource(have, atom["resources"][0])
        and (not have.names or (bool(names) and names <= have.names))
    )


def _covers_resource(have: Rule, resource: str) -> bool:
    _, slash, subresource = resource.partition("/")
    return (
        ALL in have.resources
        or resource in have.resources
        or (bool(slash) and f"*/{subresource}" in have.resources)
    )  # fmt: skip


def compact(atoms: Iterable[Obj]) -> list[Obj]:
    """Atoms of the same resource with their verbs in one rule, as they are told to people."""
    found: dict[str, Obj] = {}
    for atom in atoms:
        same = {key: value for key, value in atom.items() if key != "verbs"}
        known = found.setdefault(repr(sorted(same.items())), {**same, "verbs": []})
        known["verbs"] += [verb for verb in atom["verbs"] if verb not in known["verbs"]]
    return list(found.values())


_SHOWN: Final = (
    ("APIGroups", "apiGroups"), ("Resources", "resources"), ("ResourceNames", "resourceNames"),
    ("NonResourceURLs", "nonResourceURLs"), ("Verbs", "verbs"),
)  # fmt: skip


def shown(obj: Obj) -> str:
    """CompactString: ``{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}``."""
    parts = [f"{name}:[{' '.join(_quoted(v) for v in obj[key])}]" for name, key in _SHOWN if obj.get(key)]
    return "{" + ", ".join(parts) + "}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
