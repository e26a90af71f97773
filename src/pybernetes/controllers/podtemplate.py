"""A pod made of a template, as every workload controller makes it (pkg/controller.GetPodFromTemplate)."""

from __future__ import annotations

import copy

from pybernetes.control.actions import Create, Event, Update
from pybernetes.meta import names, objects
from pybernetes.meta.objects import Obj


def pod(owner: Obj, template: Obj) -> Obj:
    """A new pod that nothing else shares, named by the server after its owner."""
    metadata = template.get("metadata") or {}
    made: Obj = {
        "generateName": prefix(objects.name(owner)),
        "namespace": objects.namespace(owner),
        "ownerReferences": [objects.owner_reference(owner)],
    }
    for field in ("labels", "annotations", "finalizers"):
        if metadata.get(field):
            made[field] = copy.copy(metadata[field])
    spec = copy.deepcopy(template.get("spec") or {})
    return {"apiVersion": "v1", "kind": "Pod", "metadata": made, "spec": spec}


def prefix(owner: str) -> str:
    """``<owner>-``, or the owner's name alone where no pod's name could begin so."""
    dashed = f"{owner}-"
    return owner if names.dns1123_subdomain(dashed, is_prefix=True) else dashed


def create(owner: Obj, made: Obj, on_failure: Update | None = None) -> Create:
    """Create a pod and tell of it in the owner's events."""
    return Create(
        "pods", made,
        event=Event(owner, "Normal", "SuccessfulCreate", "Created pod: {name}"),
        failure_event=Event(owner, "Warning", "FailedCreate", "Error creating: {error}"),
        on_failure=on_failure,
    )  # fmt: skip
