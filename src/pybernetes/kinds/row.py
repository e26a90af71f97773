"""How the row files of the API groups write their rows: ``maker`` knows what all rows of one file have in common.

Rule: a row names only what is its own. Singular, list kind and definition follow from the kind's name.
Neighbours: ``core.py``, ``apps.py`` … (the rows), ``groups.py`` (their order), ``kind.py`` (what a row is).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from pybernetes.kinds.kind import ALL_VERBS, Column, Convert, Kind, Strategy, Subresource, Verb
from pybernetes.meta.objects import Obj

CREATE_ONLY: Final[tuple[Verb, ...]] = ("create",)
"""Reviews and bindings: asked and answered, never stored."""
READ_ONLY: Final[tuple[Verb, ...]] = ("get", "list")
NO_COLLECTION_DELETE: Final[tuple[Verb, ...]] = ("create", "delete", "get", "list", "patch", "update", "watch")

_PLAIN: Final = Strategy(has_generation=False)
_READ_WRITE: Final = ("get", "patch", "update")
SCALE: Final = {"scale": Subresource("Scale", _READ_WRITE, "autoscaling", "v1")}
CONNECT: Final = ("create", "get")
PROXY: Final = ("create", "delete", "get", "patch", "update")


def same(kind: str, *names: str, verbs: tuple[str, ...] = _READ_WRITE) -> dict[str, Subresource]:
    """Subresources that are the object itself under a narrower door: ``status``, ``approval`` …"""
    return {name: Subresource(kind, verbs) for name in names}


def maker(group: str, version: str, package: str) -> Callable[..., Kind]:
    """A function that makes rows of ``group``/``version``, whose schemas are ``<package>.<version>.<Kind>``."""

    def row(
        kind: str,
        plural: str,
        *short_names: str,
        namespaced: bool = True,
        categories: tuple[str, ...] = (),
        status: bool = False,
        subresources: Mapping[str, Subresource] | None = None,
        verbs: tuple[Verb, ...] = ALL_VERBS,
        strategy: Strategy = _PLAIN,
        columns: tuple[Column, ...] = (),
        fields: Mapping[str, Callable[[Obj], str]] | None = None,
        storage_of: str = "",
        convert: Convert | None = None,
    ) -> Kind:
        return Kind(
            group=group, version=version, kind=kind, plural=plural, singular=kind.lower(), namespaced=namespaced,
            definition=f"{package}.{version}.{kind}", list_kind=f"{kind}List", short_names=short_names,
            categories=categories, verbs=verbs,
            subresources={**(same(kind, "status") if status else {}), **(subresources or {})},
            strategy=strategy, columns=columns, fields=fields or {}, storage_of=storage_of, convert=convert,
        )  # fmt: skip

    return row
