"""Approves what nodes ask for themselves, if they may (pkg/controller/certificates/approver/sarapprove.go).

Rule: a kubelet's client certificate is approved where the requester is that very node and may create
``certificatesigningrequests/selfnodeclient``, or is somebody who may create ``…/nodeclient``; the API is asked. All
else waits for a human.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pybernetes.control.actions import Answer, Ask, Plan, Review, Update
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot, own_key
from pybernetes.controllers.certificates import requests
from pybernetes.meta import objects, times
from pybernetes.meta.errors import ApiError
from pybernetes.meta.objects import Obj

_REVIEWS: Final = "subjectaccessreviews.authorization.k8s.io"
_TEXTS: Final = {
    "selfnodeclient": "Auto approving self kubelet client certificate after SubjectAccessReview.",
    "nodeclient": "Auto approving kubelet client certificate after SubjectAccessReview.",
}


def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
    csr = snapshot.get(requests.RESOURCE, "", key.name)
    if csr is None or requests.certificate(csr) or requests.conditions(csr):
        return ()
    kinds = list(recognized(csr))

    def then(answers: Sequence[Answer]) -> Plan:
        for kind, answer in zip(kinds, answers, strict=True):
            if isinstance(answer, ApiError):
                raise answer
            if objects.get(answer, "status", "allowed"):
                return [Update(requests.RESOURCE, approved(csr, _TEXTS[kind], now), subresource="approval")]
        return ()

    return [Ask([Review(_REVIEWS, _review(csr, kind)) for kind in kinds], then)] if kinds else ()


def recognized(csr: Obj) -> Iterable[str]:
    """The rights of which one is enough to have this request approved; none: it is not for us."""
    if objects.get(csr, "spec", "signerName") != requests.KUBELET_CLIENT:
        return
    try:
        asked = requests.read(csr)
        requests.check(asked, requests.KUBELET_CLIENT)
    except requests.BadRequest:
        return  # whoever looks at it by hand will see
    if asked.common_name == objects.get(csr, "spec", "username"):
        yield "selfnodeclient"
    yield "nodeclient"


def approved(csr: Obj, text: str, now: float) -> Obj:
    at = times.render(now)
    condition = {
        "type": "Approved", "status": "True", "reason": "AutoApproved", "message": text,
        "lastUpdateTime": at, "lastTransitionTime": at,
    }  # fmt: skip
    return objects.evolve(csr, ("status", "conditions"), [*requests.conditions(csr), condition])


def _review(csr: Obj, kind: str) -> Obj:
    asked = csr.get("spec") or {}
    attributes = {
        "group": "certificates.k8s.io", "resource": "certificatesigningrequests", "verb": "create",
        "subresource": kind, "version": "*",
    }  # fmt: skip
    who = {"user": asked.get("username"), "uid": asked.get("uid"), "groups": asked.get("groups"),
           "extra": asked.get("extra")}  # fmt: skip
    spec = {**{field: value for field, value in who.items() if value}, "resourceAttributes": attributes}
    return {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}


CONTROLLER: Final = Controller(
    name="certificatesigningrequest-approving-controller",
    inputs=(Input(requests.RESOURCE, own_key),),
    outputs=(
        Output(f"{requests.RESOURCE}/approval", ("update",)),
        Output("signers.certificates.k8s.io", ("approve",)),
        Output(_REVIEWS, ("create",)),
    ),
    plan=plan,
    workers=1,
)
