"""What can be asked at which path, as neutral rows: ``v2.py`` and ``v3.py`` write them in their own grammar.

Rule: everything follows from the kind table. Names of operations are upstream's (``createAppsV1NamespacedDeployment``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from pybernetes.kinds.kind import Kind, Subresource
from pybernetes.meta.objects import Obj

Param: TypeAlias = tuple[str, str]
"""(name, JSON type) of a query parameter."""
META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1"
STATUS: Final = f"{META}.Status"
PATCH: Final = f"{META}.Patch"
DELETE_OPTIONS: Final = f"{META}.DeleteOptions"

_LIST: Final[Sequence[Param]] = (
    ("allowWatchBookmarks", "boolean"), ("continue", "string"), ("fieldSelector", "string"),
    ("labelSelector", "string"), ("limit", "integer"), ("resourceVersion", "string"),
    ("resourceVersionMatch", "string"), ("sendInitialEvents", "boolean"), ("timeoutSeconds", "integer"),
    ("watch", "boolean"),
)  # fmt: skip
_DELETE: Final[Sequence[Param]] = (
    ("dryRun", "string"), ("gracePeriodSeconds", "integer"), ("orphanDependents", "boolean"),
    ("propagationPolicy", "string"),
)  # fmt: skip
_WRITE: Final[Sequence[Param]] = (("dryRun", "string"), ("fieldManager", "string"), ("fieldValidation", "string"))
_PATCH: Final[Sequence[Param]] = (*_WRITE, ("force", "boolean"))


@dataclass(frozen=True, slots=True)
class Operation:
    method: str
    action: str
    """``x-kubernetes-action``."""
    id: str
    tag: str
    gvk: Obj
    params: Sequence[Param] = ()
    body: str = ""
    """Definition of the body, or empty."""
    answer: str = ""
    """Definition of the answer; empty: a plain text."""
    body_media: Sequence[str] = ("*/*",)


@dataclass(frozen=True, slots=True)
class _Act:
    """How one verb looks in OpenAPI. ``body`` and ``answer``: "own", "list", or a definition's name."""

    verb: str
    method: str
    action: str
    word: str
    params: Sequence[Param] = ()
    body: str = ""
    answer: str = "own"
    suffix: str = ""
    media: Sequence[str] = ("*/*",)


