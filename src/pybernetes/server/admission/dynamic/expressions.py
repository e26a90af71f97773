"""CEL in webhooks and policies: expressions compiled when first needed, and the names that they may use.

Rule: a condition that errs decides nothing if another one says no; then ``failurePolicy`` decides
(apiserver/pkg/admission/plugin/webhook/matchconditions).
Neighbours: ``cel`` is the language; ``kinds/strategy/expressions.py`` declares the names; ``question.py`` is the
write that they are about.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from pybernetes import cel
from pybernetes.cel.functions import authz
from pybernetes.kinds.kind import Kind
from pybernetes.kinds.strategy.expressions import WITH_PARAMS
from pybernetes.meta.objects import Obj
from pybernetes.server.admission.dynamic.question import Write
from pybernetes.server.context import Info, User


class Budget:
    """What is left for the expressions of one hook or policy about one write."""

    def __init__(self) -> None:
        self.left = cel.BUDGET


class Expression:
    """Compiled when first evaluated. ``declared`` None: types are not checked, as objects to be applied need it."""

    __slots__ = ("_declared", "_program", "text")

    def __init__(self, text: str, declared: Mapping[str, str] | None = WITH_PARAMS) -> None:
        self.text, self._declared = text, declared
        self._program: Any = None

    def evaluate(self, variables: Mapping[str, Any], budget: Budget) -> Any:
        """Raises cel.CelError."""
        if self._program is None:
            self._program = cel.parse(self.text) if self._declared is None else cel.compile(self.text, self._declared)
        if budget.left <= 0:
            raise cel.CelError(
                "validation failed due to running out of cost budget, no further validation rules will be run"
            )
        allowed = min(cel.BUDGET_PER_CALL, budget.left)
        value, left = self._program.evaluate(variables, allowed)
        budget.left -= allowed - left
        return value


class Conditions:
    """``matchConditions`` of a webhook or policy."""

    def __init__(self, told: Sequence[Obj] | None, declared: Mapping[str, str]) -> None:
        self._conditions = [(c["name"], Expression(c["expression"], declared)) for c in told or ()]

    def __bool__(self) -> bool:
        return bool(self._conditions)

    def hold(self, variables: Mapping[str, Any], budget: Budget) -> bool:
        """Raises cel.CelError where an expression errs and no other one is false."""
        wrong: list[str] = []
        for name, expression in self._conditions:
            try:
                value = expression.evaluate(variables, budget)
            except cel.CelError as error:
                wrong.append(f"expression '{expression.text}' resulted in error: {error}")
                continue
            if value is False:
                return False
            if value is not True:
                wrong.append(f"match condition '{name}' must evaluate to bool")
        if wrong:
            raise cel.CelError("; ".join(wrong))
        return True


def variables(write: Write, row: Kind) -> dict[str, Any]:
    """The names that every expression may use about a write that is shown in the form of ``row``."""
    a = write.attributes
    decide = _decider(write)
    own = authz.Question(
        group=write.row.group, resource=write.row.plural, subresource=a.subresource, namespace=a.namespace, name=a.name
    )
    return {
        "object": write.shown(row, a.obj),
        "oldObject": write.shown(row, a.old),
        "request": write.request(row),
        "authorizer": authz.Authorizer(decide),
        "authorizer.requestResource": authz.ResourceCheck(decide, own),
    }


def _decider(write: Write) -> authz.Decide:
    def decide(question: authz.Question) -> authz.Verdict:
        user = write.attributes.user
        if question.service_account is not None:
            namespace, name = question.service_account
            groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
            user = User(f"system:serviceaccount:{namespace}:{name}", groups=groups)
        info = Info(
            not question.path, question.verb, question.path, question.group, "*", question.namespace,
            question.resource, question.subresource, question.name,
        )  # fmt: skip
        found = _at_once(write.world.authorizer.decide(user, info))
        return authz.Verdict(found.allowed, found.reason)

    return decide


def _at_once(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that waits for nothing: expressions are no coroutines, and no authorizer waits."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    coroutine.close()
    raise cel.CelError("the authorizer has no answer yet")
