"""What a pod, and a volume of one, name of the API's objects. Pure.

Source: pkg/api/v1/pod (VisitPodSecretNames, VisitPodConfigmapNames), plugin/pkg/auth/authorizer/node/graph.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

SECRETS: Final = "secrets"
MAPS: Final = "configmaps"
CLAIMS: Final = "persistentvolumeclaims"
_CONTAINERS: Final = ("initContainers", "containers", "ephemeralContainers")
_ENVIRONMENT: Final = (
    ("configMapRef", MAPS), ("configMapKeyRef", MAPS), ("secretRef", SECRETS), ("secretKeyRef", SECRETS),
)  # fmt: skip
_VOLUME_SECRETS: Final = (
    ("azureFile", "secretName"), ("cephfs", "secretRef"), ("cinder", "secretRef"), ("csi", "nodePublishSecretRef"),
    ("flexVolume", "secretRef"), ("iscsi", "secretRef"), ("rbd", "secretRef"), ("scaleIO", "secretRef"),
    ("secret", "secretName"), ("storageos", "secretRef"),
)  # fmt: skip
_CSI_SECRETS: Final = ("nodePublishSecretRef", "nodeStageSecretRef", "nodeExpandSecretRef")


def of(pod: Obj) -> frozenset[tuple[str, str]]:
    """(plural, name) of all that a pod names in its namespace."""
    return frozenset(pair for pair in _all(pod) if pair[1])


def of_volume(volume: Obj) -> frozenset[tuple[str, str]]:
    """(namespace, name) of the secrets that a PersistentVolume needs on a node."""
    csi = objects.get(volume, "spec", "csi", default={})
    refs = [csi.get(key) or {} for key in _CSI_SECRETS]
    return frozenset((str(ref.get("namespace", "")), str(ref["name"])) for ref in refs if ref.get("name"))


def _all(pod: Obj) -> Iterator[tuple[str, str]]:
    spec = pod.get("spec") or {}
    yield "serviceaccounts", str(spec.get("serviceAccountName") or "")
    for secret in spec.get("imagePullSecrets") or ():
        yield SECRETS, str(secret.get("name") or "")
    for volume in spec.get("volumes") or ():
        yield from _of_volume(pod, volume)
    for kind in _CONTAINERS:
        for container in spec.get(kind) or ():
            yield from _of_environment(container)
    for claim in spec.get("resourceClaims") or ():
        yield "resourceclaims", str(claim.get("resourceClaimName") or "")
    for status in objects.get(pod, "status", "resourceClaimStatuses", default=()):
        yield "resourceclaims", str(status.get("resourceClaimName") or "")


def _of_volume(pod: Obj, volume: Obj) -> Iterator[tuple[str, str]]:
    for kind, key in _VOLUME_SECRETS:
        named = (volume.get(kind) or {}).get(key) or ""
        yield SECRETS, str(named.get("name") or "") if isinstance(named, dict) else str(named)
    yield MAPS, str((volume.get("configMap") or {}).get("name") or "")
    yield CLAIMS, str((volume.get("persistentVolumeClaim") or {}).get("claimName") or "")
    if volume.get("ephemeral"):
        yield CLAIMS, f"{objects.name(pod)}-{volume.get('name')}"
    for source in (volume.get("projected") or {}).get("sources") or ():
        yield SECRETS, str((source.get("secret") or {}).get("name") or "")
        yield MAPS, str((source.get("configMap") or {}).get("name") or "")


def _of_environment(container: Obj) -> Iterator[tuple[str, str]]:
    values = (entry.get("valueFrom") or {} for entry in container.get("env") or ())
    for source in (*(container.get("envFrom") or ()), *values):
        for key, plural in _ENVIRONMENT:
            if key in source:
                yield plural, str(source[key].get("name") or "")