_PATCH_MEDIA: Final = (
    "application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)  # fmt: skip
_COLLECTION: Final = (
    _Act("list", "get", "list", "list", _LIST, answer="list"),
    _Act("create", "post", "post", "create", _WRITE, body="own"),
    _Act(
        "deletecollection", "delete", "deletecollection", "delete", (*_LIST[:-1], *_DELETE),
        body=DELETE_OPTIONS, answer=STATUS, suffix="Collection",
    ),
)  # fmt: skip
_OBJECT: Final = (
    _Act("get", "get", "get", "read"),
    _Act("update", "put", "put", "replace", _WRITE, body="own"),
    _Act("patch", "patch", "patch", "patch", _PATCH, body=PATCH, media=_PATCH_MEDIA),
    _Act("delete", "delete", "delete", "delete", _DELETE, body=DELETE_OPTIONS, answer=STATUS),
)
_PART: Final = (
    _Act("get", "get", "get", "read"),
    _Act("create", "post", "post", "create", _WRITE, body="own"),
    _Act("update", "put", "put", "replace", _WRITE, body="own"),
    _Act("patch", "patch", "patch", "patch", _PATCH, body=PATCH, media=_PATCH_MEDIA),
)
_CONNECT: Final = tuple(
    _Act(verb, method, "connect", f"connect{method.capitalize()}", answer="")
    for verb, method in (
        ("get", "get"),
        ("create", "post"),
        ("update", "put"),
        ("delete", "delete"),
        ("patch", "patch"),
    )
)
_CONNECTED: Final = ("attach", "exec", "portforward", "proxy")

Paths: TypeAlias = dict[str, list[Operation]]


def paths(rows: Iterable[Kind], kinds_to_definitions: Mapping[tuple[str, str, str], str]) -> Paths:
    """Path → its operations, for some rows. ``kinds_to_definitions``: (group, version, kind) → definition."""
    out: Paths = {}
    for row in sorted(rows, key=lambda row: row.plural):
        for path, operations in _of_row(row, kinds_to_definitions):
            if operations:
                out[path] = operations
    return out


def base(row: Kind) -> str:
    return f"/apis/{row.group}/{row.version}" if row.group else f"/api/{row.version}"


def _of_row(row: Kind, known: Mapping[tuple[str, str, str], str]) -> Iterator[tuple[str, list[Operation]]]:
    collection = f"{base(row)}/namespaces/{{namespace}}/{row.plural}" if row.namespaced else f"{base(row)}/{row.plural}"
    scope = "Namespaced" if row.namespaced else ""
    yield collection, _operations(row, _COLLECTION, scope + row.kind, row.definition)
    if row.namespaced and "list" in row.verbs:
        everywhere = _operations(row, _COLLECTION[:1], f"{row.kind}ForAllNamespaces", row.definition)
        yield f"{base(row)}/{row.plural}", everywhere
    yield f"{collection}/{{name}}", _operations(row, _OBJECT, scope + row.kind, row.definition)
    for name, sub in sorted(row.subresources.items()):
        path = f"{collection}/{{name}}/{name}"
        yield path, _sub_operations(row, name, sub, scope, known)


def _sub_operations(
    row: Kind, name: str, sub: Subresource, scope: str, known: Mapping[tuple[str, str, str], str]
) -> list[Operation]:
    group = row.group if sub.group is None else sub.group
    gvk = {"group": group, "version": sub.version or row.version, "kind": sub.kind}
    definition = known.get((group, sub.version or row.version, sub.kind), "")
    noun = scope + row.kind + name[:1].upper() + name[1:]
    acts = _CONNECT if name in _CONNECTED else _PART
    return [_operation(row, act, noun, definition, gvk) for act in acts if act.verb in sub.verbs]


def _operations(row: Kind, acts: Iterable[_Act], noun: str, definition: str) -> list[Operation]:
    gvk = {"group": row.group, "version": row.version, "kind": row.kind}
    return [_operation(row, act, noun, definition, gvk) for act in acts if act.verb in row.verbs]


def _operation(row: Kind, act: _Act, noun: str, definition: str, gvk: Obj) -> Operation:
    names = {"own": definition, "list": f"{definition}List" if definition else ""}
    group = (row.group.split(".")[0] or "core").capitalize()
    media = tuple(one for one in act.media if not (row.custom and "strategic" in one))
    return Operation(
        act.method, act.action, f"{act.word}{group}{row.version.capitalize()}{act.suffix}{noun}",
        f"{row.group.split('.')[0] or 'core'}_{row.version}", gvk, (*act.params, ("pretty", "string")),
        names.get(act.body, act.body), names.get(act.answer, act.answer), media,
    )  # fmt: skip


# ── definitions ──────────────────────────────────────────────────────────────────────────────────────────


def by_kind(definitions: Mapping[str, Mapping[str, Any]]) -> dict[tuple[str, str, str], str]:
    """(group, version, kind) → the definition's name."""
    return {
        (gvk["group"], gvk["version"], gvk["kind"]): name
        for name, schema in definitions.items()
        for gvk in schema.get("x-kubernetes-group-version-kind", ())
        if not name.startswith(META)
    }


def closure(names: Iterable[str], definitions: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The named definitions and all they lead to, sorted by name. Unknown names are left out."""
    found: dict[str, Mapping[str, Any]] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found or name not in definitions:
            continue
        found[name] = definitions[name]
        waiting += references(definitions[name])
    return dict(sorted(found.items()))


def references(schema: object) -> Iterator[str]:
    """The names of the definitions that a schema refers to."""
    if isinstance(schema, dict):
        if isinstance(ref := schema.get("$ref"), str):
            yield ref.rpartition("/")[2]
        for value in schema.values():
            yield from references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from references(value)


def used(all_paths: Paths) -> set[str]:
    """The definitions that operations name."""
    return {name for ops in all_paths.values() for op in ops for name in (op.body, op.answer) if name}
