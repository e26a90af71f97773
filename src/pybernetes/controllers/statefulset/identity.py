"""The identity of a StatefulSet's pod: its name with an ordinal, its host name, its labels and its claims' names."""

from __future__ import annotations

import re
from typing import Final

from pybernetes.controllers import podtemplate
from pybernetes.controllers.history import HASH
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

POD_NAME: Final = "statefulset.kubernetes.io/pod-name"
POD_INDEX: Final = "apps.kubernetes.io/pod-index"
_NAME: Final = re.compile(r"(.*)-([0-9]+)")


def name(owner: Obj, ordinal: int) -> str:
    return f"{objects.name(owner)}-{ordinal}"


def parent(pod: Obj) -> str:
    """The name of the StatefulSet to which the pod's name belongs; empty where it has no ordinal."""
    found = _NAME.fullmatch(objects.name(pod))
    return found.group(1) if found else ""


def ordinal(pod: Obj) -> int:
    """The number at the end of the pod's name; -1 without one."""
    found = _NAME.fullmatch(objects.name(pod))
    return int(found.group(2)) if found else -1


def labels(owner: Obj, ordinal: int) -> dict[str, str]:
    """Those by which a pod tells who it is."""
    return {POD_NAME: name(owner, ordinal), POD_INDEX: str(ordinal)}


def pod(owner: Obj, template: Obj, revision: str, ordinal: int) -> Obj:
    """The pod of an ordinal."""
    made = podtemplate.pod(owner, template)
    metadata, spec = made["metadata"], made["spec"]
    metadata["name"] = name(owner, ordinal)
    metadata["labels"] = {**objects.labels(made), **labels(owner, ordinal), HASH: revision}
    spec["hostname"] = metadata["name"]
    if service := owner["spec"].get("serviceName"):
        spec["subdomain"] = service
    if volumes := _volumes(owner, ordinal, spec):
        spec["volumes"] = volumes
    return made


def _volumes(owner: Obj, ordinal: int, spec: Obj) -> list[Obj]:
    """A volume for each claim; it takes the place of one that the template calls the same."""
    own = {
        objects.name(template): {
            "name": objects.name(template),
            "persistentVolumeClaim": {"claimName": claim_name(owner, template, ordinal)},
        }
        for template in owner["spec"].get("volumeClaimTemplates") or ()
    }
    return [*own.values(), *(volume for volume in spec.get("volumes") or () if volume.get("name") not in own)]


def claim_name(owner: Obj, template: Obj, ordinal: int) -> str:
    return f"{objects.name(template)}-{name(owner, ordinal)}"
