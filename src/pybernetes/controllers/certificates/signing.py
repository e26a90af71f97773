"""Issues certificates for approved requests to the signers of Kubernetes' own (pkg/controller/certificates/signer)."""

from __future__ import annotations

import base64

from pybernetes.control.actions import Plan, Update
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot, own_key
from pybernetes.controllers.certificates import requests
from pybernetes.controllers.certificates.authority import Authority
from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj


def controller(authority: Authority) -> Controller:
    """The row of a cluster whose CA this is."""

    def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
        csr = snapshot.get(requests.RESOURCE, "", key.name)
        if csr is None or not is_waiting(csr):
            return ()
        return [Update(requests.RESOURCE, signed(authority, csr, now), subresource="status")]

    return Controller(
        name="certificatesigningrequest-signing-controller",
        inputs=(Input(requests.RESOURCE, own_key),),
        outputs=(
            Output(f"{requests.RESOURCE}/status", ("update",)),
            Output("signers.certificates.k8s.io", ("sign",)),
        ),
        plan=plan,
        workers=1,
    )


def is_waiting(csr: Obj) -> bool:
    """Approved, for one of our signers, neither issued nor failed?"""
    if objects.get(csr, "spec", "signerName") not in requests.SIGNERS or requests.certificate(csr):
        return False
    return objects.condition_is(csr, "Approved") and not objects.condition_is(csr, "Failed")


def signed(authority: Authority, csr: Obj, now: float) -> Obj:
    """The request with its certificate, or with the reason why it has none."""
    try:
        asked = requests.read(csr)
        requests.check(asked, objects.get(csr, "spec", "signerName"))
    except requests.BadRequest as error:
        at = times.render(now)
        failed = {
            "type": "Failed", "status": "True", "reason": "SignerValidationFailure", "message": str(error),
            "lastUpdateTime": at, "lastTransitionTime": at,
        }  # fmt: skip
        return objects.evolve(csr, ("status", "conditions"), [*requests.conditions(csr), failed])
    issued = base64.b64encode(authority.issue(csr, asked, now)).decode()
    return objects.evolve(csr, ("status", "certificate"), issued)
