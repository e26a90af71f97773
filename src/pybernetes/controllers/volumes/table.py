"""The rows of storage, for ``controllers/table.py``."""

from __future__ import annotations

from typing import Final

from pybernetes.control.controller import Controller
from pybernetes.controllers.volumes import attachdetach, binder, ephemeral, expansion, protection, provisioner

CONTROLLERS: Final[tuple[Controller, ...]] = (
    binder.CONTROLLER,
    provisioner.CONTROLLER,
    expansion.CONTROLLER,
    protection.CLAIMS,
    protection.VOLUMES,
    ephemeral.CONTROLLER,
    attachdetach.CONTROLLER,
)
