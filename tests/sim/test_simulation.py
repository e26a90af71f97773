"""Whole clusters under many seeds. Seeds that ever failed are in ``seeds.txt`` and are run first.

``PYBERNETES_SIM_SEEDS=20000`` runs more of them, ``PYBERNETES_SIM_FIRST=700`` begins elsewhere.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .simulation import Simulation

FAILED = [int(line) for line in Path(__file__).with_name("seeds.txt").read_text().split("\n") if line.strip().isdigit()]
FIRST = int(os.environ.get("PYBERNETES_SIM_FIRST", "1"))
COUNT = int(os.environ.get("PYBERNETES_SIM_SEEDS", "100"))


@pytest.mark.parametrize("seed", [*FAILED, *range(FIRST, FIRST + COUNT)])
async def test_a_cluster_keeps_its_promises(seed: int) -> None:
    await Simulation(seed).run()
