"""JSON patch (RFC 6902) over JSON pointers (RFC 6901), with the server's sentences for what cannot be done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from pybernetes.meta import errors

MAX_OPERATIONS: Final = 10_000


class _Failed(Exception):
    """An operation that does not fit the document."""


def apply(document: Any, operations: Any) -> Any:
    """The patched document; neither argument is changed.

    Raises BadRequest for what is no patch, Invalid (422, as upstream) for one that does not fit the document.
    """
    if not isinstance(operations, list) or not all(isinstance(o, dict) for o in operations):
        raise errors.BadRequest("error decoding patch: json: cannot unmarshal into Go value of type jsonpatch.Patch")
    if len(operations) > MAX_OPERATIONS:
        raise errors.RequestEntityTooLarge(
            f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(operations)}"
        )
    for operation in operations:
        run = _OPERATIONS.get(operation.get("op", ""))
        if run is None:
            raise errors.BadRequest(f"Unexpected kind: {operation.get('op', '')}")
        try:
            document = run(document, operation)
        except _Failed as error:
            raise errors.Invalid(f"the server rejected our request due to an error in our request: {error}") from error
    return document


def _pointer(operation: dict[str, Any], key: str = "path") -> list[str]:
    text = operation.get(key)
    if not isinstance(text, str):
        raise _Failed(f"{operation['op']} operation has no {key}")
    if text and not text.startswith("/"):
        raise _Failed(f"{operation['op']} operation does not apply: {key} {text!r} does not begin with '/'")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _step(node: Any, part: str, path: Sequence[str], *, end: int) -> Any:
    """A dict's key or a list's index; ``end`` is how far beyond the last item an index may go."""
    if isinstance(node, dict):
        return part
    if isinstance(node, list):
        if part == "-" and end:
            return len(node)
        if part.isdigit() and (part == "0" or part[0] != "0") and int(part) < len(node) + end:
            return int(part)
    raise _Failed(f"doc is missing path: /{'/'.join(path)}: missing value")


def _get(document: Any, path: Sequence[str]) -> Any:
    node = document
    for part in path:
        key = _step(node, part, path, end=0)
        if isinstance(node, dict) and key not in node:
            raise _Failed(f"doc is missing path: /{'/'.join(path)}: missing value")
        node = node[key]
    return node


def _changed(document: Any, path: Sequence[str], change: Callable[[Any, Any], Any], *, end: int = 0) -> Any:
    """A copy of the containers along ``path``; ``change(container copy, key)`` alters the last one."""
    whole = path

    def walk(node: Any, at: int) -> Any:
        last = at == len(whole) - 1
        key = _step(node, whole[at], whole, end=end if last else 0)
        copy = dict(node) if isinstance(node, dict) else list(node)
        if last:
            change(copy, key)
        else:
            if isinstance(copy, dict) and key not in copy:
                raise _Failed(f"doc is missing path: /{'/'.join(whole)}: missing value")
            copy[key] = walk(copy[key], at + 1)
        return copy

    return walk(document, 0)


def _value(operation: dict[str, Any]) -> Any:
    if "value" not in operation:
        raise _Failed(f"{operation['op']} operation has no value")
    return operation["value"]


def _put(document: Any, path: Sequence[str], value: Any) -> Any:
    if not path:
        return value

    def change(container: Any, key: Any) -> None:
        if isinstance(container, list):
            container.insert(key, value)
        else:
            container[key] = value

    return _changed(document, path, change, end=1)


def _take(document: Any, path: Sequence[str]) -> Any:
    if not path:
        return None

    def change(container: Any, key: Any) -> None:
        if isinstance(container, dict) and key not in container:
            raise _Failed(f"Unable to remove nonexistent key: {key}: missing value")
        del container[key]

    return _changed(document, path, change)


def _add(document: Any, operation: dict[str, Any]) -> Any:
    return _put(document, _pointer(operation), _value(operation))


def _remove(document: Any, operation: dict[str, Any]) -> Any:
    return _take(document, _pointer(operation))


def _replace(document: Any, operation: dict[str, Any]) -> Any:
    path, value = _pointer(operation), _value(operation)
    if not path:
        return value

    def change(container: Any, key: Any) -> None:
        if isinstance(container, dict) and key not in container:
            raise _Failed(f"replace operation does not apply: doc is missing key: /{'/'.join(path)}: missing value")
        container[key] = value

    return _changed(document, path, change)


def _move(document: Any, operation: dict[str, Any]) -> Any:
    source, target = _pointer(operation, "from"), _pointer(operation)
    if target[: len(source)] == source and target != source:
        raise _Failed("move operation does not apply: a value cannot be moved into itself")
    value = _get(document, source)
    return _put(_take(document, source), target, value)


def _copy(document: Any, operation: dict[str, Any]) -> Any:
    return _put(document, _pointer(operation), _get(document, _pointer(operation, "from")))


def _test(document: Any, operation: dict[str, Any]) -> Any:
    path = _pointer(operation)
    try:
        found = _get(document, path)
    except _Failed:
        found = None
    if not _same(found, operation.get("value")):
        raise _Failed(f"testing value /{'/'.join(path)} failed")
    return document


def _same(one: Any, other: Any) -> bool:
    """JSON equality: ``true`` is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(v, other[k]) for k, v in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_same(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)


_OPERATIONS: Final[dict[str, Callable[[Any, dict[str, Any]], Any]]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}
