"""A ResourceQuota's status says what holds and what is used (pkg/controller/resourcequota).

Rule: every change of an object that a quota counts wakes that quota, and a quota whose numbers stay writes nothing.
Admission counts for itself (``server/admission/quotaledger.py``); both count by ``kinds/quota``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from pybernetes.control.actions import After, Plan, Update
from pybernetes.control.controller import Controller, Input, Key, KeysOf, Output, Snapshot, own_key
from pybernetes.controllers import keys
from pybernetes.kinds.quota import amounts, evaluator, pods, table
from pybernetes.kinds.quota.evaluator import Evaluator
from pybernetes.kinds.table import KindTable
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

_QUOTAS: Final = "resourcequotas"
_NEEDED: Final = frozenset(("list", "watch", "delete"))


def controller(kinds: KindTable) -> Controller:
    """The row over what ``kinds`` holds now, and over what comes and goes later."""
    rows = counted(kinds)
    always = frozenset(rows)

    def more() -> Sequence[Input]:
        rows.clear()
        rows.update(counted(kinds))
        return [_input(resource, row) for resource, row in rows.items() if resource not in always]

    def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
        quota = snapshot.get(_QUOTAS, key.namespace, key.name)
        if quota is None or objects.is_deleting(quota):
            return ()
        return [*_told(quota, status(snapshot, rows, quota, now)), *_again(snapshot, rows, quota, now)]

    return Controller(
        name="resourcequota-controller",
        inputs=(
            Input(_QUOTAS, _of_quota(rows[_QUOTAS])),
            *(_input(resource, row) for resource, row in rows.items() if resource != _QUOTAS),
        ),
        more=more,
        outputs=(Output("resourcequotas/status", ("update",)), Output("*.*", ("list", "watch"))),
        plan=plan,
        workers=5,
    )


def counted(kinds: KindTable) -> dict[str, Evaluator]:
    """Resource → evaluator, of all that quotas can count."""
    found: dict[str, Evaluator] = {}
    for kind in kinds:
        row = table.evaluator(kind.group, kind.plural)
        if row is not None and kind.namespaced and not kind.storage_of and set(kind.verbs) >= _NEEDED:
            found[kind.resource] = row
    return found


def status(snapshot: Snapshot, rows: Mapping[str, Evaluator], quota: Obj, now: float) -> Obj:
    """The status that the quota should have."""
    hard, used = evaluator.hard(quota), dict[str, str]()
    for resource, row in rows.items():
        if row.concerns(quota):
            found = snapshot.list(resource, objects.namespace(quota))
            used |= amounts.rendered(evaluator.used(quota, row, found, now))
    return {"hard": hard, "used": {name: used[name] for name in hard if name in used}}


def _told(quota: Obj, wanted: Obj) -> Sequence[Update]:
    told = quota.get("status") or {}
    if all((told.get(key) or {}) == wanted[key] for key in wanted):
        return ()
    return [Update(_QUOTAS, {**quota, "status": {**told, **wanted}}, "status")]


def _again(snapshot: Snapshot, rows: Mapping[str, Evaluator], quota: Obj, now: float) -> Sequence[After]:
    """Look again when the next pod stops to count without telling so."""
    if not pods.EVALUATOR.concerns(quota) or pods.EVALUATOR.plural not in rows:
        return ()
    found = snapshot.list(pods.EVALUATOR.plural, objects.namespace(quota))
    ends = [at for pod in found if (at := pods.ends_at(pod)) is not None and at >= now]
    return [After(min(ends) - now + 0.01)] if ends else ()


# ── whom a change wakes ──────────────────────────────────────────────────────────────────────────────────


def _input(resource: str, row: Evaluator) -> Input:
    """Of what counts by number nothing but its coming and going matters."""
    is_plain = row not in table.OWN.values()
    return Input(resource, _of_object(row, comes_and_goes=is_plain), metadata_only=is_plain)


def _of_object(row: Evaluator, *, comes_and_goes: bool) -> KeysOf:
    def keys_of(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
        if comes_and_goes and old is not None and new is not None:
            return ()
        namespace = objects.namespace(new or old or {})
        return [keys.of(quota) for quota in snapshot.list(_QUOTAS, namespace) if row.concerns(quota)]

    return keys_of


def _of_quota(row: Evaluator) -> KeysOf:
    """A quota wakes itself, and those that count quotas."""
    others = _of_object(row, comes_and_goes=True)

    def keys_of(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
        return dict.fromkeys([*own_key(snapshot, old, new), *others(snapshot, old, new)])

    return keys_of
