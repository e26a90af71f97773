"""ResourceQuota: no write takes more of a namespace's quotas than is left. It goes last, since it counts what all
others have made of the object.

Source: apiserver/pkg/admission/plugin/resourcequota. Rule: only growth is refused, so what is too much already may
shrink. Neighbours: ``quotaledger.py`` knows what is used, ``kinds/quota`` what counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pybernetes.kinds.quota import amounts, evaluator, table
from pybernetes.kinds.quota.amounts import Amounts
from pybernetes.kinds.quota.evaluator import Evaluator
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.server.admission.attributes import Attributes, forbidden
from pybernetes.server.admission.plugin import Plugin, World
from pybernetes.server.admission.quotaledger import Tally
from pybernetes.storage import codec


async def validate(world: World, a: Attributes) -> None:
    """Raises Forbidden; holds what the write takes until it has ended."""
    if not a.namespace or a.obj is None or not (quotas := (await world.quotas.current()).get(a.namespace)):
        return
    row = table.evaluator(a.kind.group, a.kind.plural)
    if row is None or (a.verb, a.subresource) not in row.doors:
        return
    taken = await _taken(world, a, row, [quota for quota in quotas if row.matches(quota, a.obj)])
    if not a.dry_run:
        key = codec.key(a.kind.group, a.kind.plural, a.namespace, a.name)
        a.held += [tally.hold(key, asked) for tally, asked in taken]


async def _taken(world: World, a: Attributes, row: Evaluator, quotas: Sequence[Obj]) -> list[tuple[Tally, Amounts]]:
    """What the write takes of each quota that counts the object. Raises Forbidden."""
    assert a.obj is not None
    for quota in quotas:
        if why := row.lacking(filter(row.covers, evaluator.hard(quota)), a.obj):
            raise forbidden(a, f"failed quota: {objects.name(quota)}: {why}")
    if not quotas:
        return []
    now = world.clock.time()
    usage = row.usage(a.obj, now)
    if negative := sorted(name for name, value in usage.items() if value.number < 0):
        raise forbidden(a, f"quota usage is negative for resource(s): {','.join(negative)}")
    taken: list[tuple[Tally, Amounts]] = []
    for quota in quotas:
        before = row.usage(a.old, now) if a.old is not None and row.matches(quota, a.old) else amounts.NOTHING
        asked = amounts.growth(amounts.mask(usage, evaluator.hard(quota)), before)
        if asked:
            tally = world.ledger.tally(quota, row)
            _check(a, quota, asked, await tally.used())
            taken.append((tally, asked))
    return taken


def _check(a: Attributes, quota: Obj, asked: Amounts, used: Amounts) -> None:
    hard = amounts.parse(evaluator.hard(quota))
    over = amounts.exceeded(amounts.mask(amounts.add(used, asked), asked), hard)
    if over:
        requested, so_far, most = (amounts.told(amounts.mask(found, over)) for found in (asked, used, hard))
        told = f"requested: {requested}, used: {so_far}, limited: {most}"
        raise forbidden(a, f"exceeded quota: {objects.name(quota)}, {told}")


PLUGIN: Final = Plugin(name="ResourceQuota", verbs=("create", "update"), subresources=None, validate=validate)
