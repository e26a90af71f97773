"""Keeps one nftables table as it should be: what differs goes to the kernel, and everything after a refusal.

Rule: at the start and after a refusal the whole table is put in place of whatever is there; a refusal is followed by a
pause that grows. The rules outlive this process, so traffic goes on while it restarts.
Neighbours: ``ruleset.py`` says what differs, ``nft.py`` performs; the loops of ``proxy`` and ``policy`` own one each.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from pybernetes.lib.clock import Clock
from pybernetes.network.nft import Nft, NftError
from pybernetes.network.ruleset import Fragment, Table

_log = logging.getLogger(__name__)
RETRY_SECONDS_FIRST: Final = 1.0
RETRY_SECONDS_MAX: Final = 30.0


class Keeper:
    """``what`` names the rules in the log; ``again`` is called when a refused state may be tried again."""

    def __init__(self, what: str, table: Table, clock: Clock, nft: Nft, again: Callable[[], object]) -> None:
        self._what, self._table, self._clock, self._nft, self._again = what, table, clock, nft, again
        self._applied: Fragment | None = None
        self._retry_seconds = RETRY_SECONDS_FIRST

    async def apply(self, rules: Fragment) -> bool:
        """Bring the kernel to ``rules``; False where it refused, and nothing has changed."""
        known = self._applied
        script = self._table.whole(rules) if known is None else self._table.difference(known, rules)
        try:
            if script:
                await self._nft.run(script)
        except NftError as error:
            self._failed(error)
            return False
        self._applied, self._retry_seconds = rules, RETRY_SECONDS_FIRST
        return True

    def _failed(self, error: NftError) -> None:
        _log.warning("%s are behind, trying again in %g s: %s", self._what, self._retry_seconds, error)
        self._applied = None
        self._clock.call_later(self._retry_seconds, self._again)
        self._retry_seconds = min(self._retry_seconds * 2, RETRY_SECONDS_MAX)
