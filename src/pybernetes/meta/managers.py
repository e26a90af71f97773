"""Who owns which fields: ``metadata.managedFields`` read, kept by manager, and written.

Rule 1: a manager is (name, operation, apiVersion, subresource); one who applies is the same in every apiVersion.
Rule 2: at most ten who update are told apart; the oldest beyond that become ``ancient-changes``.
Rule 3: entries are written in upstream's order: by operation, time, name, apiVersion, subresource.
Neighbours: ``meta/fieldset.py`` has the sets, ``meta/apply.py`` decides who gains and loses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from pybernetes.meta import fieldset
from pybernetes.meta.fieldset import Fields
from pybernetes.meta.objects import Obj

Operation: TypeAlias = Literal["Apply", "Update"]
MAX_UPDATERS: Final = 10
ANCIENT: Final = "ancient-changes"
BEFORE_APPLY: Final = "before-first-apply"


class Manager(NamedTuple):
    """Who: ``api_version`` is empty for one who applies."""

    name: str
    operation: Operation
    api_version: str
    subresource: str

    def __str__(self) -> str:
        """As conflicts name it: ``"kubectl-edit" using apps/v1``."""
        shown = f'"{self.name}"' + (f' with subresource "{self.subresource}"' if self.subresource else "")
        return f"{shown} using {self.api_version}" if self.operation == "Update" else shown


@dataclass(frozen=True, slots=True)
class Owned:
    """What a manager owns, in which apiVersion, and since when (``metav1.Time``, or empty)."""

    fields: Fields
    api_version: str
    time: str


Managers: TypeAlias = dict[Manager, Owned]


def manager(name: str, operation: Operation, api_version: str, subresource: str) -> Manager:
    return Manager(name or "unknown", operation, "" if operation == "Apply" else api_version, subresource)


def decoded(entries: Any, *, trusted: bool = False) -> Managers | None:
    """Managers of ``metadata.managedFields``; None where an entry is not as it must be.

    What was stored is trusted, what a client sent is looked at.
    """
    if not isinstance(entries, list):
        return None if entries is not None else {}
    out: Managers = {}
    for entry in entries:
        if not trusted and not _is_valid(entry):
            return None
        version = entry["apiVersion"]
        who = manager(entry.get("manager", ""), entry["operation"], version, entry.get("subresource", ""))
        out[who] = Owned(entry.get("fieldsV1") or {}, version, entry.get("time") or "")
    return out


def _is_valid(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and entry.get("operation") in ("Apply", "Update")
        and bool(entry.get("apiVersion"))
        and entry.get("fieldsType") == "FieldsV1"
        and fieldset.is_valid(entry.get("fieldsV1") or {})
    )


def is_reset(entries: Any) -> bool:
    """Does a client ask to forget all owners: by an empty list, or a list of one empty entry?"""
    return isinstance(entries, list) and (not entries or entries == [{}])


def encoded(managers: Mapping[Manager, Owned]) -> list[Obj]:
    """``metadata.managedFields``; managers without fields are left out."""
    entries = [entry(who, owned) for who, owned in managers.items() if owned.fields]
    return sorted(entries, key=_rank) if len(entries) > 1 else entries


def entry(who: Manager, owned: Owned) -> Obj:
    """One entry of ``metadata.managedFields``."""
    out: Obj = {
        "manager": who.name,
        "operation": who.operation,
        "apiVersion": owned.api_version,
        "time": owned.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": owned.fields,
    }
    if not owned.time:
        del out["time"]
    if who.subresource:
        out["subresource"] = who.subresource
    return out


def _rank(entry: Obj) -> tuple[str, ...]:
    return (
        entry["operation"],
        entry.get("time", ""),
        entry["manager"],
        entry["apiVersion"],
        entry.get("subresource", ""),
    )


def released(managers: Mapping[Manager, Owned], fields: Fields, *, but: Manager | None = None) -> Managers:
    """Managers after everyone but one gave up ``fields``."""
    out: Managers = {}
    for who, owned in managers.items():
        left = owned.fields if who == but else fieldset.difference(owned.fields, fields)
        if left is owned.fields or left == owned.fields:
            out[who] = owned
        elif left:
            out[who] = replace(owned, fields=left)
    return out


def capped(managers: Managers) -> Managers:
    """At most ``MAX_UPDATERS`` who update: the oldest of one apiVersion go together."""
    updaters = [who for who in managers if who.operation == "Update"]
    excess = len(updaters) - MAX_UPDATERS
    if excess <= 0:
        return managers
    out = dict(managers)
    first: dict[str, Manager] = {}
    for who in sorted(updaters, key=lambda who: (managers[who].time, who)):
        if excess <= 0:
            break
        if who.api_version in first:
            _bury(out, first[who.api_version], who)
            excess -= 1
        else:
            first[who.api_version] = who
    return out


def _bury(managers: Managers, first: Manager, who: Manager) -> None:
    """Put ``who`` among the ancient changes, where the first of its apiVersion goes along."""
    bucket = Manager(ANCIENT, "Update", who.api_version, "")
    if bucket not in managers:
        managers[bucket] = managers.pop(first)
    if who != bucket:
        owned = managers.pop(who)
        managers[bucket] = replace(owned, fields=fieldset.union(owned.fields, managers[bucket].fields))


def all_fields(owned: Sequence[Owned]) -> Fields:
    """Everything that somebody owns."""
    out: Fields = {}
    for one in owned:
        out = fieldset.union(out, one.fields)
    return out
