"""Between two versions of one kind: ``events.k8s.io/v1`` ↔ core events, ``autoscaling/v1`` ↔ ``v2`` autoscalers.

Rule: each pair is (to the stored form, from the stored form); both are pure and answer a new object.
What one form cannot say goes where upstream puts it (apis/*/conversion.go): the autoscaler's v2 metrics, behaviour and
conditions travel in annotations of the v1 form.
Neighbours: the rows with ``storage_of`` name these pairs; ``server/registry`` calls them.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from pybernetes.meta.objects import Obj

# ── events ───────────────────────────────────────────────────────────────────────────────────────────────

_EVENT_NAMES: Final = (
    ("regarding", "involvedObject"),
    ("note", "message"),
    ("reportingController", "reportingComponent"),
    ("deprecatedSource", "source"),
    ("deprecatedFirstTimestamp", "firstTimestamp"),
    ("deprecatedLastTimestamp", "lastTimestamp"),
    ("deprecatedCount", "count"),
)


def _renamed(obj: Obj, names: dict[str, str], api_version: str) -> Obj:
    return {"apiVersion": api_version} | {names.get(k, k): v for k, v in obj.items() if k != "apiVersion"}


def event_to_core(event: Obj) -> Obj:
    """An ``events.k8s.io/v1`` Event as the core group keeps it."""
    return _renamed(event, dict(_EVENT_NAMES), "v1")


def event_from_core(event: Obj) -> Obj:
    """A core Event as ``events.k8s.io/v1`` shows it."""
    return _renamed(event, {core: new for new, core in _EVENT_NAMES}, "events.k8s.io/v1")


EVENT: Final = (event_to_core, event_from_core)

# ── horizontal pod autoscalers ───────────────────────────────────────────────────────────────────────────

_PREFIX: Final = "autoscaling.alpha.kubernetes.io/"
_METRICS, _CURRENT, _CONDITIONS, _BEHAVIOR = (
    _PREFIX + name for name in ("metrics", "current-metrics", "conditions", "behavior")
)
_TARGET_V1: Final = "targetCPUUtilizationPercentage"
_CURRENT_V1: Final = "currentCPUUtilizationPercentage"


def _is_cpu_utilization(metric: Obj, side: str) -> bool:
    resource = metric.get("resource") or {}
    return (
        metric.get("type") == "Resource"
        and resource.get("name") == "cpu"
        and (resource.get(side) or {}).get("averageUtilization") is not None
    )


def _cpu_metric(percent: Any, side: str) -> Obj:
    value: Obj = {"averageUtilization": percent}
    if side == "target":
        value["type"] = "Utilization"
    return {"type": "Resource", "resource": {"name": "cpu", side: value}}


def _split(metrics: list[Obj], side: str) -> tuple[Any, list[Obj]]:
    """(the CPU utilisation, what is left): v1 has a field for the first metric that is one."""
    index = next((i for i, m in enumerate(metrics) if _is_cpu_utilization(m, side)), None)
    if index is None:
        return None, metrics
    return metrics[index]["resource"][side]["averageUtilization"], metrics[:index] + metrics[index + 1 :]


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


def hpa_to_v1(hpa: Obj) -> Obj:
    """An ``autoscaling/v2`` HorizontalPodAutoscaler in v1's form."""
    meta, spec, status = (dict(hpa.get(part) or {}) for part in ("metadata", "spec", "status"))
    notes = dict(meta.get("annotations") or {})
    target, metrics = _split(spec.pop("metrics", None) or [], "target")
    current, current_metrics = _split(status.pop("currentMetrics", None) or [], "current")
    if target is not None:
        spec[_TARGET_V1] = target
    if current is not None:
        status[_CURRENT_V1] = current
    told = (
        (_METRICS, metrics),
        (_CURRENT, current_metrics),
        (_CONDITIONS, status.pop("conditions", None)),
        (_BEHAVIOR, spec.pop("behavior", None)),
    )
    notes.update({key: _dumps(value) for key, value in told if value})
    return _assembled(hpa, "autoscaling/v1", meta=meta, notes=notes, spec=spec, status=status)


def hpa_to_v2(hpa: Obj) -> Obj:
    """An ``autoscaling/v1`` HorizontalPodAutoscaler in v2's form. Annotations that do not parse are dropped."""
    meta, spec, status = (dict(hpa.get(part) or {}) for part in ("metadata", "spec", "status"))
    notes = dict(meta.get("annotations") or {})
    metrics, current, conditions, behavior = (
        _loads(notes.pop(key, "")) for key in (_METRICS, _CURRENT, _CONDITIONS, _BEHAVIOR)
    )
    metrics, current = metrics or [], current or []
    if (target := spec.pop(_TARGET_V1, None)) is not None:
        metrics = [_cpu_metric(target, "target"), *metrics]
    if (percent := status.pop(_CURRENT_V1, None)) is not None:
        current = [_cpu_metric(percent, "current"), *current]
    spec.update({k: v for k, v in (("metrics", metrics), ("behavior", behavior)) if v})
    status.update({k: v for k, v in (("currentMetrics", current), ("conditions", conditions)) if v})
    return _assembled(hpa, "autoscaling/v2", meta=meta, notes=notes, spec=spec, status=status)


def _loads(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _assembled(hpa: Obj, api_version: str, *, meta: Obj, notes: Obj, spec: Obj, status: Obj) -> Obj:
    meta.pop("annotations", None)
    if notes:
        meta["annotations"] = notes
    out: Obj = dict(hpa) | {"apiVersion": api_version, "metadata": meta, "spec": spec}
    out.pop("status", None)
    if status:
        out["status"] = status
    return out


HPA_V1: Final = (hpa_to_v2, hpa_to_v1)
