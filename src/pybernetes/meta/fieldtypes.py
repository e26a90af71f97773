"""How the fields of a definition are owned: each alone, or a list or map as a whole.

A definition is compiled once into a tree of types. What is a leaf (scalars, and everything ``atomic``) has no type:
``None``. Each type answers for its values, as sets in the form of ``meta/fieldset.py``:
* ``added``: the fields of a value that is new to an object. Structs and lists that are new are members themselves.
* ``owned``: the fields that somebody names who applies the value. Map keys and list elements are members, structs not.
* ``compared``: the fields that are new or differ, and those that are gone.
Rule: what the server alone writes (uid, resourceVersion …) belongs to nobody; the root's type leaves it out.
Source: structured-merge-diff's typed package; ``meta/fieldmerge.py`` merges by the same types.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import orjson

from pybernetes.meta.fieldset import LEAF, SELF, Fields, with_self


class Compared:
    """Two values side by side: the fields that are new or ``changed``, and those that are ``gone``."""

    __slots__ = ("changed", "gone", "whole")

    def __init__(self, changed: Fields | None = None, gone: Fields | None = None, *, whole: bool = False) -> None:
        self.changed: Fields = {} if changed is None else changed
        self.gone: Fields = {} if gone is None else gone
        self.whole = whole
        """The values are of different shapes: the field that holds them changed itself."""

    def note(self, key: str, type_: Type | None, old: Any, new: Any) -> None:
        """Tell what became of one field between ``old`` and ``new``; None is absence."""
        if new is None:
            if old is not None:
                self.gone[key] = LEAF if type_ is None else type_.added(old)
        elif old is None:
            self.changed[key] = LEAF if type_ is None else type_.added(new)
        elif type_ is None:
            if old != new:
                self.changed[key] = LEAF
        else:
            below = type_.compared(old, new)
            if below.whole or below.changed:
                self.changed[key] = LEAF if below.whole else below.changed
            if below.gone:
                self.gone[key] = below.gone


class Granular:
    """A map whose keys are owned one by one; all values have the type ``item``. Custom data without schema nests it."""

    __slots__ = ("item",)

    def __init__(self, item: Type | None = None) -> None:
        self.item = item

    def child(self, key: str) -> Type | None:
        """The type below a key of a set."""
        return self.item

    def named(self, key: str) -> bool:
        """Is this key of a set a declared field, rather than data?"""
        return False

    def added(self, value: Any) -> Fields:
        if not value or not isinstance(value, dict):
            return LEAF
        item = self.item
        if item is None:
            return {SELF: LEAF, **{f"f:{key}": LEAF for key in value}}
        return {SELF: LEAF, **{f"f:{key}": item.added(inner) for key, inner in value.items()}}

    def owned(self, value: Any) -> Fields:
        if not isinstance(value, dict):
            return LEAF
        item = self.item
        return {f"f:{k}": LEAF if item is None else with_self(item.owned(v)) for k, v in value.items()}

    def compared(self, old: Any, new: Any) -> Compared:
        if not isinstance(old, dict) or not isinstance(new, dict):
            return Compared(whole=old != new)
        olds = {f"f:{key}": value for key, value in old.items()}
        return _pairs(olds, {f"f:{key}": value for key, value in new.items()}, self.item)


class Struct:
    """An object with declared fields; a field that the schema does not know is custom data.

    ``fields``: name → (key in a set, type); ``hidden`` names belong to nobody; ``present`` ones are there even while
    they are empty, as Go's structs within structs are, so that they never become members by being new; ``open`` ones
    may be given fields that the schema lacks.
    """

    __slots__ = ("fields", "hidden", "open", "present")

    def __init__(self, hidden: frozenset[str] = frozenset()) -> None:
        self.fields: dict[str, tuple[str, Type | None]] = {}
        self.hidden = hidden
        self.open = False
        self.present: frozenset[str] = frozenset()

    def child(self, key: str) -> Type | None:
        field = self.fields.get(key[2:])
        return field[1] if field else CUSTOM

    def named(self, key: str) -> bool:
        return key[2:] in self.fields

    def added(self, value: Any) -> Fields:
        if not value or not isinstance(value, dict):
            return LEAF
        out: Fields = {SELF: LEAF}
        lookup, hidden = self.fields.get, self.hidden
        for name, inner in value.items():
            key, type_ = lookup(name) or (f"f:{name}", CUSTOM)
            if type_ is None:
                out[key] = LEAF
            elif name not in hidden:
                out[key] = type_.added(inner)
        return out

    def owned(self, value: Any) -> Fields:
        if not isinstance(value, dict):
            return LEAF
        out: Fields = {}
        for name, inner in value.items():
            if name in self.hidden:
                continue
            key, type_ = self.fields.get(name) or (f"f:{name}", CUSTOM)
            below = LEAF if type_ is None else type_.owned(inner)
            if below:
                out[key] = below if name in self.fields else with_self(below)
            elif type_ is None or inner is None or inner == {}:
                out[key] = LEAF
        return out

    def compared(self, old: Any, new: Any) -> Compared:
        if not isinstance(old, dict) or not isinstance(new, dict):
            return Compared(whole=old != new)
        out = Compared()
        for name, value in new.items():
            if (name in old and old[name] == value) or name in self.hidden:
                continue
            key, type_ = self.fields.get(name) or (f"f:{name}", CUSTOM)
            before = old.get(name)
            if before is None and name in self.present and type_ is not None:
                before = _empty(value)
            out.note(key, type_, before, value)
        for name, value in old.items():
            if name not in new and name not in self.hidden:
                key, type_ = self.fields.get(name) or (f"f:{name}", CUSTOM)
                after = _empty(value) if name in self.present and type_ is not None else None
                out.note(key, type_, value, after)
        return out


class Keyed:
    """A list of objects that are told apart by ``keys``; a key that an element lacks has a default, or is left out."""

    __slots__ = ("defaults", "item", "keys", "single")

    def __init__(self, keys: Sequence[str], defaults: Mapping[str, Any]) -> None:
        self.keys = tuple(sorted(keys))
        self.defaults = defaults
        self.single = f'k:{{"{keys[0]}":' if len(keys) == 1 else ""
        self.item: Type | None = None

    def child(self, key: str) -> Type | None:
        return self.item

    def named(self, key: str) -> bool:
        return False

    def key(self, element: Any) -> str:
        """An element's key in a set; empty where it has none of its keys."""
        if not isinstance(element, dict):
            return ""
        if self.single:
            value = element.get(self.keys[0])
            return "" if value is None else f"{self.single}{orjson.dumps(value).decode()}}}"
        found = {k: v for k in self.keys if (v := element.get(k, self.defaults.get(k))) is not None}
        return f"k:{orjson.dumps(found).decode()}" if found else ""

    def indexed(self, value: Any) -> dict[str, Any]:
        """Elements by their keys; of several with one key the last."""
        return {key: element for element in value if (key := self.key(element))} if isinstance(value, list) else {}

    def added(self, value: Any) -> Fields:
        item = self.item
        out: Fields = {SELF: LEAF}
        for key, element in self.indexed(value).items():
            out[key] = LEAF if item is None else item.added(element)
        return out if len(out) > 1 else LEAF

    def owned(self, value: Any) -> Fields:
        item = self.item
        return {k: LEAF if item is None else with_self(item.owned(v)) for k, v in self.indexed(value).items()}

    def compared(self, old: Any, new: Any) -> Compared:
        return _pairs(self.indexed(old), self.indexed(new), self.item)


class Members(Keyed):
    """A list that is a set of primitives."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__((), {})

    def key(self, element: Any) -> str:
        return "" if element is None or isinstance(element, dict | list) else f"v:{orjson.dumps(element).decode()}"


Type: TypeAlias = Granular | Struct | Keyed
CUSTOM: Final = Granular()
CUSTOM.item = CUSTOM
"""Data without schema: maps are owned key by key, lists as a whole."""


def _empty(value: Any) -> Any:
    return type(value)() if isinstance(value, dict | list) else None


def _pairs(olds: Mapping[str, Any], news: Mapping[str, Any], item: Type | None) -> Compared:
    out = Compared()
    for key, value in news.items():
        out.note(key, item, olds.get(key), value)
    for key, value in olds.items():
        if key not in news:
            out.note(key, item, value, None)
    return out


def duplicates(type_: Keyed, value: Sequence[Any]) -> Iterator[str]:
    """Keys that more than one element has, each once."""
    seen: dict[str, int] = {}
    for element in value:
        key = type_.key(element)
        seen[key] = seen.get(key, 0) + 1
        if key and seen[key] == 2:
            yield key
