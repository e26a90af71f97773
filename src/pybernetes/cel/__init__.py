"""The Common Expression Language with Kubernetes's libraries.

    program = cel.compile("self.replicas <= self.max", {"self": cel.DYN})
    value, left = program.evaluate({"self": {"replicas": 2, "max": 3}})

Rule 1: nothing of this is imported, and no library loaded, before somebody compiles an expression.
Rule 2: ``CompileError`` and ``CelError`` say what is wrong in cel-go's words; ``OverBudget`` ends what runs too long.
Neighbours: ``compiler.py`` (which library and why), ``program.py`` (evaluation), ``functions/`` (the libraries).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pybernetes.cel.values import CelError, CompileError, Opaque, OverBudget

if TYPE_CHECKING:
    from pybernetes.cel.compiler import Program

__all__ = ["AUTHORIZER", "BUDGET", "BUDGET_PER_CALL", "DYN", "CelError", "CompileError", "Opaque", "OverBudget",
           "compile", "parse"]  # fmt: skip

BUDGET: Final = 10_000_000
"""For all rules of one object (RuntimeCELCostBudget)."""
BUDGET_PER_CALL: Final = 1_000_000
"""For one rule (PerCallLimit)."""
DYN: Final = "dyn"
AUTHORIZER: Final = "kubernetes.authorization.Authorizer"


def compile(text: str, declared: Mapping[str, str | Mapping[str, Any]]) -> Program:
    """An expression over the names ``declared``: name → signature (``dyn``, ``list(string)``, ``AUTHORIZER``).

    One OpenAPI schema may stand for a signature, and for several names the same one: its fields are checked.
    Raises CompileError in cel-go's words with line and column.
    """
    from pybernetes.cel import compiler, messages

    schema = next((told for told in declared.values() if not isinstance(told, str)), None)
    if schema is None:
        return compiler.compile_checked(text, declared)
    found = messages.Messages(schema)
    told = {name: found.root if not isinstance(type_, str) else type_ for name, type_ in declared.items()}
    return compiler.compile_checked(text, told, found)


def parse(text: str) -> Program:
    """An expression whose names and types nobody checks, as ``Object{spec: Object.spec{…}}`` needs it; an object comes
    out as a dict. Raises CompileError.
    """
    from pybernetes.cel import compiler

    return compiler.compile_unchecked(text)
