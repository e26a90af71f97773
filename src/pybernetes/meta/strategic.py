"""Strategic merge patch: a merge patch that knows from the schema which lists are sets of things with names.

Rule 1: a map merges, null removes. A list is replaced unless its field says ``x-kubernetes-patch-strategy: merge``:
        then objects in it are matched by ``x-kubernetes-patch-merge-key``, and primitives form a set.
Rule 2: directives steer what data cannot say: ``$patch: replace|delete|merge`` in a map or a list element,
        ``$retainKeys`` (drop every other key), ``$deleteFromPrimitiveList/x`` and ``$setElementOrder/x``.
Rule 3: what a patch names comes in the patch's order, and before what only the server has unless the two stood in
        another order before: a container that is new by patch becomes the first one.
Only containers on the way to a change are copied. Kinds without a definition (custom resources) have no such patch.
Neighbours: ``mergepatch``, ``jsonpatch``; the sentences are those of apimachinery/pkg/util/strategicpatch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from pybernetes.meta import errors
from pybernetes.meta.objects import Obj
from pybernetes.meta.schema import Node, Schemas

_PATCH: Final = "$patch"
_RETAIN: Final = "$retainKeys"
_ORDER: Final = "$setElementOrder/"
_DELETE_FROM: Final = "$deleteFromPrimitiveList/"


def apply(schemas: Schemas, definition: str, original: Obj, patch: Obj) -> Obj:
    """The patched object; ``original`` is not changed and shares its unchanged parts with what is answered.

    Raises BadRequest for a malformed directive, Unexplained for an element without its merge key.
    """
    if not isinstance(patch, dict):
        raise errors.BadRequest("invalid JSON document")
    return _merged(schemas, {"$ref": f"#/definitions/{definition}"}, original, patch)


# ── maps ─────────────────────────────────────────────────────────────────────────────────────────────────


def _merged(schemas: Schemas, node: Node | None, original: Obj, patch: Obj) -> Obj:
    if _PATCH in patch:
        return _directed(patch)
    merged = _retained(original, patch)
    ordered = [key for key in patch if key.startswith(_ORDER)]
    done = {key for order in ordered for key in _arrange(schemas, node, merged, patch, order)}
    for key, value in patch.items():
        if key == _RETAIN or key in done:
            continue
        if key.startswith(_DELETE_FROM):
            _delete_primitives(merged, key.removeprefix(_DELETE_FROM), value)
        elif value is None:
            merged.pop(key, None)
        elif key in merged or not _is_directed(value):
            merged[key] = _value(schemas, _child(schemas, node, key), merged.get(key), value)
    return merged


def _directed(patch: Obj) -> Obj:
    """What ``$patch`` in a map makes of it: ``delete`` nothing, ``replace`` (and ``merge``, as upstream) the rest."""
    directive = patch[_PATCH]
    if directive == "delete":
        return {}
    if directive == "replace":
        return {key: value for key, value in patch.items() if key != _PATCH}
    raise errors.Unexplained(f"unknown patch type: {_go(directive)} in map: {_go(patch)}")


def _retained(original: Obj, patch: Obj) -> Obj:
    """A copy of ``original`` with only the keys that ``$retainKeys`` names, where the patch has it."""
    if _RETAIN not in patch:
        return dict(original)
    keep = patch[_RETAIN]
    if not isinstance(keep, list) or any(
        key not in keep for key, value in patch.items() if value is not None and not key.startswith("$")
    ):
        raise errors.BadRequest("invalid patch format of retainKeys")
    return {key: value for key, value in original.items() if key in keep}


def _value(schemas: Schemas, node: Node | None, old: Any, new: Any) -> Any:
    """What becomes of one field, whose schema is ``node``, when the patch gives it a value."""
    strategies = _strategies(node)
    if isinstance(old, dict) and isinstance(new, dict):
        return new if "replace" in strategies else _merged(schemas, node, old, new)
    if isinstance(old, list) and isinstance(new, list):
        return _merged_list(schemas, node, old, new) if "merge" in strategies else new
    return _plain(new)


def _plain(value: Any) -> Any:
    """A value that is new to the object: without directives, nulls, and whatever a ``$patch`` stands in."""
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items() if not (v is None or _is_directive(key) or _is_directed(v))}
    if isinstance(value, list):
        return [_plain(item) for item in value if not _is_directed(item)]
    return value


def _is_directive(key: str) -> bool:
    return key == _RETAIN or key.startswith((_ORDER, _DELETE_FROM))


def _is_directed(value: Any) -> bool:
    return isinstance(value, dict) and _PATCH in value


def _delete_primitives(merged: Obj, key: str, gone: Any) -> None:
    if not isinstance(gone, list):
        raise errors.BadRequest("invalid patch format of primitive list")
    if isinstance(merged.get(key), list):
        merged[key] = [item for item in merged[key] if item not in gone]


# ── lists ────────────────────────────────────────────────────────────────────────────────────────────────


def _merged_list(schemas: Schemas, node: Node | None, old: list[Any], new: list[Any]) -> list[Any]:
    """Two lists of one field with the strategy ``merge``; see rule 3 for the order."""
    if not any(isinstance(item, dict) for item in (*old, *new)):
        both = list(dict.fromkeys((*_flat(old), *_flat(new))))
        return _in_order(both, new, old, lambda item: item)
    key = _merge_key(node)
    if not key:
        raise errors.Unexplained("cannot merge lists without merge key for " + str((node or {}).get("$ref", "")))
    old, new = _specials(old, new, key)
    item_node = (node or {}).get("items")
    merged = list(old)
    for item in new:
        at = _index(merged, key, _key_of(item, key))
        if at is None:
            merged.append(_plain(item))
        else:
            merged[at] = _merged(schemas, item_node, merged[at], item)
    return _in_order(merged, new, old, lambda item: _key_of(item, key))


def _flat(items: list[Any]) -> list[Any]:
    """A list of primitives, as it is. Raises Unexplained for one of lists or objects."""
    if any(isinstance(item, list | dict) for item in items):
        raise errors.Unexplained("lists of lists are not supported")
    return items


def _specials(old: list[Any], new: list[Any], key: str) -> tuple[list[Any], list[Any]]:
    """The lists after the elements that are directives: some deleted, or the whole replaced."""
    rest: list[Any] = []
    replace = False
    for item in new:
        directive = item.get(_PATCH) if isinstance(item, dict) else None
        if directive == "delete":
            gone = _key_of(item, key)
            old = [o for o in old if _key_of(o, key) != gone]
        elif directive == "replace":
            replace = True
        elif directive == "merge":
            raise errors.Unexplained("merging lists cannot yet be specified in the patch")
        elif directive is not None:
            raise errors.Unexplained(f"unknown patch type: {_go(directive)} in map: {_go(item)}")
        else:
            rest.append(item)
    return (_plain(rest), []) if replace else (old, rest)


def _arrange(schemas: Schemas, node: Node | None, merged: Obj, patch: Obj, order_key: str) -> tuple[str, ...]:
    """Apply ``$setElementOrder/x`` with the patch's list x to ``merged``; answers the patch's keys that are done."""
    field, order = order_key.removeprefix(_ORDER), patch[order_key]
    child = _child(schemas, node, field)
    old, new = merged.get(field), patch.get(field)
    if not isinstance(order, list) or not isinstance(old or [], list) or not isinstance(patch.get(field, []), list):
        raise errors.BadRequest("invalid patch format of setElementOrder list")
    key = _merge_key(child)
    identity: Callable[[Any], Any] = (lambda item: _key_of(item, key)) if key else lambda item: item
    if not key:
        _flat([*order, *(old or ()), *(new or ())])
    _check_order(new or [], order, identity)
    if new is not None:
        whole: list[Any] = _value(schemas, child, old, new)
    elif old is not None:
        whole = old
    else:
        return (order_key,)
    merged[field] = _in_order(whole, order, old or [], identity)
    return order_key, field


def _check_order(new: Sequence[Any], order: Sequence[Any], identity: Callable[[Any], Any]) -> None:
    """Every element of the patch has its place in the order list, and they stand in that order."""
    named = iter([identity(item) for item in order])
    for item in new:
        if not (isinstance(item, dict) and _PATCH in item) and identity(item) not in named:
            raise errors.Unexplained(
                f"The order in patch list:\n{_go(list(new))}\n doesn't match {_ORDER[:-1]} list:\n{_go(list(order))}\n"
            )


def _in_order(
    items: Iterable[Any], named: Sequence[Any], before: Sequence[Any], identity: Callable[[Any], Any]
) -> list[Any]:
    """Items in the order of ``named``; those that it does not name keep their place relative to ``before``."""
    rank = {identity(item): at for at, item in reversed(list(enumerate(named)))}
    place = {identity(item): at for at, item in reversed(list(enumerate(before)))}
    keyed = [(identity(item), item) for item in items]
    mine = sorted((pair for pair in keyed if pair[0] in rank), key=lambda pair: rank[pair[0]])
    theirs = sorted((pair for pair in keyed if pair[0] not in rank), key=lambda pair: place.get(pair[0], len(place)))
    out: list[Any] = []
    for key, item in mine:
        while theirs and key in place and theirs[0][0] in place and place[theirs[0][0]] < place[key]:
            out.append(theirs.pop(0)[1])
        out.append(item)
    return out + [item for _, item in theirs]


def _index(items: Sequence[Any], key: str, value: Any) -> int | None:
    return next((at for at, item in enumerate(items) if _key_of(item, key) == value), None)


def _key_of(item: Any, key: str) -> Any:
    value = item.get(key) if isinstance(item, dict) else None
    if value is None or isinstance(value, dict | list):
        raise errors.Unexplained(f"map: {_go(item)} does not contain declared merge key: {key}")
    return value


# ── the schema ───────────────────────────────────────────────────────────────────────────────────────────


def _child(schemas: Schemas, node: Node | None, key: str) -> Node | None:
    return schemas.child(node, key) if node is not None else None


def _strategies(node: Node | None) -> Sequence[str]:
    text: str = (node or {}).get("x-kubernetes-patch-strategy", "")
    return text.split(",")


def _merge_key(node: Node | None) -> str:
    key: str = (node or {}).get("x-kubernetes-patch-merge-key", "")
    return key


def _go(value: Any) -> str:
    """A JSON value as Go's ``%v`` prints it: ``map[image:nginx ports:[80]]``."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{_go(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(_go, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "<nil>" if value is None else str(value)
