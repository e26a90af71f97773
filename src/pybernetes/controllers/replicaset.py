"""ReplicaSets: so many pods of one template. All the thinking is in ``replicas.py``."""

from __future__ import annotations

from typing import Final

from pybernetes.control.controller import Controller, Input, Output, own_key
from pybernetes.controllers.replicas import Replicas

REPLICA_SETS: Final = Replicas("replicasets.apps", "apps/v1", "ReplicaSet")

CONTROLLER: Final = Controller(
    name="replicaset-controller",
    inputs=(
        Input("replicasets.apps", own_key),
        Input("pods", REPLICA_SETS.keys_of_pod()),
    ),
    outputs=(
        Output("pods", ("create", "delete", "patch")),
        Output("replicasets.apps/status", ("update",)),
        Output("replicasets.apps/finalizers", ("update",)),
    ),
    plan=REPLICA_SETS.plan,
    workers=5,
)
