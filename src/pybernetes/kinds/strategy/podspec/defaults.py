"""What a pod spec says where its author said nothing (pkg/apis/core/v1/defaults.go).

``spec`` serves pods and templates, ``pod_only`` adds what upstream defaults in pods but not in templates.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pybernetes.kinds.strategy import fill
from pybernetes.meta.objects import Obj

CONTAINER_LISTS: Final = ("initContainers", "containers", "ephemeralContainers")
_MODE: Final = 0o644
_WITH_MODE: Final = ("secret", "configMap", "downwardAPI", "projected")
_AZURE_DISK: Final = {"cachingMode": "ReadWrite", "kind": "Shared", "fsType": "ext4", "readOnly": False}
_RBD: Final = {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"}


def containers(spec: Obj, *lists: str) -> Iterator[Obj]:
    """Containers of every sort, or of the named lists."""
    for key in lists or CONTAINER_LISTS:
        yield from spec.get(key) or ()


def template(obj: Obj | None) -> None:
    """Default a PodTemplateSpec in place."""
    if obj is not None:
        fill.absent(obj, "metadata", {})
        spec(fill.child(obj, "spec"))


def spec(obj: Obj) -> None:
    """Default a PodSpec in place."""
    fill.all_zero(obj, restartPolicy="Always", dnsPolicy="ClusterFirst", schedulerName="default-scheduler")
    fill.all_absent(obj, terminationGracePeriodSeconds=30, securityContext={})
    _mirror_service_account(obj)
    for container in containers(obj):
        _container(container)
    for volume in obj.get("volumes") or ():
        _volume(volume)


def _mirror_service_account(obj: Obj) -> None:
    """``serviceAccount`` is the deprecated name of ``serviceAccountName``; both are always told."""
    name = obj.get("serviceAccountName") or obj.get("serviceAccount")
    if name:
        obj["serviceAccountName"] = obj["serviceAccount"] = name


def pod_only(obj: Obj) -> None:
    """Defaults of pods proper: service links, host ports, and requests that follow from limits."""
    fill.absent(obj, "enableServiceLinks", True)
    for container in containers(obj, "initContainers", "containers"):
        _requests_from_limits(container["resources"])
        if obj.get("hostNetwork"):
            _host_ports(container)


def _requests_from_limits(resources: Obj) -> None:
    limits = resources.get("limits")
    if limits:
        resources["requests"] = {**limits, **(resources.get("requests") or {})}


def _host_ports(container: Obj) -> None:
    for port in container.get("ports") or ():
        fill.zero(port, "hostPort", port.get("containerPort"))


# ── containers ───────────────────────────────────────────────────────────────────────────────────────────


def _container(container: Obj) -> None:
    fill.all_zero(
        container,
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
        imagePullPolicy=pull_policy(container.get("image") or ""),
    )
    fill.absent(container, "resources", {})
    for port in container.get("ports") or ():
        fill.zero(port, "protocol", "TCP")
    for variable in container.get("env") or ():
        _field_ref(variable.get("valueFrom"))
    for key in ("livenessProbe", "readinessProbe", "startupProbe"):
        if (probe := container.get(key)) is not None:
            _probe(probe)
    for handler in (container.get("lifecycle") or {}).values():
        _http_get(handler)


def pull_policy(image: str) -> str:
    """``Always`` for the tag ``latest``, said or implied; a digest pins the image."""
    name, _, digest = image.partition("@")
    _, _, tag = name.rpartition("/")[2].partition(":")
    if not tag and not digest:
        tag = "latest"
    return "Always" if tag == "latest" else "IfNotPresent"


def _field_ref(source: Obj | None) -> None:
    if source and (ref := source.get("fieldRef")) is not None:
        fill.zero(ref, "apiVersion", "v1")


def _probe(probe: Obj) -> None:
    fill.all_zero(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
    if (grpc := probe.get("grpc")) is not None:
        fill.absent(grpc, "service", "")
    _http_get(probe)


def _http_get(handler: Any) -> None:
    if isinstance(handler, dict) and (action := handler.get("httpGet")) is not None:
        fill.all_zero(action, path="/", scheme="HTTP")


# ── volumes ──────────────────────────────────────────────────────────────────────────────────────────────


def _volume(volume: Obj) -> None:
    if not any(value is not None for key, value in volume.items() if key != "name"):
        volume["emptyDir"] = {}
    source(volume)
    for key in _WITH_MODE:
        if (found := volume.get(key)) is not None:
            fill.absent(found, "defaultMode", _MODE)
    for item in (volume.get("downwardAPI") or {}).get("items") or ():
        _field_ref(item)
    for projection in (volume.get("projected") or {}).get("sources") or ():
        _projection(projection)
    if claim := (volume.get("ephemeral") or {}).get("volumeClaimTemplate"):
        fill.absent(fill.child(claim, "spec"), "volumeMode", "Filesystem")
    if (image := volume.get("image")) is not None:
        fill.zero(image, "pullPolicy", pull_policy(image.get("reference") or ""))


def source(volume: Obj) -> None:
    """Defaults of the sources that pods' volumes and PersistentVolumes share."""
    if (host_path := volume.get("hostPath")) is not None:
        fill.absent(host_path, "type", "")
    if (iscsi := volume.get("iscsi")) is not None:
        fill.zero(iscsi, "iscsiInterface", "default")
    if (rbd := volume.get("rbd")) is not None:
        fill.all_zero(rbd, **_RBD)
    if (azure := volume.get("azureDisk")) is not None:
        fill.all_absent(azure, **_AZURE_DISK)
    if (scale_io := volume.get("scaleIO")) is not None:
        fill.all_zero(scale_io, storageMode="ThinProvisioned", fsType="xfs")


def _projection(projection: Obj) -> None:
    if (token := projection.get("serviceAccountToken")) is not None:
        fill.absent(token, "expirationSeconds", 3600)
    for item in (projection.get("downwardAPI") or {}).get("items") or ():
        _field_ref(item)
