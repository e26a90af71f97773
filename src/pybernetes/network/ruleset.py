"""A table of nftables: its fixed text and the parts that change, whole or as the change between two states. Pure.

Rule: whoever keeps a table makes a ``Fragment`` for each thing that it follows; ``compose`` joins them and
``Table.difference`` tells the kernel only what changed, in an order in which nothing names what does not exist.
Neighbours: ``keeper.py`` applies it; ``proxy/render.py`` and ``policy/render.py`` make fragments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

Element: TypeAlias = tuple[str, str]
"""(map or set, key)."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """What one thing needs. An element's value is a verdict, or empty for an element of a set."""

    chains: Mapping[str, Sequence[str]] = field(default_factory=dict)
    sets: Mapping[str, str] = field(default_factory=dict)
    elements: Mapping[Element, str] = field(default_factory=dict)


NOTHING: Final = Fragment()


def compose(fragments: Mapping[Any, Fragment]) -> Fragment:
    """All fragments as one; an element that two claim belongs to the first in order of keys."""
    chains: dict[str, Sequence[str]] = {}
    sets: dict[str, str] = {}
    elements: dict[Element, str] = {}
    for key in sorted(fragments, reverse=True):
        part = fragments[key]
        chains.update(part.chains)
        sets.update(part.sets)
        elements.update(part.elements)
    return Fragment(chains, sets, elements)


@dataclass(frozen=True, slots=True)
class Table:
    """One table of family ip. ``fixed``: its maps, sets and chains that never change."""

    name: str
    fixed: str

    def whole(self, rules: Fragment) -> str:
        """A script that puts the whole table in place of whatever is there, in one transaction."""
        return f"{self.removal()}table ip {self.name} {{\n{self.fixed}}}\n{self.difference(NOTHING, rules)}"

    def removal(self) -> str:
        """A script that leaves no table, whether there is one or not."""
        return f"add table ip {self.name}\ndelete table ip {self.name}\n"

    def difference(self, old: Fragment, new: Fragment) -> str:
        """A script from ``old`` to ``new``; empty where they are the same.

        Order matters inside the transaction: an element must not name a chain that does not exist yet or any more.
        """
        gone_chains = [name for name in old.chains if name not in new.chains]
        gone_sets = [name for name in old.sets if name not in new.sets]
        changed = [name for name, rules in new.chains.items() if old.chains.get(name) != rules]
        lines = [
            *self._elements("delete", {e: "" for e, v in old.elements.items() if new.elements.get(e) != v}),
            *(f"flush chain {self} {name}" for name in (*gone_chains, *changed) if name in old.chains),
            *(f"delete chain {self} {name}" for name in gone_chains),
            *(f"delete set {self} {name}" for name in gone_sets),
            *(f"add set {self} {n} {{ {spec}; }}" for n, spec in new.sets.items() if n not in old.sets),
            *(f"add chain {self} {name}" for name in changed if name not in old.chains),
            *(f"add rule {self} {name} {rule}" for name in changed for rule in new.chains[name]),
            *self._elements("add", {e: v for e, v in new.elements.items() if old.elements.get(e) != v}),
        ]
        return "".join(f"{line}\n" for line in lines)

    def _elements(self, verb: str, elements: Mapping[Element, str]) -> Iterator[str]:
        by_map: dict[str, list[str]] = {}
        for (name, key), value in elements.items():
            by_map.setdefault(name, []).append(f"{key} : {value}" if value else key)
        for name, items in sorted(by_map.items()):
            yield f"{verb} element {self} {name} {{ {', '.join(items)} }}"

    def __str__(self) -> str:
        return f"ip {self.name}"
