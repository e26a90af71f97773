"""The ServiceAccount ``default`` of every active namespace, made again when deleted."""

from __future__ import annotations

from typing import Final

from pybernetes.control.actions import Create, Plan
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot, own_key
from pybernetes.controllers import namespaced

NAME: Final = "default"


def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
    """``key`` names a namespace."""
    if not namespaced.is_active(snapshot, key.name) or snapshot.get("serviceaccounts", key.name, NAME):
        return ()
    metadata = {"name": NAME, "namespace": key.name}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
    return [Create("serviceaccounts", account, ok_if_exists=True)]


CONTROLLER: Final = Controller(
    name="serviceaccount-controller",
    service_account="service-account-controller",
    inputs=(
        Input("namespaces", own_key),
        Input("serviceaccounts", namespaced.keys_of(NAME), fields=f"metadata.name={NAME}"),
    ),
    outputs=(Output("serviceaccounts", ("create",)),),
    plan=plan,
    workers=1,
)
