"""Who owns the fields of an object: server-side apply, and the tracking of every other write.

Rule 1: who applies owns what they applied, and takes nothing that another owns with another value unless forced.
        What they applied last time and not now is removed, unless somebody else owns it.
Rule 2: who writes otherwise owns what the write changed, and takes it from everybody.
Rule 3: an entry's time is that of the last change by its manager; a write that changes nothing changes no time.
Rule 4: an object whose owners were never told (or were forgotten) stays so until somebody applies to it.
Neighbours: ``meta/fieldschema.py`` compiles kinds, ``meta/managers.py`` reads and writes ``managedFields``,
``meta/lastapplied.py`` lets kubectl move from its annotation to owners.
Source: structured-merge-diff's merge package and apimachinery/pkg/util/managedfields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from pybernetes.meta import errors, fieldmerge, fieldschema, fieldset, lastapplied, managers, objects
from pybernetes.meta.fieldset import Fields
from pybernetes.meta.fieldtypes import Struct
from pybernetes.meta.managers import Manager, Managers, Owned
from pybernetes.meta.objects import Obj
from pybernetes.meta.schema import Schemas

Paths: TypeAlias = Sequence[Sequence[str]]
_KEPT: Final = ("creationTimestamp", "generation", "selfLink")
"""Metadata that nobody can apply to an object that lives."""


def track(
    schemas: Schemas,
    definition: str,
    old: Obj | None,
    new: Obj,
    *,
    manager: str,
    api_version: str,
    subresource: str,
    now: str,
    ignored: Paths = (),
) -> list[Obj]:
    """``metadata.managedFields`` after ``manager`` wrote ``new`` over ``old`` (None: created it); may be empty.

    ``now`` is a ``metav1.Time``. Changes at the paths ``ignored`` (``("status",)`` for a main resource that has a
    status subresource) count for nothing.
    """
    type_ = fieldschema.root(schemas, definition)
    owners = _owners(old, new, subresource)
    if old is not None and not owners:
        return []
    changed, gone = _compared(type_, old or {}, new, ignored)
    if not changed and not gone:
        return managers.encoded(owners)
    who = managers.manager(manager, "Update", api_version, subresource)
    owners = managers.released(owners, fieldset.union(changed, gone)) if owners else {}
    if changed:
        mine = fieldset.union(owners[who].fields, changed) if who in owners else changed
        owners[who] = Owned(mine, api_version, now)
    return managers.encoded(managers.capped(owners))


def apply(
    schemas: Schemas,
    definition: str,
    live: Obj | None,
    applied: Obj,
    *,
    manager: str,
    api_version: str,
    subresource: str,
    force: bool,
    now: str,
    ignored: Paths = (),
) -> Obj:
    """The object after ``manager`` applied ``applied`` to ``live`` (None: it does not exist), with its owners.

    Raises Conflict with a cause per field that another owns, BadRequest where ``applied`` has managedFields, and
    Unexplained where ``applied`` does not fit the schema. ``ignored`` as for ``track``.
    """
    type_ = fieldschema.root(schemas, definition)
    _check(type_, applied)
    who = managers.manager(manager, "Apply", api_version, subresource)
    before = live or {}
    owners = _first_owners(type_, live, api_version, now)
    mine = _cut(type_.owned(applied), ignored)
    last = owners.get(who)
    claims = {**owners, who: Owned(mine, api_version, last.time if last else "")}
    after = _pruned(type_, fieldmerge.merged(type_, before, applied), last, claims)
    changed, gone = _compared(type_, before, after, ignored)
    if not force:
        conflicts = _conflicts(owners, who, changed)
        if conflicts and manager == lastapplied.MANAGER:
            conflicts = _unallowed(conflicts, lastapplied.allowed(type_, before, api_version))
        if conflicts:
            raise _conflict(conflicts)
    claims = managers.released(claims, fieldset.union(changed, gone), but=who)
    if changed or gone or last is None or last.fields != mine:
        claims[who] = Owned(mine, api_version, now)
    return _finished(before, after, applied, claims, manager)


def _check(type_: Struct, applied: Obj) -> None:
    if objects.meta(applied).get("managedFields") is not None:
        raise errors.BadRequest("metadata.managedFields must be nil")
    faults = list(fieldmerge.faults(type_, applied))
    if faults:
        group_version, kind = str(applied.get("apiVersion", "")), applied.get("kind", "")
        gvk = f"{group_version if '/' in group_version else '/' + group_version}, Kind={kind}"
        told = faults[0] if len(faults) == 1 else "\n  ".join(("errors:", *faults))
        raise errors.Unexplained(
            f"failed to create typed patch object ({objects.namespace(applied)}/{objects.name(applied)}; {gvk}): {told}"
        )


# ── owners ───────────────────────────────────────────────────────────────────────────────────────────────


def _owners(old: Obj | None, new: Obj, subresource: str) -> Managers:
    """Owners before a write: those that the client sent where it may and did, else those of the old object."""
    stored = objects.meta(old).get("managedFields") if old else None
    given = objects.meta(new).get("managedFields")
    if given is not None and given is not stored and not subresource:
        if managers.is_reset(given):
            return {}
        if given != stored and (sent := managers.decoded(given)):
            return sent
    return managers.decoded(stored, trusted=True) or {}


def _first_owners(type_: Struct, live: Obj | None, api_version: str, now: str) -> Managers:
    """Owners of the live object; where none were told, everything was there before the first apply."""
    if live is None:
        return {}
    owners = managers.decoded(objects.meta(live).get("managedFields"), trusted=True)
    if owners:
        return owners
    there = type_.compared({}, live).changed
    return {Manager(managers.BEFORE_APPLY, "Update", api_version, ""): Owned(there, api_version, now)} if there else {}


def _compared(type_: Struct, old: Obj, new: Obj, ignored: Paths) -> tuple[Fields, Fields]:
    """The fields that are new or changed, and those that are gone."""
    found = type_.compared(old, new)
    return _cut(found.changed, ignored), _cut(found.gone, ignored)


def _cut(fields: Fields, ignored: Paths) -> Fields:
    for path in ignored:
        fields = fieldset.without(fields, path)
    return fields


# ── what an apply gives up ───────────────────────────────────────────────────────────────────────────────


def _pruned(type_: Struct, merged: Obj, last: Owned | None, claims: Managers) -> Obj:
    """``merged`` without what was applied last time, is not applied now, and nobody owns.

    Three sweeps, as upstream: remove all that was applied last; then take back what somebody claims, with what holds
    it; then take back whatever went along and was not applied last.
    """
    if last is None or not fieldset.difference(last.fields, managers.all_fields(list(claims.values()))):
        return merged
    whole = _named(type_, merged)
    previous = fieldmerge.named(type_, last.fields)
    claimed = fieldmerge.named(type_, managers.all_fields(list(claims.values())))
    left = _named(type_, _removed(type_, merged, previous))
    kept = _removed(type_, merged, fieldset.difference(whole, fieldset.union(left, claimed)))
    gone = fieldset.intersection(fieldset.difference(whole, _named(type_, kept)), previous)
    return _removed(type_, merged, gone)


def _named(type_: Struct, obj: Obj) -> Fields:
    return fieldmerge.named(type_, type_.owned(obj))


def _removed(type_: Struct, obj: Obj, gone: Fields) -> Obj:
    return fieldmerge.removed(type_, obj, gone) or {}


# ── conflicts ────────────────────────────────────────────────────────────────────────────────────────────


def _conflicts(owners: Managers, who: Manager, changed: Fields) -> dict[Manager, Fields]:
    """What others own of the fields that an apply would change."""
    found = {other: fieldset.intersection(owned.fields, changed) for other, owned in owners.items() if other != who}
    return {other: fields for other, fields in found.items() if fields}


def _unallowed(conflicts: Mapping[Manager, Fields], allowed: Fields) -> dict[Manager, Fields]:
    rest = {other: fieldset.difference(fields, allowed) for other, fields in conflicts.items()}
    return {other: fields for other, fields in rest.items() if fields}


def _conflict(conflicts: Mapping[Manager, Fields]) -> errors.Conflict:
    told = sorted((str(who), [fieldset.text(p) for p in fieldset.paths(f)]) for who, f in conflicts.items())
    causes = [
        errors.Cause("FieldManagerConflict", f"conflict with {who}", path) for who, paths in told for path in paths
    ]
    if len(causes) == 1:
        who, (path,) = told[0]
        return errors.Conflict(f"Apply failed with 1 conflict: conflict with {who}: {path}", causes=causes)
    lines = [line for who, paths in told for line in (f"conflicts with {who}:", *(f"- {path}" for path in paths))]
    return errors.Conflict(f"Apply failed with {len(causes)} conflicts: " + "\n".join(lines), causes=causes)


# ── the answer ───────────────────────────────────────────────────────────────────────────────────────────


def _finished(before: Obj, after: Obj, applied: Obj, claims: Managers, manager: str) -> Obj:
    """The new object with its owners; what the server keeps in metadata comes from the live object."""
    lives = objects.meta(before)
    metadata = dict(objects.meta(after))
    metadata.update((key, lives[key]) for key in _KEPT if key in lives)
    metadata.pop("managedFields", None)
    entries = managers.encoded(claims)
    if entries:
        metadata["managedFields"] = entries
    finished = {**after, "metadata": metadata}
    return lastapplied.renewed(finished, applied) if manager == lastapplied.MANAGER else finished
