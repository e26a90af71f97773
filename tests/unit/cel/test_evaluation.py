"""What expressions give, and what they say when they fail."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from pybernetes import cel
from pybernetes.cel.functions.authz import Authorizer, Question, Verdict

SELF = {
    "spec": {"a": 1, "replicas": 5, "my-field": "x", "namespace": "n"},
    "items": [{"v": 1}, {"v": 2}],
    "limits": {"cpu": "500m"},
}


def evaluated(text: str, **more: Any) -> Any:
    declared = dict.fromkeys(("self", *more), cel.DYN)
    return cel.compile(text, declared).evaluate({"self": SELF, **more}, cel.BUDGET_PER_CALL)[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("has(self.spec.a) && !has(self.spec.b)", True),
        ("self.items.all(x, x.v > 0)", True),
        ("self.items.exists(x, x.v == 2)", True),
        ("self.items.exists_one(x, x.v > 1)", True),
        ("self.items.map(x, x.v > 1, x.v * 10)", [20]),
        ("self.items.filter(x, x.v > 1)", [{"v": 2}]),
        ("self.items.map(x, x.v).sum()", 3),
        ("[1, 2, 3].all(i, v, i < v)", True),
        ("{'a': 1}.transformMap(k, v, v + 1)", {"a": 2}),
        ("[1, 2].transformList(i, v, v * i)", [0, 2]),
        ("self.?spec.?b.orValue('none')", "none"),
        ("self.spec.?a.optMap(x, x + 1).value()", 2),
        ("{?'a': optional.of(1), ?'b': optional.none()}", {"a": 1}),
        ("self.spec.my__dash__field + self.spec.__namespace__", "xn"),
        ("self.spec.replicas == 5.0 && dyn(5u) == dyn(5)", True),
        ("-7 / 2 == -3 && -7 % 2 == -1", True),
        ("'abc'.find('b.') + 'a1b22'.findAll('[0-9]+')[1]", "bc22"),
        ("'a,b,c'.split(',', 2)", ["a", "b,c"]),
        ("['a', 'b'].join('-').upperAscii()", "A-B"),
        ("'%s has %d, %.2f'.format(['x', 3, 1.5])", "x has 3, 1.50"),
        ("[3, 1, 2].isSorted() || [1, 2, 2].isSorted()", True),
        ("[1, 5, 2].max() - [1, 5, 2].min() + [1, 5].indexOf(5)", 5),
        ("sets.contains(['a', 'b'], ['a']) && !sets.intersects([1], [2])", True),
        ("quantity(self.limits.cpu).add(quantity('1')).isGreaterThan(quantity('1400m'))", True),
        ("quantity('1Gi').asInteger()", 1073741824),
        ("cidr('10.0.0.0/8').containsIP('10.1.2.3') && ip('::1').isLoopback()", True),
        ("url('https://u@a.b:80/p?q=1').getHostname()", "a.b"),
        ("format.dns1123Label().validate('A').hasValue()", True),
        ("semver('1.2.3').isLessThan(semver('v1.10', true))", True),
        ("duration('1h30m').getMinutes()", 90),
        ("timestamp('2026-01-31T00:00:00Z') + duration('24h') == timestamp('2026-02-01T00:00:00Z')", True),
        ("type(self.spec.a) == int && type('') == string", True),
        ("self.missing || true", True),
        ("[1, 0].exists(x, 1 / x > 0)", True),
    ],
)
def test_expressions_mean_what_they_mean_upstream(text: str, value: Any) -> None:
    assert evaluated(text) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("self.missing", "no such key: missing"),
        ("self.items[7]", "index out of bounds: 7"),
        ("1 / (self.spec.a - 1)", "division by zero"),
        ("9223372036854775807 + self.spec.a", "integer overflow"),
        ("self.spec + 1", "no such overload"),
        ("[1, 0].all(x, 1 / x > 0)", "division by zero"),
        ("quantity('much')", "quantities must match the regular expression"),
        ("'x'.matches('[')", "error parsing regexp"),
    ],
)
def test_a_failure_says_why(text: str, why: str) -> None:
    with pytest.raises(cel.CelError, match=why.replace("[", r"\[")):
        evaluated(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1 + 1)", "ERROR: <input>:1:6: Syntax error: extraneous input ')' expecting <EOF>"),
        ("self.a + nobody", "ERROR: <input>:1:10: undeclared reference to 'nobody' (in container '')"),
        ("1 + 'a'", "found no matching overload for '_+_' applied to '(int, string)'"),
    ],
)
def test_what_does_not_compile_is_told_with_its_place(text: str, why: str) -> None:
    with pytest.raises(cel.CompileError) as told:
        cel.compile(text, {"self": cel.DYN})
    assert why in str(told.value)


def test_a_schema_finds_fields_that_are_none() -> None:
    schema = {"type": "object", "properties": {"x": {"type": "array", "items": {"type": "string"}}}}
    assert cel.compile("self.x.all(s, s != '')", {"self": schema}).result_type == "bool"
    with pytest.raises(cel.CompileError, match="undefined field 'z'"):
        cel.compile("self.z == 1", {"self": schema})
    with pytest.raises(cel.CompileError, match="applied to '\\(string, int\\)'"):
        cel.compile("self.x.all(s, s == 1)", {"self": schema, "oldSelf": schema})


def test_no_expression_runs_for_ever() -> None:
    numbers = list(range(1000))
    program = cel.compile("n.all(x, n.all(y, n.all(z, x + y + z >= 0)))", {"n": "list(int)"})
    with pytest.raises(cel.OverBudget, match="actual cost limit exceeded"):
        program.evaluate({"n": numbers}, 100_000)
    with pytest.raises(cel.OverBudget):
        cel.compile("n.all(x, n.all(y, x + y >= 0)) || true", {"n": "list(int)"}).evaluate({"n": numbers}, 1_000)


def test_a_pattern_takes_time_in_proportion_to_the_text() -> None:
    assert evaluated("given.matches('^(a+)+$')", given="a" * 50_000 + "b") is False


def test_an_object_can_be_built_that_no_schema_describes() -> None:
    program = cel.parse("Object{spec: Object.spec{replicas: self.spec.a + 1, ?b: optional.none()}}")
    assert program.evaluate({"self": SELF}, 1_000)[0] == {"spec": {"replicas": 2}}


def test_the_authorizer_is_asked_what_the_expression_says() -> None:
    asked: list[Question] = []

    def decide(question: Question) -> Verdict:
        asked.append(question)
        return Verdict(question.verb == "get", "as the test says")

    text = "a.group('apps').resource('deployments').namespace('n').name('d').check('get').allowed()"
    program = cel.compile(text, {"a": cel.AUTHORIZER})
    assert program.evaluate({"a": Authorizer(decide)}, 1_000)[0] is True
    assert asked == [Question(verb="get", group="apps", resource="deployments", namespace="n", name="d")]


def test_nothing_is_loaded_before_it_is_needed() -> None:
    code = (
        "import sys, pybernetes.server.api, pybernetes.cel\n"
        "print([m for m in sys.modules if m.startswith(('cel_expr', 're2', 'pybernetes.cel.compiler'))])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.strip() == "[]"
