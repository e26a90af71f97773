"""What the work beside a driver is done with; see ``sidecars.py``."""

from __future__ import annotations

from typing import NamedTuple

from pybernetes.client.client import Client
from pybernetes.control.actions import Event
from pybernetes.control.events import Recorder
from pybernetes.control.runner import Manager
from pybernetes.lib.clock import Clock
from pybernetes.meta.objects import Obj
from pybernetes.node.csi.driver import Driver


class Desk(NamedTuple):
    driver: Driver
    client: Client
    manager: Manager
    recorder: Recorder
    clock: Clock

    def say(self, obj: Obj, reason: str, message: str, *, warning: bool = False) -> None:
        """Tell an event about an object."""
        self.recorder.emit(Event(obj, "Warning" if warning else "Normal", reason, message))
