"""What becomes of a volume whose claim is gone: it is kept, deleted or scrubbed, as its policy says. Pure.

Rule 1: it is Released, and stays so until somebody clears its ``claimRef``, for the data are still the old claim's.
Rule 2: Delete is the job of who made it (``provisioner.py``, a CSI driver); one that nobody made for a claim
        can be deleted by nobody here, and neither can one be scrubbed: both fail in upstream's words.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pybernetes.control.actions import Action
from pybernetes.controllers.volumes import actions
from pybernetes.controllers.volumes.actions import tell
from pybernetes.meta import objects, volumes
from pybernetes.meta.objects import Obj

_FAILURES: Final = {
    "Delete": (
        "VolumeFailedDelete",
        'error getting deleter volume plugin for volume "{}": no deletable volume plugin matched',
    ),
    "Recycle": ("VolumeFailedRecycle", "No recycler plugin found for the volume!"),
}


def policy(volume: Obj) -> str:
    return str(objects.get(volume, "spec", "persistentVolumeReclaimPolicy", default="Retain"))


def ask(volume: Obj, now: str) -> Iterable[Action]:
    """The volume's claim is gone."""
    failure = _FAILURES.get(policy(volume))
    if failure is None or volumes.PROVISIONED_BY in objects.annotations(volume):
        if volumes.phase(volume) != "Failed":
            yield from actions.volume_phase(volume, "Released", now)
        return
    if volumes.phase(volume) != "Failed":
        reason, text = failure[0], failure[1].format(objects.name(volume))
        yield from actions.volume_phase(volume, "Failed", now, text, reason)
        yield tell(volume, reason, text, warning=True)
