"""Whole clusters under many seeds. Seeds that ever failed are in ``seeds.txt`` and are run first.

``PYBERNETES_SIM_SEEDS=20000`` runs more of them, ``PYBERNETES_SIM_FIRST=700`` begins elsewhere.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .simulation import Simulation

SEEDS = Path(__file__).with_name("seeds.txt")
FAILED = [int(line) for line in SEEDS.read_text().splitlines() if line.strip().isdigit()]
FIRST = int(os.environ.get("PYBERNETES_SIM_FIRST", "1"))
COUNT = int(os.environ.get("PYBERNETES_SIM_SEEDS", "100"))


@pytest.mark.parametrize("seed", [*FAILED, *range(FIRST, FIRST + COUNT)])
async def test_a_cluster_keeps_its_promises(seed: int) -> None:
    try:
        await Simulation(seed).run()
    except Exception as error:
        error.add_note(f"add {seed} to {SEEDS}, so that it is run for ever")
        raise
