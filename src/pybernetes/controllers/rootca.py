"""The ConfigMap ``kube-root-ca.crt`` of every active namespace, by which pods know the API server; kept right."""

from __future__ import annotations

from typing import Final

from pybernetes.control.actions import Create, Plan, Update
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot, own_key
from pybernetes.controllers import namespaced
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

NAME: Final = "kube-root-ca.crt"
ANNOTATION: Final = "kubernetes.io/description"
DESCRIPTION: Final = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
)


def controller(ca: str) -> Controller:
    """The row for the CA certificates ``ca`` in PEM form."""
    data = {"ca.crt": ca}

    def plan(snapshot: Snapshot, key: Key, now: float) -> Plan:
        if not namespaced.is_active(snapshot, key.name):
            return ()
        found = snapshot.get("configmaps", key.name, NAME)
        if found is None:
            return [Create("configmaps", config_map(key.name, data), ok_if_exists=True)]
        annotations = {**objects.annotations(found), ANNOTATION: DESCRIPTION}
        if found.get("data") == data and annotations == objects.annotations(found):
            return ()
        return [Update("configmaps", {**objects.evolve(found, ("metadata", "annotations"), annotations), "data": data})]

    return Controller(
        name="root-ca-certificate-publisher-controller",
        service_account="root-ca-cert-publisher",
        inputs=(
            Input("namespaces", own_key),
            Input("configmaps", namespaced.keys_of(NAME), fields=f"metadata.name={NAME}"),
        ),
        outputs=(Output("configmaps", ("create", "update")),),
        plan=plan,
        workers=1,
    )


def config_map(namespace: str, data: dict[str, str]) -> Obj:
    metadata = {"name": NAME, "namespace": namespace, "annotations": {ANNOTATION: DESCRIPTION}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
