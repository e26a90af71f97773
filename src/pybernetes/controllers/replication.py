"""ReplicationControllers, the elder ReplicaSets. All the thinking is in ``replicas.py``."""

from __future__ import annotations

from typing import Final

from pybernetes.control.controller import Controller, Input, Output, own_key
from pybernetes.controllers.replicas import Replicas

REPLICATION_CONTROLLERS: Final = Replicas("replicationcontrollers", "v1", "ReplicationController", plain_selector=True)

CONTROLLER: Final = Controller(
    name="replication-controller",
    inputs=(
        Input("replicationcontrollers", own_key),
        Input("pods", REPLICATION_CONTROLLERS.keys_of_pod()),
    ),
    outputs=(
        Output("pods", ("create", "delete", "patch")),
        Output("replicationcontrollers/status", ("update",)),
        Output("replicationcontrollers/finalizers", ("update",)),
    ),
    plan=REPLICATION_CONTROLLERS.plan,
    workers=5,
)
