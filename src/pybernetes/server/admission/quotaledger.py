"""How much of every quota is used right now, writes under way included: what makes ResourceQuota exact.

Theory of operation. For each quota and each resource that is written under it there is a tally: it follows the
resource in the namespace and sums up what each object uses. A write that admission lets pass is held on the tally
until the store has told of the object, or the write has failed; between a look at a tally and the hold nobody comes in
between. So of two creations at once the second sees the first, and what the controller writes into a quota's status,
which comes a moment later, decides nothing.
Upstream's servers meet at the quota's status instead, by a write beside every write; servers that share one store
would have to do that too.
Neighbours: ``resourcequota.py`` asks; ``kinds/quota`` knows what counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from pybernetes.kinds.quota import amounts, evaluator, pods
from pybernetes.kinds.quota.amounts import Amounts
from pybernetes.kinds.quota.evaluator import Evaluator
from pybernetes.lib.clock import Clock
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.server.compiled import Following
from pybernetes.storage import codec
from pybernetes.storage.watchcache import WatchCache


class Tally:
    """The use that the objects of one resource make of one quota."""

    def __init__(self, cache: WatchCache, clock: Clock, quota: Obj, row: Evaluator) -> None:
        self.quota, self._row, self._clock = quota, row, clock
        self._names = [name for name in evaluator.hard(quota) if row.covers(name)]
        self._by_key: dict[str, Amounts] = {}
        self._held: dict[str, list[Amounts]] = {}
        self._ending: dict[str, tuple[float, Amounts]] = {}
        """Pods that count only until a certain time, and what they count for afterwards."""
        self._total: Amounts = amounts.NOTHING
        prefix = codec.prefix(row.group, row.plural, objects.namespace(quota))
        self._following = Following(cache, prefix, self._begin, self._put)

    async def used(self) -> Amounts:
        """What is used now, in the names that the quota counts; returns without waiting."""
        if not self._following.is_current:
            await self._following.take_in()
        now = self._clock.time()
        for key, (until, after) in tuple(self._ending.items()):
            if now > until:
                self._replace(key, after)
        total = self._total
        for held in self._held.values():
            for more in held:
                total = amounts.add(total, more)
        return amounts.add(dict.fromkeys(self._names, amounts.ZERO), total)

    def hold(self, key: str, more: Amounts) -> Callable[[], None]:
        """Count ``more`` until the object under ``key`` is seen, or until what is answered is called."""
        self._held.setdefault(key, []).append(more)
        return partial(self._let_go, key, more)

    def close(self) -> None:
        self._following.close()

    def _let_go(self, key: str, more: Amounts) -> None:
        held = [other for other in self._held.get(key, ()) if other is not more]
        if held:
            self._held[key] = held
        else:
            self._held.pop(key, None)

    def _begin(self) -> None:
        self._by_key, self._ending, self._total = {}, {}, amounts.NOTHING

    def _put(self, key: str, value: bytes | None, revision: int) -> None:
        self._held.pop(key, None)
        obj = None if value is None else codec.decode(value, revision)
        counted = obj is not None and self._row.matches(self.quota, obj)
        self._replace(key, self._use(obj, self._clock.time()) if obj is not None and counted else amounts.NOTHING)
        ends = pods.ends_at(obj) if obj is not None and counted and self._row is pods.EVALUATOR else None
        if obj is not None and ends is not None:
            self._ending[key] = ends, self._use(obj, float("inf"))

    def _use(self, obj: Obj, now: float) -> Amounts:
        return amounts.mask(self._row.usage(obj, now), self._names)

    def _replace(self, key: str, use: Amounts) -> None:
        self._ending.pop(key, None)
        before = self._by_key.pop(key, amounts.NOTHING)
        self._total = amounts.add(amounts.subtract(self._total, before), use)
        if use:
            self._by_key[key] = use


class Ledger:
    """The tallies of all quotas, each made when first asked for."""

    def __init__(self, cache: WatchCache, clock: Clock) -> None:
        self._cache, self._clock = cache, clock
        self._tallies: dict[tuple[str, str], Tally] = {}
        """(uid of the quota, resource) → tally."""

    def settle(self, quotas: Sequence[Obj]) -> None:
        """Forget the tallies of quotas that are gone or count something else now; ``quotas`` are all there are."""
        specs = {objects.uid(quota): quota.get("spec") for quota in quotas}
        for key, tally in tuple(self._tallies.items()):
            if key[0] not in specs or specs[key[0]] != tally.quota.get("spec"):
                self._tallies.pop(key).close()

    def tally(self, quota: Obj, row: Evaluator) -> Tally:
        key = objects.uid(quota), f"{row.plural}.{row.group}"
        found = self._tallies.get(key)
        if found is None:
            found = self._tallies[key] = Tally(self._cache, self._clock, quota, row)
        return found
