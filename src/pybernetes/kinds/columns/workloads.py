"""Deployments and the other owners of pods, Jobs, autoscalers and disruption budgets."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.columns import cell
from pybernetes.kinds.kind import Column
from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj

_IMAGES: Final = (
    cell.computed("Containers", lambda obj: cell.containers(_pod_spec(obj))[0], priority=1),
    cell.computed("Images", lambda obj: cell.containers(_pod_spec(obj))[1], priority=1),
)
_SELECTOR: Final = cell.computed(
    "Selector", lambda obj: cell.selector(objects.get(obj, "spec", "selector")), priority=1
)


def _pod_spec(obj: Obj) -> Obj | None:
    found: Obj | None = objects.get(obj, "spec", "template", "spec")
    return found


def _desired(obj: Obj) -> int:
    return int(objects.get(obj, "spec", "replicas", default=0))


def _ready(obj: Obj) -> str:
    return f"{objects.get(obj, 'status', 'readyReplicas', default=0)}/{_desired(obj)}"


def _count(name: str, *path: str) -> Column:
    """A number in a column that upstream declares as text."""
    return cell.computed(name, lambda obj: objects.get(obj, *path, default=0))


DEPLOYMENTS: Final = (
    cell.NAME,
    cell.computed("Ready", _ready),
    _count("Up-to-date", "status", "updatedReplicas"),
    _count("Available", "status", "availableReplicas"),
    cell.AGE,
    *_IMAGES,
    _SELECTOR,
)
_REPLICAS: Final = (
    cell.NAME,
    cell.number("Desired", "spec", "replicas"),
    cell.number("Current", "status", "replicas"),
    cell.number("Ready", "status", "readyReplicas"),
    cell.AGE,
    *_IMAGES,
)
REPLICA_SETS: Final = (*_REPLICAS, _SELECTOR)
REPLICATION_CONTROLLERS: Final = (
    *_REPLICAS,
    cell.computed("Selector", lambda obj: cell.labels(objects.get(obj, "spec", "selector")), priority=1),
)
STATEFUL_SETS: Final = (cell.NAME, cell.computed("Ready", _ready), cell.AGE, *_IMAGES)
DAEMON_SETS: Final = (
    cell.NAME,
    cell.number("Desired", "status", "desiredNumberScheduled"),
    cell.number("Current", "status", "currentNumberScheduled"),
    cell.number("Ready", "status", "numberReady"),
    cell.number("Up-to-date", "status", "updatedNumberScheduled"),
    cell.number("Available", "status", "numberAvailable"),
    cell.computed("Node Selector", lambda obj: cell.labels((_pod_spec(obj) or {}).get("nodeSelector"))),
    cell.AGE,
    *_IMAGES,
    _SELECTOR,
)


def _controller(obj: Obj) -> str:
    owner = objects.controller_of(obj)
    if owner is None:
        return cell.NONE
    group = owner["apiVersion"].rpartition("/")[0]
    return f"{owner['kind'].lower()}{'.' if group else ''}{group}/{owner['name']}"


CONTROLLER_REVISIONS: Final = (
    cell.NAME,
    cell.computed("Controller", _controller),
    cell.computed("Revision", lambda obj: obj.get("revision", 0)),
    cell.AGE,
)

# ── jobs ─────────────────────────────────────────────────────────────────────────────────────────────────


def _job_status(job: Obj) -> str:
    for condition in ("Complete", "Failed"):
        if objects.condition_is(job, condition):
            return condition
    if objects.is_deleting(job):
        return "Terminating"
    for condition in ("Suspended", "FailureTarget", "SuccessCriteriaMet"):
        if objects.condition_is(job, condition):
            return condition
    return "Running"


def _completions(job: Obj) -> str:
    succeeded = objects.get(job, "status", "succeeded", default=0)
    wanted = objects.get(job, "spec", "completions")
    if wanted is not None:
        return f"{succeeded}/{wanted}"
    parallelism = objects.get(job, "spec", "parallelism", default=0)
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def _duration(job: Obj, now: float) -> str:
    start, end = objects.get(job, "status", "startTime"), objects.get(job, "status", "completionTime")
    if not start:
        return ""
    return times.human_duration((times.parse(end) if end else now) - times.parse(start))


JOBS: Final = (
    cell.NAME,
    cell.computed("Status", _job_status),
    cell.computed("Completions", _completions),
    Column("Duration", _duration),
    cell.AGE,
    *_IMAGES,
    _SELECTOR,
)


def _last_schedule(obj: Obj, now: float) -> str:
    moment = objects.get(obj, "status", "lastScheduleTime")
    return cell.since(moment, now) if moment else cell.NONE


def _job_template(obj: Obj) -> Obj:
    return {"spec": objects.get(obj, "spec", "jobTemplate", "spec", default={})}


def _bool(value: bool | None) -> str:
    """printBoolPtr."""
    return cell.UNSET if value is None else ("True" if value else "False")


CRON_JOBS: Final = (
    cell.NAME,
    cell.text("Schedule", "spec", "schedule"),
    cell.text("Timezone", "spec", "timeZone", default=cell.NONE),
    cell.computed("Suspend", lambda obj: _bool(objects.get(obj, "spec", "suspend")), "boolean"),
    cell.computed("Active", lambda obj: len(objects.get(obj, "status", "active", default=[])), "integer"),
    Column("Last Schedule", _last_schedule),
    cell.AGE,
    *(
        Column(c.name, lambda obj, now, value=c.value: value(_job_template(obj), now), priority=1)  # type: ignore[misc]
        for c in (*_IMAGES, _SELECTOR)
    ),
)

# ── autoscalers and budgets ──────────────────────────────────────────────────────────────────────────────

_METRICS_SHOWN: Final = 2


def _reference(hpa: Obj) -> str:
    ref = objects.get(hpa, "spec", "scaleTargetRef", default={})
    return f"{ref.get('kind', '')}/{ref.get('name', '')}"


def _targets(hpa: Obj) -> str:
    specs = objects.get(hpa, "spec", "metrics", default=[])
    told = objects.get(hpa, "status", "currentMetrics", default=[])
    shown = [_metric(metric, told[i] if i < len(told) else {}) for i, metric in enumerate(specs)]
    if not shown:
        return cell.NONE
    rest = len(shown) - _METRICS_SHOWN
    return ", ".join(shown[:_METRICS_SHOWN]) + (f" + {rest} more..." if rest > 0 else "")


def _metric(metric: Obj, status: Obj) -> str:
    """``cpu: 10%/80%``, ``100m/1 (avg)``; ``<unknown>`` before a first reading (formatHPAMetrics)."""
    kind = metric.get("type", "")
    key = kind[:1].lower() + kind[1:]
    source, told = metric.get(key) or {}, status.get(key) or {}
    target, current = source.get("target") or {}, told.get("current") or {}
    name = f"{source.get('name', '')}: " if kind in ("Resource", "ContainerResource") else ""
    if name and target.get("averageValue") is None:
        wanted, seen = target.get("averageUtilization"), current.get("averageUtilization")
        return f"{name}{_percent(seen, cell.UNKNOWN)}/{_percent(wanted, '<auto>')}"
    average = target.get("averageValue")
    wanted, seen = (average, current.get("averageValue")) if average else (target.get("value"), current.get("value"))
    suffix = " (avg)" if average and kind in ("External", "Object") else ""
    return f"{name}{seen or cell.UNKNOWN}/{wanted}{suffix}"


def _percent(value: int | None, otherwise: str) -> str:
    return otherwise if value is None else f"{value}%"


def _cpu_only(hpa: Obj) -> str:
    """v1 knows one metric."""
    wanted = objects.get(hpa, "spec", "targetCPUUtilizationPercentage")
    seen = objects.get(hpa, "status", "currentCPUUtilizationPercentage")
    return cell.NONE if wanted is None else f"cpu: {_percent(seen, cell.UNKNOWN)}/{wanted}%"


def _autoscalers(targets: Column) -> tuple[Column, ...]:
    return (
        cell.NAME,
        cell.computed("Reference", _reference),
        targets,
        cell.text("MinPods", "spec", "minReplicas", default=cell.UNSET),
        cell.computed("MaxPods", lambda obj: objects.get(obj, "spec", "maxReplicas", default=0)),
        cell.computed("Replicas", lambda obj: objects.get(obj, "status", "currentReplicas", default=0)),
        cell.AGE,
    )


AUTOSCALERS: Final = _autoscalers(cell.computed("Targets", _targets))
AUTOSCALERS_V1: Final = _autoscalers(cell.computed("Targets", _cpu_only))

DISRUPTION_BUDGETS: Final = (
    cell.NAME,
    cell.computed("Min Available", lambda obj: _or_na(objects.get(obj, "spec", "minAvailable"))),
    cell.computed("Max Unavailable", lambda obj: _or_na(objects.get(obj, "spec", "maxUnavailable"))),
    cell.number("Allowed Disruptions", "status", "disruptionsAllowed"),
    cell.AGE,
)


def _or_na(value: int | str | None) -> str:
    return "N/A" if value is None else str(value)
