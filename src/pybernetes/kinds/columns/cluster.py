"""Namespaces, nodes, events, leases, configuration, quotas and the other small kinds of a cluster's daily life."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.columns import cell
from pybernetes.kinds.kind import Column
from pybernetes.meta import objects, quantity, times
from pybernetes.meta.objects import Obj

NAMESPACES: Final = (cell.NAME, cell.text("Status", "status", "phase"), cell.AGE)

# ── nodes ────────────────────────────────────────────────────────────────────────────────────────────────

_ROLE: Final = "node-role.kubernetes.io/"
_OLD_ROLE: Final = "kubernetes.io/role"


def _node_status(node: Obj) -> str:
    ready = objects.condition(node, "Ready")
    words = ["Unknown" if ready is None else ("Ready" if ready.get("status") == "True" else "NotReady")]
    if objects.get(node, "spec", "unschedulable"):
        words.append("SchedulingDisabled")
    return ",".join(words)


def _roles(node: Obj) -> str:
    labels = objects.labels(node)
    found = {key.removeprefix(_ROLE) for key in labels if key.startswith(_ROLE)} | {labels.get(_OLD_ROLE, "")}
    return ",".join(sorted(role for role in found if role)) or cell.NONE


def _address(kind: str) -> Column:
    def value(node: Obj) -> str:
        addresses = objects.get(node, "status", "addresses", default=[])
        return next((a.get("address", "") for a in addresses if a.get("type") == f"{kind}IP"), cell.NONE)

    return cell.computed(f"{kind}-IP", value, priority=1)


def _node_info(name: str, key: str, *, priority: int = 1) -> Column:
    return cell.text(name, "status", "nodeInfo", key, default=cell.UNKNOWN if priority else "", priority=priority)


NODES: Final = (
    cell.NAME,
    cell.computed("Status", _node_status),
    cell.computed("Roles", _roles),
    cell.AGE,
    _node_info("Version", "kubeletVersion", priority=0),
    _address("Internal"),
    _address("External"),
    _node_info("OS-Image", "osImage"),
    _node_info("Kernel-Version", "kernelVersion"),
    _node_info("Container-Runtime", "containerRuntimeVersion"),
)

# ── events ───────────────────────────────────────────────────────────────────────────────────────────────


def _first_seen(event: Obj, now: float) -> str:
    return cell.since(event.get("firstTimestamp") or event.get("eventTime"), now)


def _last_seen(event: Obj, now: float) -> str:
    first, series = _first_seen(event, now), event.get("series")
    last = cell.since(event["lastTimestamp"], now) if event.get("lastTimestamp") else first
    if series:
        return f"{cell.since(series.get('lastObservedTime'), now)} (x{series.get('count', 0)} over {first})"
    if (event.get("count") or 0) > 1:
        return f"{last} (x{event['count']} over {first})"
    return last


def _regarding(event: Obj) -> str:
    ref = event.get("involvedObject") or {}
    kind = ref.get("kind", "").lower()
    return f"{kind}/{ref['name']}" if ref.get("name") else kind


def _event_source(event: Obj) -> str:
    source = event.get("source") or {}
    component = source.get("component") or event.get("reportingComponent") or ""
    instance = source.get("host") if source.get("component") else event.get("reportingInstance")
    return f"{component}, {instance}" if instance else component


def _event_count(event: Obj) -> int:
    return int(event.get("count") or (event.get("series") or {}).get("count") or 1)


EVENTS: Final = (
    Column("Last Seen", _last_seen),
    cell.text("Type", "type"),
    cell.text("Reason", "reason"),
    cell.computed("Object", _regarding),
    cell.text("Subobject", "involvedObject", "fieldPath", priority=1),
    cell.computed("Source", _event_source, priority=1),
    cell.computed("Message", lambda event: (event.get("message") or "").strip()),
    Column("First Seen", _first_seen, priority=1),
    cell.computed("Count", _event_count, priority=1),
    cell.wide(cell.NAME),
)

# ── configuration, quotas, leases ────────────────────────────────────────────────────────────────────────

CONFIG_MAPS: Final = (
    cell.NAME,
    cell.computed("Data", lambda obj: len(obj.get("data") or ()) + len(obj.get("binaryData") or ())),
    cell.AGE,
)
SECRETS: Final = (
    cell.NAME,
    cell.text("Type", "type"),
    cell.computed("Data", lambda obj: len(obj.get("data") or ())),
    cell.AGE,
)
SERVICE_ACCOUNTS: Final = (cell.NAME, cell.computed("Secrets", lambda obj: len(obj.get("secrets") or ())), cell.AGE)
LIMIT_RANGES: Final = (cell.NAME, cell.CREATED_AT)
LEASES: Final = (cell.NAME, cell.text("Holder", "spec", "holderIdentity"), cell.AGE)


def _usage(quota: Obj, *, limits: bool) -> str:
    """``cpu: 1/2, memory: 1Gi/2Gi``."""
    hard, used = objects.get(quota, "status", "hard", default={}), objects.get(quota, "status", "used", default={})
    return ", ".join(
        f"{name}: {quantity.canonical(used.get(name, 0))}/{quantity.canonical(hard[name])}"
        for name in sorted(hard)
        if name.startswith("limits") == limits
    )


RESOURCE_QUOTAS: Final = (
    cell.NAME,
    cell.computed("Request", lambda obj: _usage(obj, limits=False)),
    cell.computed("Limit", lambda obj: _usage(obj, limits=True)),
    cell.AGE,
)
PRIORITY_CLASSES: Final = (
    cell.NAME,
    cell.computed("Value", lambda obj: obj.get("value", 0)),
    cell.computed("Global-Default", lambda obj: bool(obj.get("globalDefault")), "boolean"),
    cell.AGE,
    cell.text("PreemptionPolicy", "preemptionPolicy"),
)
RUNTIME_CLASSES: Final = (cell.NAME, cell.text("Handler", "handler"), cell.AGE)


def _component_health(status: Obj) -> Obj:
    return next((c for c in status.get("conditions") or () if c.get("type") == "Healthy"), {})


COMPONENT_STATUSES: Final = (
    cell.NAME,
    cell.computed("Status", lambda obj: "Healthy" if _component_health(obj).get("status") == "True" else "Unhealthy"),
    cell.computed("Message", lambda obj: _component_health(obj).get("message", "")),
    cell.computed("Error", lambda obj: _component_health(obj).get("error", "")),
)

# ── certificates ─────────────────────────────────────────────────────────────────────────────────────────


def _csr_condition(csr: Obj) -> str:
    types = [c.get("type") for c in objects.get(csr, "status", "conditions", default=[])]
    words = ["Denied" if "Denied" in types else "Approved" if "Approved" in types else "Pending"]
    if "Failed" in types:
        words.append("Failed")
    if objects.get(csr, "status", "certificate"):
        words.append("Issued")
    return ",".join(words)


def _csr_duration(csr: Obj) -> str:
    seconds = objects.get(csr, "spec", "expirationSeconds")
    return cell.NONE if seconds is None else times.human_duration(seconds)


CERTIFICATE_SIGNING_REQUESTS: Final = (
    cell.NAME,
    cell.AGE,
    cell.text("SignerName", "spec", "signerName", default=cell.NONE),
    cell.text("Requestor", "spec", "username"),
    cell.computed("RequestedDuration", _csr_duration),
    cell.computed("Condition", _csr_condition),
)
