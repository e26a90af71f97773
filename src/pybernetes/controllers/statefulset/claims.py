"""The claims of a StatefulSet's pods: made when missing, kept or given up as the retention policy says.

Rule: a claim that shall go with the set is owned by it, one that shall go when the row gets shorter by the pod that
goes; the garbage collector does the rest. A claim that is going is waited for before its pod is made again.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Final

from pybernetes.control.actions import Create, Event, Patch
from pybernetes.control.controller import Key, Snapshot
from pybernetes.controllers import keys
from pybernetes.controllers.statefulset import identity
from pybernetes.controllers.statefulset.view import View
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

CLAIMS: Final = "persistentvolumeclaims"
_SETS: Final = "statefulsets.apps"


def missing(view: View, ordinal: int) -> Iterable[Create]:
    """Make the claims of an ordinal that do not exist."""
    for template in view.claim_templates:
        name = identity.claim_name(view.owner, template, ordinal)
        if view.claim(name) is None:
            yield _create(view.owner, _made(view, template, name), identity.name(view.owner, ordinal))


def are_going(view: View, ordinal: int) -> bool:
    """Must the ordinal's pod wait for claims of its predecessor to be gone?"""
    found = (view.claim(identity.claim_name(view.owner, template, ordinal)) for template in view.claim_templates)
    return any(objects.is_deleting(claim) or _of_a_pod(claim) for claim in found if claim is not None)


def _of_a_pod(claim: Obj) -> bool:
    return any(reference.get("kind") == "Pod" for reference in objects.owners(claim))


def _made(view: View, template: Obj, name: str) -> Obj:
    selected = objects.get(view.owner, "spec", "selector", "matchLabels", default={})
    metadata = {
        **{k: copy.copy(v) for k, v in objects.meta(template).items() if k in ("annotations", "finalizers")},
        "name": name,
        "namespace": objects.namespace(view.owner),
        "labels": {**objects.labels(template), **selected},
    }
    if _retention(view.owner, "whenDeleted") == "Delete":
        metadata["ownerReferences"] = [objects.owner_reference(view.owner)]
    spec = copy.deepcopy(template.get("spec") or {})
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}


def _create(owner: Obj, made: Obj, pod: str) -> Create:
    name, of = objects.name(made), objects.name(owner)
    done = f"create Claim {name} Pod {pod} in StatefulSet {of} success"
    failed = f"create Claim {name} for Pod {pod} in StatefulSet {of} failed error: {{error}}"
    return Create(
        CLAIMS, made, ok_if_exists=True, event=Event(owner, "Normal", "SuccessfulCreate", done),
        failure_event=Event(owner, "Warning", "FailedCreate", failed),
    )  # fmt: skip


# ── who owns a claim ─────────────────────────────────────────────────────────────────────────────────────


def retained(view: View, pod: Obj, *, condemned: bool) -> Iterable[Patch]:
    """Make the owners of a pod's claims what the policy says; ``condemned`` tells that the pod goes for good."""
    with_pod = condemned and _retention(view.owner, "whenScaled") == "Delete"
    with_set = _retention(view.owner, "whenDeleted") == "Delete" and not with_pod
    of_pod = {**pod, "apiVersion": "v1", "kind": "Pod"}
    for template in view.claim_templates:
        claim = view.claim(identity.claim_name(view.owner, template, identity.ordinal(pod)))
        if claim is None or _is_others(claim, view.owner, pod):
            continue
        changes = [*_change(claim, view.owner, with_set), *_change(claim, of_pod, with_pod)]
        if changes:
            metadata = {"uid": objects.uid(claim), "ownerReferences": changes}
            yield Patch(
                CLAIMS, objects.namespace(claim), objects.name(claim), {"metadata": metadata}, kind="strategic",
                ok_if_missing=True,
            )  # fmt: skip


def _retention(owner: Obj, field: str) -> str:
    path = ("spec", "persistentVolumeClaimRetentionPolicy", field)
    return str(objects.get(owner, *path, default="Retain"))


def _is_others(claim: Obj, owner: Obj, pod: Obj) -> bool:
    """Does somebody else control the claim?"""
    reference = objects.controller_of(claim)
    return reference is not None and reference.get("uid") not in (objects.uid(owner), objects.uid(pod))


def _change(claim: Obj, owner: Obj, wanted: bool) -> Iterable[Obj]:
    known = any(reference.get("uid") == objects.uid(owner) for reference in objects.owners(claim))
    if wanted and not known:
        yield objects.owner_reference(owner)
    elif known and not wanted:
        yield {"$patch": "delete", "uid": objects.uid(owner)}


def keys_of_claim(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    """The end of a claim may be what a pod of its name waits for."""
    if new is not None or old is None:
        return ()
    name = objects.name(old)
    return [
        keys.of(owner)
        for owner in snapshot.list(_SETS, objects.namespace(old))
        for template in owner["spec"].get("volumeClaimTemplates") or ()
        if name.startswith(f"{objects.name(template)}-{objects.name(owner)}-")
    ]
