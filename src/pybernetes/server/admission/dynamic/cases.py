"""What a policy that is bound has to say about a write: whom it concerns, with which params, under which names.

Sources: apiserver/pkg/admission/plugin/policy/generic (CollectParams), plugin/cel/composition.go.
Rule: a policy without a binding does nothing; each of its bindings evaluates it once per param.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pybernetes import cel
from pybernetes.kinds.kind import Kind
from pybernetes.meta import objects, selectors
from pybernetes.meta.objects import Obj
from pybernetes.server.admission.dynamic import expressions
from pybernetes.server.admission.dynamic.expressions import Budget, Expression
from pybernetes.server.admission.dynamic.matching import Matching
from pybernetes.server.admission.dynamic.policies import Binding, Policy
from pybernetes.server.admission.dynamic.question import Write

_DENY: Final = "Deny"


class Misconfigured(Exception):
    """The policy or its binding cannot be evaluated as it is."""


@dataclass(frozen=True, slots=True)
class Case:
    """One evaluation to be done: the write in the form of ``row``, seen with a param."""

    policy: Policy[Any]
    binding: Binding
    row: Kind
    variables: Mapping[str, Any]
    budget: Budget


def concerned(write: Write, policy: Policy[Any], bound: Sequence[Binding]) -> Iterator[tuple[Binding, Kind]]:
    """The bindings of a policy that are about the write, and the row in whose form it is to be seen."""
    row = policy.matching.form(write) if policy.matching is not None else None
    for binding in bound if row is not None else ():
        if binding.matching is None or _narrowed(binding.matching, write):
            assert row is not None
            yield binding, row


def _narrowed(found: Matching, write: Write) -> bool:
    """A binding without rules of its own narrows by its selectors alone."""
    return found.form(write) is not None if found.rules else found.selects(write)


def cases(write: Write, policy: Policy[Any], binding: Binding, row: Kind) -> Iterator[Case]:
    """One case per param. Raises Misconfigured."""
    base = expressions.variables(write, row)
    base["namespaceObject"] = write.namespace
    for param in params(write, policy.param_kind, binding.param_ref):
        budget = Budget()
        names = {**base, "params": param}
        names["variables"] = Variables(policy.variables, names, budget)
        yield Case(policy, binding, row, names, budget)


class Variables(Mapping[str, Any]):
    """``variables``: each evaluated when first used, and once."""

    def __init__(self, told: Mapping[str, Expression], names: Mapping[str, Any], budget: Budget) -> None:
        self._told, self._names, self._budget = told, names, budget
        self._known: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._known:
            try:
                self._known[name] = self._told[name].evaluate({**self._names, "variables": self}, self._budget)
            except cel.OverBudget:
                raise
            except cel.CelError as error:
                raise cel.CelError(f'composited variable "{name}" fails to evaluate: {error}') from error
        return self._known[name]

    def __contains__(self, name: object) -> bool:
        return name in self._told

    def __iter__(self) -> Iterator[str]:
        return iter(self._told)

    def __len__(self) -> int:
        return len(self._told)


# ── params ───────────────────────────────────────────────────────────────────────────────────────────────


def params(write: Write, kind: Obj | None, ref: Obj | None) -> Sequence[Obj | None]:
    """The objects with which a binding evaluates its policy; one None where it wants none. Raises Misconfigured."""
    if kind is None or ref is None:
        return (None,)
    group, _, version = str(kind.get("apiVersion")).rpartition("/")
    row = write.world.kinds.by_kind(group, version, str(kind.get("kind")))
    if row is None:
        raise Misconfigured(f"paramKind kind `{group}/{version}, Kind={kind.get('kind')}` not known")
    found = _found(write, row, ref, _namespace(write, row, ref))
    if not found and ref.get("parameterNotFoundAction") == _DENY:
        raise Misconfigured("no params found for policy binding with `Deny` parameterNotFoundAction")
    return found


def _namespace(write: Write, row: Kind, ref: Obj) -> str:
    told = ref.get("namespace") or ""
    if not row.namespaced:
        if told:
            raise Misconfigured("paramRef.namespace must not be provided for a cluster-scoped `paramKind`")
        return ""
    namespace = told or (write.attributes.namespace if write.is_namespaced else "")
    if not namespace:
        raise Misconfigured("cannot use namespaced paramRef in policy binding that matches cluster-scoped resources")
    return namespace


def _found(write: Write, row: Kind, ref: Obj, namespace: str) -> Sequence[Obj]:
    world = write.world
    stored = world.kinds.stored(row)
    if name := ref.get("name"):
        one = world.live.get(stored.group, stored.plural, namespace, name)
        found = [one] if one is not None else []
    else:
        wanted = selectors.from_label_selector(ref.get("selector"))
        listed = world.live.list(stored.group, stored.plural, namespace)
        found = [obj for obj in listed if wanted.matches(objects.labels(obj))]
    return [row.convert[1](obj) for obj in found] if row.convert is not None else found
