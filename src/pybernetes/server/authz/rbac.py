"""Who holds which rules: the roles and bindings of the cluster, indexed by subject.

Theory of operation. One subscription covers RBAC's group. Nothing runs beside the requests: ``current`` takes in what
has come since the last question, so an answer always counts every write that was acknowledged before it, and an idle
cluster does nothing. Aggregated cluster roles are summed up here from the roles that they select, so a right counts
before a controller has written it into the role's rules.
Neighbours: ``rules.py`` (one rule), ``authorizer.py`` (questions).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from pybernetes.meta import objects, selectors
from pybernetes.meta.objects import Obj
from pybernetes.server.authz.rules import Rule, rule
from pybernetes.server.context import User
from pybernetes.storage import codec
from pybernetes.storage.feed import Subscription
from pybernetes.storage.port import Compacted
from pybernetes.storage.watchcache import WatchCache

GROUP: Final = "rbac.authorization.k8s.io"
PLURALS: Final = ("roles", "clusterroles", "rolebindings", "clusterrolebindings")
_PREFIX: Final = codec.prefix(GROUP, "").rstrip("/") + "/"
_SERVICE_ACCOUNT: Final = "system:serviceaccount:"


class Subject(NamedTuple):
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Binding:
    """One binding as far as it concerns one subject. ``namespace`` is empty for a ClusterRoleBinding."""

    name: str
    namespace: str
    role_kind: str
    role: str
    subject: str
    """``Group "system:masters"``, as reasons tell it."""

    def __str__(self) -> str:
        where = f"{self.name}/{self.namespace}" if self.namespace else self.name
        kind = "RoleBinding" if self.namespace else "ClusterRoleBinding"
        return f'{kind} "{where}" of {self.role_kind} "{self.role}" to {self.subject}'


@dataclass(slots=True)
class Policy:
    """All roles and bindings at one moment."""

    roles: dict[tuple[str, str], Obj] = field(default_factory=dict)
    """(namespace, name) → role; cluster roles under the namespace ``""``."""
    bindings: dict[tuple[str, str], Obj] = field(default_factory=dict)
    by_subject: dict[Subject, dict[str, list[Binding]]] = field(default_factory=dict)
    """subject → namespace (``""``: everywhere) → bindings."""
    decided: dict[object, object] = field(default_factory=dict)
    """What the authorizer concluded from this policy."""
    _compiled: dict[tuple[str, str], tuple[Rule, ...]] = field(default_factory=dict)

    def bindings_of(self, user: User, namespace: str) -> Iterator[Binding]:
        """The bindings that count for a user: those of the whole cluster, then those of the namespace."""
        subjects = (Subject("User", user.name), *(Subject("Group", group) for group in user.groups))
        found = [by for subject in subjects if (by := self.by_subject.get(subject)) is not None]
        for where in ("", namespace) if namespace else ("",):
            for by in found:
                yield from by.get(where, ())

    def role_of(self, binding: Binding) -> tuple[str, str]:
        return ("" if binding.role_kind == "ClusterRole" else binding.namespace, binding.role)

    def rules_of(self, key: tuple[str, str]) -> tuple[Rule, ...] | None:
        """The rules of the role under ``key``; None where there is no such role."""
        found = self._compiled.get(key)
        if found is None:
            if key not in self.roles:
                return None
            found = self._compiled[key] = tuple(rule(obj) for obj in self.raw_rules(key))
        return found

    def raw_rules(self, key: tuple[str, str], above: frozenset[tuple[str, str]] = frozenset()) -> Sequence[Obj]:
        """As ``rules_of``, as the API has them; empty where there is no such role. ``above``: the roles into which
        this one is being summed up, so that a circle of roles ends."""
        role, above = self.roles.get(key, {}), above | {key}
        rules: list[Obj] = list(role.get("rules") or ())
        for selector in objects.get(role, "aggregationRule", "clusterRoleSelectors", default=()):
            wanted = selectors.from_label_selector(selector)
            for other, found in self.roles.items():
                if not other[0] and other not in above and wanted.matches(objects.labels(found)):
                    rules += [r for r in self.raw_rules(other, above) if r not in rules]
        return rules

    def index(self) -> None:
        """Find the bindings of each subject; to be called when bindings have changed."""
        self.by_subject = {}
        for (namespace, name), binding in self.bindings.items():
            for subject in binding.get("subjects") or ():
                self._add(namespace, name, binding["roleRef"], subject)

    def _add(self, namespace: str, name: str, ref: Obj, subject: Obj) -> None:
        kind, who = str(subject.get("kind", "")), str(subject.get("name", ""))
        told = f'{kind} "{who}"'
        if kind == "ServiceAccount":
            home = str(subject.get("namespace") or namespace)
            kind, told = "User", f'ServiceAccount "{who}/{home}"'
            who = f"{_SERVICE_ACCOUNT}{home}:{who}"
        found = self.by_subject.setdefault(Subject(kind, who), {}).setdefault(namespace, [])
        found.append(Binding(name, namespace, str(ref.get("kind", "")), str(ref.get("name", "")), told))


class Rbac:
    """The policy of a watch cache, brought up to date when asked for."""

    def __init__(self, cache: WatchCache) -> None:
        self._cache = cache
        self._policy = Policy()
        self._changes: Subscription | None = None
        self._seen = -1

    async def current(self) -> Policy:
        """The policy that counts every write up to now."""
        if self._seen != self._cache.revision:
            await self._take_in()
            self._seen = self._cache.revision
        return self._policy

    async def _take_in(self) -> None:
        if self._changes is None:
            self._fill()
            return
        try:
            while self._changes.revision < self._cache.revision:
                # What is pending is handed over without waiting, so nobody comes in between.
                changes = await anext(self._changes)
                self._begin({change.key: change.value for change in changes})
        except Compacted:
            self._changes = None
            self._fill()

    def _fill(self) -> None:
        self._changes = self._cache.subscribe(_PREFIX, self._cache.revision)
        self._policy = Policy()
        found = (self._cache.list(codec.prefix(GROUP, plural))[0] for plural in PLURALS)
        self._begin({record.key: record.value for records in found for record in records})

    def _begin(self, changed: dict[str, bytes | None]) -> None:
        """A new policy: the old one with what has changed; conclusions from the old one are not carried over."""
        policy = Policy(dict(self._policy.roles), dict(self._policy.bindings))
        for key, value in changed.items():
            plural, *where = key.removeprefix(_PREFIX).split("/")
            table = policy.bindings if plural.endswith("bindings") else policy.roles
            at = (where[0], where[1]) if len(where) > 1 else ("", where[0])
            if value is None:
                table.pop(at, None)
            else:
                table[at] = codec.decode(value, 0)
        policy.index()
        self._policy = policy

    def close(self) -> None:
        if self._changes is not None:
            self._changes.close()
