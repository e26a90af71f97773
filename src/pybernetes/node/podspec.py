"""Reading a Pod: the few questions about its spec that everything on a node asks. Pure."""

from __future__ import annotations

import hashlib
from typing import Final

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

DEFAULT_GRACE_SECONDS: Final = 30
SOURCE: Final = "kubernetes.io/config.source"
"""The annotation of a pod that did not come by the API: ``file``."""


def reference(pod: Obj) -> str:
    """A pod in messages, as the kubelet's format.Pod has it: ``name_namespace(uid)``."""
    return f"{objects.name(pod)}_{objects.namespace(pod)}({objects.uid(pod)})"


def main_containers(pod: Obj) -> list[Obj]:
    return objects.get(pod, "spec", "containers", default=[])  # type: ignore[no-any-return]


def init_containers(pod: Obj) -> list[Obj]:
    return objects.get(pod, "spec", "initContainers", default=[])  # type: ignore[no-any-return]


def all_containers(pod: Obj) -> list[Obj]:
    """Init containers first, as they run."""
    return [*init_containers(pod), *main_containers(pod)]


def ephemeral_containers(pod: Obj) -> list[Obj]:
    """Those put into the running pod by ``pods/ephemeralcontainers``; they count for nothing but themselves."""
    return objects.get(pod, "spec", "ephemeralContainers", default=[])  # type: ignore[no-any-return]


def container(pod: Obj, name: str) -> Obj | None:
    """The container of that name, whatever its kind."""
    return next((c for c in (*all_containers(pod), *ephemeral_containers(pod)) if c["name"] == name), None)


def field_of(pod: Obj, name: str) -> str:
    """The field of ``spec`` that has the container of that name; "" where none has."""
    fields = ("containers", "initContainers", "ephemeralContainers")
    return next((f for f in fields if any(c["name"] == name for c in pod["spec"].get(f) or ())), "")


def is_sidecar(container: Obj) -> bool:
    """Whether an init container is to keep running beside the main containers."""
    return container.get("restartPolicy") == "Always"


def restart_policy(pod: Obj, container: Obj) -> str:
    """The policy for one container: its own or the pod's, except that a failed init container of an Always pod is
    retried only until it succeeds, and that an ephemeral one runs once."""
    if container.get("restartPolicy"):
        return str(container["restartPolicy"])
    policy = str(objects.get(pod, "spec", "restartPolicy", default="Always"))
    field = field_of(pod, container["name"])
    if field == "ephemeralContainers":
        return "Never"
    return "OnFailure" if field == "initContainers" and policy == "Always" else policy


def reported_status(pod: Obj, name: str) -> Obj | None:
    """What the API was last told of a container."""
    status = pod.get("status") or {}
    fields = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")
    entries = [entry for field in fields for entry in status.get(field) or ()]
    return next((e for e in entries if e.get("name") == name), None)


def hook(container: Obj, name: str) -> Obj | None:
    """What a container wants done after its start (``postStart``) or before its end (``preStop``)."""
    found: Obj | None = objects.get(container, "lifecycle", name)
    return found or None


def restarts_on(container: Obj, exit_code: int) -> bool:
    """Whether one of a container's own rules wants it to run again after this end."""
    for rule in container.get("restartPolicyRules") or ():
        codes = rule.get("exitCodes") or {}
        if (exit_code in (codes.get("values") or ())) is (codes.get("operator") == "In"):
            return bool(rule.get("action") == "Restart")
    return False


def host_network(pod: Obj) -> bool:
    return bool(objects.get(pod, "spec", "hostNetwork", default=False))


def grace_seconds(pod: Obj) -> int:
    """What the pod itself asks for; a deletion may say otherwise."""
    return int(objects.get(pod, "spec", "terminationGracePeriodSeconds", default=DEFAULT_GRACE_SECONDS))


def hostname(pod: Obj) -> str:
    """``spec.hostname`` or the pod's name, cut to what a host name may have."""
    name = objects.get(pod, "spec", "hostname") or objects.name(pod)
    return str(name)[:63].rstrip("-.")


def fqdn(pod: Obj, cluster_domain: str) -> str:
    """The name that the DNS has for a pod with a ``subdomain``; "" for any other."""
    subdomain = objects.get(pod, "spec", "subdomain")
    return f"{hostname(pod)}.{subdomain}.{objects.namespace(pod)}.svc.{cluster_domain}" if subdomain else ""


def container_hash(container: Obj) -> str:
    """Changes when a running container has to be replaced: its image is the one field of it that may change."""
    return hashlib.sha256(f"{container['name']}\0{container.get('image', '')}".encode()).hexdigest()[:8]
