"""Claims for generic ephemeral volumes: ``<pod>-<volume>``, owned by the pod, so that they end with it. Pure.

Rule: a claim of that name which somebody else has made is never used (pkg/controller/volume/ephemeral).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pybernetes.control.actions import Create, Plan
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot
from pybernetes.controllers import keys, pods
from pybernetes.meta import objects, volumes
from pybernetes.meta.objects import Obj


def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
    """``key`` names a pod."""
    pod = snapshot.get("pods", key.namespace, key.name)
    if pod is None or not pods.is_active(pod):
        return ()
    return [
        Create(volumes.CLAIMS, claim(pod, volume), ok_if_exists=True)
        for volume in _ephemeral(pod)
        if snapshot.get(volumes.CLAIMS, key.namespace, f"{key.name}-{volume['name']}") is None
    ]


def _ephemeral(pod: Obj) -> list[Obj]:
    return [v for v in objects.get(pod, "spec", "volumes", default=()) if "ephemeral" in v]


def claim(pod: Obj, volume: Obj) -> Obj:
    template = volume["ephemeral"]["volumeClaimTemplate"]
    owner = objects.owner_reference({**pod, "apiVersion": "v1", "kind": "Pod"})
    name = f"{objects.name(pod)}-{volume['name']}"
    metadata: Obj = {"name": name, "namespace": objects.namespace(pod), "ownerReferences": [owner]}
    metadata |= {k: v for k, v in objects.meta(template).items() if k in ("labels", "annotations") and v}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata,
        "spec": template.get("spec") or {},
    }


def _of_pod(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    return (keys.of(new),) if new is not None and _ephemeral(new) else ()


def _of_claim(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    """A claim that goes is made again for a pod that still lives."""
    owner = objects.controller_of(old) if old is not None and new is None else None
    if old is None or owner is None or owner.get("kind") != "Pod":
        return ()
    return (Key(objects.namespace(old), owner["name"]),)


CONTROLLER: Final = Controller(
    name="ephemeral-volume-controller",
    inputs=(Input("pods", _of_pod), Input(volumes.CLAIMS, _of_claim)),
    outputs=(Output(volumes.CLAIMS, ("create",)), Output("pods/finalizers", ("update",))),
    plan=plan,
    workers=1,
)
