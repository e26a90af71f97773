"""Which pods stand behind a Service, at which ports, and since when: what Endpoints and EndpointSlices share.

Rule 1: a pod is told of from the moment it has an address until it has finished; who is ready is said beside it.
Rule 2: a target port with a name is looked up in each pod, so one Service may lead to different numbers.
Neighbours: ``endpoints.py`` and ``endpointslice.py`` write it down; the sources are endpoint/ and endpointslice/ of
pkg/controller and k8s.io/endpointslice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pybernetes.control.controller import Key, Snapshot
from pybernetes.controllers import keys, pods
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

HEADLESS: Final = "service.kubernetes.io/headless"
TRIGGER_TIME: Final = "endpoints.kubernetes.io/last-change-trigger-time"


def is_selecting(service: Obj) -> bool:
    """Does the Service ask for endpoints made of pods?"""
    return bool(_selector(service)) and objects.get(service, "spec", "type", default="") != "ExternalName"


def is_headless(service: Obj) -> bool:
    return str(objects.get(service, "spec", "clusterIP", default="")) == "None"


def publishes_unready(service: Obj) -> bool:
    return bool(objects.get(service, "spec", "publishNotReadyAddresses", default=False))


def selected(snapshot: Snapshot, service: Obj, *, terminating: bool) -> list[Obj]:
    """The pods behind a Service in order of their names; those on their way out only when ``terminating``."""
    selector = {"matchLabels": _selector(service)}
    found = snapshot.select("pods", objects.namespace(service), selector)
    return sorted((pod for pod in found if is_publishable(pod, terminating=terminating)), key=objects.name)


def is_publishable(pod: Obj, *, terminating: bool) -> bool:
    """ShouldPodBeInEndpoints."""
    if pods.phase(pod) in pods.FINISHED or not _addresses(pod):
        return False
    return terminating or not objects.is_deleting(pod)


def families(service: Obj) -> Sequence[str]:
    """IP families, the primary first."""
    told: Sequence[str] = objects.get(service, "spec", "ipFamilies", default=[]) or ["IPv4"]
    return told


def address(pod: Obj, family: str) -> str | None:
    """The pod's address of a family, if it has one."""
    return next((ip for ip in _addresses(pod) if (":" in ip) == (family == "IPv6")), None)


class Ports:
    """The Service's ports as each pod serves them; one whose named target the pod does not have is left out.

    Pods share one list where no target has a name: that is most Services, and some have thousands of pods.
    """

    def __init__(self, service: Obj) -> None:
        self._told: Sequence[Obj] = objects.get(service, "spec", "ports", default=[])
        self._is_named = any(isinstance(port.get("targetPort"), str) for port in self._told)
        self._shared = [] if self._is_named else self._of({})

    def of(self, pod: Obj) -> list[Obj]:
        return self._of(pod) if self._is_named else self._shared

    def _of(self, pod: Obj) -> list[Obj]:
        found = []
        for port in self._told:
            number = _target(port, pod)
            if number is not None:
                made = {"name": port.get("name") or "", "port": number, "protocol": port.get("protocol") or "TCP"}
                found.append(made | ({"appProtocol": port["appProtocol"]} if port.get("appProtocol") else {}))
        return found


def hostname(service: Obj, pod: Obj) -> str:
    """The name that the pod has beneath the Service's, if its subdomain is the Service's name."""
    spec = pod.get("spec") or {}
    return str(spec.get("hostname") or "") if spec.get("subdomain") == objects.name(service) else ""


def reference(pod: Obj) -> Obj:
    return {
        "kind": "Pod", "namespace": objects.namespace(pod), "name": objects.name(pod), "uid": objects.uid(pod),
    }  # fmt: skip


def trigger_time(service: Obj, chosen: Iterable[Obj], before: str) -> str:
    """The first change after the one that was told ``before``: a Service's creation or a pod's readiness."""
    moments = [str(objects.meta(service).get("creationTimestamp") or "")]
    moments += [str((objects.condition(pod, "Ready") or {}).get("lastTransitionTime") or "") for pod in chosen]
    return min((moment for moment in moments if moment > before), default="")


def labels(service: Obj, managed: dict[str, str]) -> dict[str, str]:
    """The Service's labels with those of the manager, and one that tells of a headless Service."""
    kept = {k: v for k, v in objects.labels(service).items() if k != HEADLESS and k not in managed}
    return kept | managed | ({HEADLESS: ""} if is_headless(service) else {})


def keys_of_pod(snapshot: Snapshot, old: Obj | None, new: Obj | None) -> Iterable[Key]:
    """The Services that selected the pod or do now, when something changed that endpoints tell."""
    told = [None if pod is None or not is_publishable(pod, terminating=True) else _told(pod) for pod in (old, new)]
    if told[0] == told[1]:
        return ()
    changed = [pod for pod in (old, new) if pod is not None]
    found = snapshot.list("services", objects.namespace(changed[0]))
    return [keys.of(service) for service in found if any(_selects(service, pod) for pod in changed)]


def _told(pod: Obj) -> tuple[object, ...]:
    spec = pod.get("spec") or {}
    placed = spec.get("nodeName"), spec.get("hostname"), spec.get("subdomain")
    return *placed, objects.labels(pod), _addresses(pod), pods.is_ready(pod), objects.is_deleting(pod)


def _selects(service: Obj, pod: Obj) -> bool:
    return is_selecting(service) and objects.labels(pod).items() >= _selector(service).items()


def _selector(service: Obj) -> dict[str, str]:
    return objects.get(service, "spec", "selector", default={})  # type: ignore[no-any-return]


def _addresses(pod: Obj) -> list[str]:
    status = pod.get("status") or {}
    told = [each.get("ip") for each in status.get("podIPs") or ()] or [status.get("podIP")]
    return [ip for ip in told if ip]


def _target(port: Obj, pod: Obj) -> int | None:
    """The number behind a port's target (podutil.FindPort)."""
    target = port.get("targetPort") or port["port"]
    if isinstance(target, int):
        return target
    spec, protocol = pod.get("spec") or {}, port.get("protocol") or "TCP"
    sidecars = [each for each in spec.get("initContainers") or () if each.get("restartPolicy") == "Always"]
    for container in [*(spec.get("containers") or ()), *sidecars]:
        for each in container.get("ports") or ():
            if each.get("name") == target and (each.get("protocol") or "TCP") == protocol:
                return int(each["containerPort"])
    return None
