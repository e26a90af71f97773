"""Values by their types of ownership: merging what is applied into what lives, and taking fields out again.

Rule 1: ``merged`` takes every leaf of the applied value; whatever only the live object has stays.
Rule 2: list elements come in the applied order; elements that only live keep their place among them.
Rule 3: nothing given is changed, and unchanged parts are shared.
Neighbours: ``meta/fieldtypes.py`` has the types and makes sets; ``meta/apply.py`` decides what is merged and pruned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pybernetes.meta.fieldset import Fields, is_member, text, with_self
from pybernetes.meta.fieldtypes import Granular, Keyed, Struct, Type, duplicates


def merged(type_: Type | None, live: Any, applied: Any) -> Any:
    """The live value with everything that was applied."""
    if isinstance(type_, Keyed):
        if isinstance(live, list) and isinstance(applied, list):
            return _merged_list(type_, live, applied)
    elif type_ is not None and isinstance(live, dict) and isinstance(applied, dict):
        return _merged_map(type_, live, applied)
    return applied


def _merged_map(type_: Granular | Struct, live: Mapping[str, Any], applied: Mapping[str, Any]) -> dict[str, Any]:
    out = dict(live)
    for name, value in applied.items():
        if value is None:
            out.pop(name, None)
        else:
            out[name] = merged(type_.child(f"f:{name}"), live.get(name), value)
    return out


def _merged_list(type_: Keyed, live: Sequence[Any], applied: Sequence[Any]) -> list[Any]:
    ours = {key: at for at, element in enumerate(applied) if (key := type_.key(element))}
    theirs = type_.indexed(list(live))
    order = _interleaved([type_.key(element) for element in live], list(ours))
    return [
        merged(type_.item, theirs[key], applied[ours[key]]) if key in ours and key in theirs
        else applied[ours[key]] if key in ours else live[at]
        for key, at in order
    ]  # fmt: skip


def _interleaved(live: Sequence[str], applied: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Keys in the order of the merged list, with the place in ``live`` of those that ``applied`` lacks."""
    wanted, known = frozenset(applied), frozenset(live)
    waiting = iter(key for key in applied if key in known)
    awaited = next(waiting, "")
    done: set[str] = set()
    at = rank = 0
    while at < len(live) or rank < len(applied):
        mine = live[at] if at < len(live) else None
        later = mine in wanted and rank < len(applied) and mine not in (awaited, applied[rank])
        if mine is not None and (mine in done or later):
            at += 1
        elif mine is not None and mine not in wanted:
            yield mine, at
            at += 1
        else:
            key = applied[rank]
            yield key, 0
            done.add(key)
            rank += 1
            at += key == mine
            if key == awaited:
                awaited = next(waiting, "")


def removed(type_: Type | None, value: Any, gone: Fields) -> Any:
    """The value without the members of ``gone``; None where nothing is left. What is atomic stays."""
    if not gone or type_ is None:
        return value
    if isinstance(type_, Keyed):
        return _removed_elements(type_, value, gone) if isinstance(value, list) else value
    if not isinstance(value, dict):
        return value
    out = {}
    for name, inner in value.items():
        node = gone.get(f"f:{name}")
        if node is not None and is_member(node):
            continue
        left = inner if node is None else removed(type_.child(f"f:{name}"), inner, node)
        if left is not None:
            out[name] = left
    return out or None


def _removed_elements(type_: Keyed, value: Sequence[Any], gone: Fields) -> list[Any] | None:
    out = []
    for element in value:
        node = gone.get(type_.key(element))
        if node is None:
            out.append(element)
        elif not is_member(node):
            out.append(removed(type_.item, element, node))
    return out or None


def named(type_: Type | None, fields: Fields) -> Fields:
    """``fields``, and every declared field above a member: removing all of a struct removes the struct."""
    if type_ is None:
        return fields
    out = {}
    for key, node in fields.items():
        below = named(type_.child(key), node) if node else node
        out[key] = with_self(below) if node and type_.named(key) else below
    return out


def faults(type_: Type | None, value: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Why a value cannot be applied: fields that the schema lacks, list elements without or with the same keys."""
    if isinstance(type_, Keyed) and isinstance(value, list):
        yield from _list_faults(type_, value, path)
    elif isinstance(type_, Struct | Granular) and isinstance(value, dict):
        for name, inner in value.items():
            step = (*path, f"f:{name}")
            if isinstance(type_, Struct) and name not in type_.fields and not type_.open:
                yield f"{text(step)}: field not declared in schema"
            else:
                yield from faults(type_.child(f"f:{name}"), inner, step)


def _list_faults(type_: Keyed, value: Sequence[Any], path: tuple[str, ...]) -> Iterator[str]:
    for at, element in enumerate(value):
        key = type_.key(element)
        if key:
            yield from faults(type_.item, element, (*path, key))
        elif type_.keys:
            yield (
                f"{text(path)}: element {at}: associative list with keys has an element that omits all key fields "
                f"{_listed(type_.keys)} (and doesn't have default values for any key fields)"
            )
    for key in duplicates(type_, value):
        yield f"{text(path)}: duplicate entries for key {text((key,))}"


def _listed(keys: Sequence[str]) -> str:
    return "[" + " ".join(f'"{key}"' for key in keys) + "]"
