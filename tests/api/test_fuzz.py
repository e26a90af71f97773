"""Whatever a client sends, the server answers it, and never with an error of its own.

An example takes the smallest object of a kind, puts values of our own OpenAPI schemas (and others) at places of it, and
sends it by every verb; queries get selectors, tokens and versions that are as odd. Wider runs: ``FUZZ_EXAMPLES=20000``.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pybernetes.kinds import schemas as data
from pybernetes.kinds import table
from pybernetes.kinds.kind import Kind

from .objects import name_of, smallest
from .server import Server

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "150"))
SETTINGS = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
DEFINITIONS = data.definitions()
ROWS = [row for row in table.builtin() if "create" in row.verbs]
SECONDS = 10.0
TEXTS = [
    "", "a", "web", "A_b", "-", "1", "-1", "0", "0.5", "10Gi", "1e400", "1e9999999", "100m", "50%", "-5%", "x" * 300,
    "é", "\u0000", "😀", "*", "/", "..", "a/b", "a=b", "10.0.0.1", "10.0.0.0/33", "::1", "fe80::/10", "http",
    "2026-01-31T09:05:03Z", "2026-13-31T09:05:03Z", "9999-12-31T23:59:59Z", "* * * * *", "@hourly", "TCP", "Never",
    "Always", "None", "NotIn", "In", "Exists", "self.x == 1", "{", "[", "$(A)", "%", "0x10", "1h", "-1s", "YQ==", "=",
]  # fmt: skip
NUMBERS = [0, 1, -1, 2, 80, 65536, 2**31 - 1, 2**31, 2**32, 2**63 - 1, -(2**63), 0.5, 1e300]
ODD: list[Any] = [None, {}, [], [None], [[]], {"": None}, True, [{}], {"a": {"b": {}}}]
PATCHES = ["application/merge-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml"]
POINTERS = ["", "/", "/spec", "/metadata/name", "/metadata/labels", "/spec/x/y", "/-", "/spec/containers/0", "/a~2b"]
SELECTORS = ["a", "a=b", "a in (b,c)", "!a", "a,", "a in (", "metadata.name=web", "a>1", "a>b", "=", "é=é", "x" * 400]
QUERIES: dict[str, list[str]] = {
    "labelSelector": SELECTORS,
    "fieldSelector": [*SELECTORS, "metadata.namespace!=x", "spec.nodeName=", "status.phase=Running", "\\"],
    "limit": ["0", "1", "-1", "a", "99999999999999999999", "1.5"],
    "continue": [
        "a",
        "e30",
        "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTEsInN0YXJ0Ijoi4pigIn0",
        "%",
        "=" * 9,
        "bnVsbA",
        "MQ",
    ],
    "resourceVersion": ["0", "1", "-1", "x", "1.5", "0x1"],
    "resourceVersionMatch": ["Exact", "NotOlderThan", "x"],
    "fieldValidation": ["Strict", "Warn", "Ignore", "x"],
    "dryRun": ["All", "x", ""],
    "fieldManager": ["m", "x" * 200, "\n", ""],
    "force": ["true", "false", "x"],
    "propagationPolicy": ["Orphan", "Foreground", "Background", "x"],
    "gracePeriodSeconds": ["0", "-1", "x", "99999999999999999999"],
    "pretty": ["true"],
}
ACCEPTS = [
    "", "*/*", "application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "text/html", "a;b=c,,",
    "application/json;as=Table;v=v1;g=meta.k8s.io", "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
    "application/json;as=Table;v=v9;g=x",
]  # fmt: skip


# ── values ───────────────────────────────────────────────────────────────────────────────────────────────


def value(random: Random, schema: Any, depth: int = 0) -> Any:
    """Something of a schema, or now and then something else."""
    if random.random() < 0.06:
        return random.choice([*ODD, *TEXTS, *NUMBERS])
    ref = schema.get("$ref")
    if ref:
        return value(random, DEFINITIONS[ref.rpartition("/")[2]], depth)
    match schema.get("type"):
        case "object" if "properties" in schema:
            return struct(random, schema, depth)
        case "object":
            inner = schema.get("additionalProperties") or {}
            return {random.choice(TEXTS): value(random, inner, depth + 1) for _ in range(random.randint(0, 2))}
        case "array":
            return [value(random, schema["items"], depth + 1) for _ in range(random.randint(0, 2))]
        case "boolean":
            return random.random() < 0.5
        case "integer" | "number":
            return random.choice(NUMBERS)
    return random.choice([*schema.get("enum", ()), *TEXTS])


def struct(random: Random, schema: Any, depth: int) -> Any:
    properties = schema["properties"]
    wanted = set(schema.get("required", ())) | {name for name in properties if random.random() < 0.4 / (depth + 1)}
    return {name: value(random, properties[name], depth + 1) for name in sorted(wanted & set(properties)) if depth < 7}


def changed(random: Random, kind: Kind, obj: Any) -> Any:
    """``obj`` with a value of its schema at some place, or all of one part made anew."""
    out, schema = orjson.loads(orjson.dumps(obj)), DEFINITIONS.get(kind.definition) or {}
    at = out
    while True:
        while "$ref" in schema:
            schema = DEFINITIONS[schema["$ref"].rpartition("/")[2]]
        properties = schema.get("properties") or {}
        if not properties or not isinstance(at, dict):
            return out
        name = random.choice(sorted(properties))
        deeper = isinstance(at.get(name), dict | list) and at[name] and random.random() < 0.8
        if not deeper:
            at[name] = value(random, properties[name])
            return out
        at, schema = at[name], properties[name]
        if isinstance(at, list):
            at, schema = at[0], schema.get("items", {})


def patch(random: Random, kind: Kind, obj: Any) -> tuple[str, Any]:
    if random.random() < 0.25:
        names = ["add", "remove", "replace", "move", "copy", "test", "x"]
        steps = [
            {"op": random.choice(names), "path": random.choice(POINTERS), "from": random.choice(POINTERS),
             "value": random.choice([*ODD, *TEXTS])}
            for _ in range(random.randint(0, 3))
        ]  # fmt: skip
        return "application/json-patch+json", steps
    whole = changed(random, kind, obj)
    part = random.choice(["spec", "metadata", "status", *whole])
    small = {key: whole[key] for key in ("apiVersion", "kind", part) if key in whole}
    return random.choice(PATCHES), random.choice([whole, small, changed(random, kind, {}), {"$patch": "replace"}])


def query(random: Random) -> dict[str, str]:
    return {name: random.choice(values) for name, values in QUERIES.items() if random.random() < 0.12}


# ── requests ─────────────────────────────────────────────────────────────────────────────────────────────


class Session:
    """One server for all examples, on a loop of its own."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._server = Server()
        self._runner.run(self._server.start())

    def close(self) -> None:
        self._runner.run(self._server.api.stop())
        self._runner.close()

    def try_(self, seed: int, kind: Kind) -> None:
        self._runner.run(self._try(Random(seed), kind))

    async def _try(self, random: Random, kind: Kind) -> None:
        root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
        collection = f"{root}/namespaces/default/{kind.plural}" if kind.namespaced else f"{root}/{kind.plural}"
        path, base = f"{collection}/{name_of(kind)}", smallest(kind)
        obj = base
        for _ in range(random.randint(0, 3)):
            obj = changed(random, kind, obj)
        await self._ask("POST", collection, random.choice([obj, base]), random)
        for _ in range(3):
            await self._change(random, kind, path, base)
        await self._ask("GET", random.choice([path, collection]), None, random)
        await self._ask("GET", collection, None, random, watch="1", timeoutSeconds=random.choice(["1", "0", "x"]))
        await self._ask("DELETE", path, random.choice([None, {}, {"preconditions": {"uid": 7}}, []]), random)
        await self._server.http("DELETE", path)

    async def _change(self, random: Random, kind: Kind, path: str, base: Any) -> None:
        at = random.choice([path, path, *(f"{path}/{name}" for name in kind.subresources if name != "proxy")])
        if random.random() < 0.4:
            await self._ask("PUT", at, changed(random, kind, base), random)
        else:
            media, body = patch(random, kind, base)
            await self._ask("PATCH", at, body, random, media=media)

    async def _ask(self, method: str, path: str, body: Any, random: Random, media: str = "", **more: str) -> None:
        asked = {**query(random), **more}
        sent = random.choice([b"", b"{", b"\xff", b"[1]"]) if random.random() < 0.03 else _encoded(body)
        call = self._server.http(
            method, path, sent, query=asked, accept=random.choice(ACCEPTS), content_type=media or "application/json"
        )
        answer = await asyncio.wait_for(call, SECONDS)
        close = getattr(answer.stream, "aclose", None)
        if close is not None:
            await close()
        assert b"see the server's log" not in answer.body, (method, path, asked, sent, answer.body)


def _encoded(body: Any) -> bytes | None:
    return None if body is None else orjson.dumps(body)


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    made = Session()
    yield made
    made.close()


@SETTINGS
@given(seed=st.integers(0, 2**32), kind=st.sampled_from(ROWS))
def test_no_request_makes_the_server_fail(session: Session, seed: int, kind: Kind) -> None:
    session.try_(seed, kind)
