"""Text to program: cel-cpp parses and checks (``cel_expr_python``), ``program.py`` evaluates what it found.

Which library? Three are on PyPI (November 2026):

* ``cel-expr-python`` 0.1.3 (2026-06, 16 MB wheel, no dependencies): Google's parser and type checker. Every macro, with
  two variables too, optionals, message types as declarations; complaints with line and column in the very words of
  cel-go. Import 9 ms, compiling 30-80 µs. Its evaluator counts rounds of loops only, to a fixed 10,000, and takes no
  opaque values from Python, so quantities or addresses cannot live in it.
* ``common-expression-language`` 0.10 (2026-09, 1.8 MB, Rust, brings a command line's dependencies; import 125 ms): no
  optional syntax, no checker, no limits, functions return plain values only.
* ``cel-python`` 0.5 (2026-01, pure Python on lark with five dependencies; import 58 ms): no optionals, no comparison
  across number types, no checker, 200 µs to compile and 280 µs to evaluate what takes us 3, no limits.

So the language (grammar, macros, overloads, types) is the first library's, and the evaluation of its checked tree is
ours: on plain dicts without conversion, with a meter that no rule escapes, and with any value Kubernetes needs.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pybernetes.cel import library, program, tree, values
from pybernetes.cel.functions.function import Function, split
from pybernetes.cel.messages import Messages
from pybernetes.cel.values import CompileError

_EXTENSIONS: Final = (
    "extensions:\n  - name: optional\n  - name: strings\n  - name: sets\n  - name: two-var-comprehensions\n"
)
_OPAQUE: Final = frozenset(
    name for row in library.TABLE for name in row.parameters if name.startswith(("kubernetes.", "net."))
)
"""Types without fields: to the checker they are messages too."""
_LENGTH_MAX: Final = 100_000
_STATUS: Final = re.compile(r"^[A-Z_]+: | \[[A-Z_]+\]$")
_STRUCT: Final = re.compile(r" not found in struct '[^']*'")


class Program:
    """A compiled expression: immutable, for any number of evaluations."""

    __slots__ = ("_step", "result_type", "text", "tree")

    def __init__(self, text: str, node: tree.Node, result_type: str) -> None:
        self.text, self.tree, self.result_type = text, node, result_type
        self._step = program.charged(node, program.build(node))

    def evaluate(self, variables: Mapping[str, Any], budget: int) -> tuple[Any, int]:
        """(the value, the budget that is left). Raises CelError, and OverBudget when ``budget`` steps are taken."""
        meter = program.Meter(budget)
        try:
            return self._step(dict(variables), meter), meter.left
        except RecursionError:
            raise values.OverBudget from None


def compile_checked(text: str, declared: Mapping[str, Any], messages: Messages | None = None) -> Program:
    """Parse and check. ``declared``: name → a type's signature. Raises CompileError."""
    return _compiled(text, _environment(tuple(sorted(declared.items())), messages), checked=True)


def compile_unchecked(text: str) -> Program:
    """Only parse: for expressions that make objects whose types nobody declares. Raises CompileError."""
    return _compiled(text, _environment((), None), checked=False)


def _compiled(text: str, environment: Any, *, checked: bool) -> Program:
    if len(text) > _LENGTH_MAX:
        raise CompileError(f"the expression is {len(text)} characters long; at most {_LENGTH_MAX} are allowed")
    try:
        found = environment.compile(text, disable_check=not checked)
    except RuntimeError as error:
        raise CompileError(_STRUCT.sub("", _STATUS.sub("", str(error)))) from None
    try:
        return Program(text, tree.read(found.serialize()), found.return_type().name().lower() if checked else "dyn")
    except RecursionError:
        raise CompileError("expression recursion limit exceeded") from None


# ── what the checker is told ─────────────────────────────────────────────────────────────────────────────


@functools.lru_cache(maxsize=64)
def _environment(declared: tuple[tuple[str, str], ...], messages: Messages | None) -> Any:
    from cel_expr_python import cel

    return cel.NewEnv(
        descriptor_pool=(messages or Messages({})).pool(_OPAQUE),
        config=cel.NewEnvConfigFromYaml(_EXTENSIONS),
        variables={name: _type(cel.Type, signature) for name, signature in declared},
        extensions=[cel.CelExtension("kubernetes", _declarations(cel))],
    )


def _declarations(cel: Any) -> list[Any]:
    """The rows that the checker does not know, as it wants to be told."""
    by_name: dict[str, list[Function]] = {}
    for row in library.TABLE:
        if not row.standard:
            by_name.setdefault(row.name, []).append(row)
    return [cel.FunctionDecl(name, list(_overloads(cel, name, rows))) for name, rows in by_name.items()]


def _overloads(cel: Any, name: str, rows: Iterable[Function]) -> Iterable[Any]:
    for index, row in enumerate(rows):
        parameters = [_type(cel.Type, parameter) for parameter in row.parameters]
        yield cel.Overload(f"kubernetes_{name}_{index}", _type(cel.Type, row.result), parameters, row.member)


def _type(types: Any, signature: str) -> Any:
    """A type as the library has it; a type's parameter is ``dyn`` to it."""
    name, _, inner = signature.partition("(")
    arguments = [_type(types, argument) for argument in split(inner[:-1])]
    match name:
        case "list":
            return types.List(*arguments) if arguments else types.LIST
        case "map":
            return types.Map(*arguments) if arguments else types.MAP
        case "optional_type":
            return types.AbstractType(name, arguments)
        case _ if name.startswith("~"):
            return types.DYN
    return getattr(types, name.upper(), None) or types(name)
