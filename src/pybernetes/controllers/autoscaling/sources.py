"""The metrics APIs as an autoscaler asks them, and what their answers say (podautoscaler/metrics/client.go).

Values are in thousandths. Rule: an answer that is a refusal, or empty, is a ``MetricError`` in upstream's words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from pybernetes.control.actions import Answer, Look
from pybernetes.controllers.autoscaling.calculator import Measured, MetricError
from pybernetes.kinds.table import KindTable
from pybernetes.meta import objects, quantity, selectors, times
from pybernetes.meta.errors import ApiError
from pybernetes.meta.objects import Obj

RESOURCE: Final = "/apis/metrics.k8s.io/v1beta1"
CUSTOM: Final = "/apis/custom.metrics.k8s.io/v1beta2"
EXTERNAL: Final = "/apis/external.metrics.k8s.io/v1beta1"
_DURATION: Final = re.compile(r"([0-9.]+)(ms|h|m|s)")
_SECONDS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_CUSTOM_WINDOW_SECONDS: Final = 60.0

# ── questions ────────────────────────────────────────────────────────────────────────────────────────────


def usage_of(namespace: str, selector: str) -> Look:
    return Look(f"{RESOURCE}/namespaces/{namespace}/pods", {"labelSelector": selector})


def metric_of_pods(namespace: str, selector: str, metric: Obj) -> Look:
    query = {"labelSelector": selector} | _narrowed("metricLabelSelector", metric)
    return Look(f"{CUSTOM}/namespaces/{namespace}/pods/*/{metric['name']}", query)


def metric_of_object(kinds: KindTable, namespace: str, described: Obj, metric: Obj) -> Look:
    query = _narrowed("metricLabelSelector", metric)
    if described["kind"] == "Namespace":
        return Look(f"{CUSTOM}/namespaces/{described['name']}/metrics/{metric['name']}", query)
    resource = _resource(kinds, described)
    return Look(f"{CUSTOM}/namespaces/{namespace}/{resource}/{described['name']}/{metric['name']}", query)


def external_metric(namespace: str, metric: Obj) -> Look:
    return Look(f"{EXTERNAL}/namespaces/{namespace}/{metric['name']}", _narrowed("labelSelector", metric))


def _narrowed(key: str, metric: Obj) -> dict[str, str]:
    selector = metric.get("selector")
    return {key: str(selectors.from_label_selector(selector))} if selector else {}


def _resource(kinds: KindTable, described: Obj) -> str:
    """``ingresses.networking.k8s.io`` of an Ingress; a kind that nobody knows goes by its name."""
    group, _, version = described.get("apiVersion", "").rpartition("/")
    row = kinds.by_kind(group, version, described["kind"])
    return row.resource if row is not None else str(described["kind"]).lower()


# ── answers ──────────────────────────────────────────────────────────────────────────────────────────────


def used(answer: Answer, resource: str, container: str = "") -> dict[str, Measured]:
    """Pod → what it, or its one container, uses. Raises MetricError."""
    what = f"unable to get metrics for resource {resource}"
    found: dict[str, Measured] = {}
    for item in _items(answer, what, "resource"):
        amounts = [objects.get(c, "usage", resource) for c in item["containers"] if container in ("", c["name"])]
        if container and not amounts:
            pod = f"{objects.namespace(item)}/{objects.name(item)}"
            raise MetricError(f"container {container} not present in metrics for pod {pod}")
        if None not in amounts:
            total = sum(quantity.milli(quantity.parse(amount)) for amount in amounts)
            found[objects.name(item)] = Measured(total, times.parse(item["timestamp"]), seconds(item["window"]))
    return found


def of_pods(answer: Answer, metric: str, now: float) -> dict[str, Measured]:
    """Pod → the custom metric. Raises MetricError."""
    items = _items(answer, f"unable to get metric {metric}", "custom")
    return {
        item["describedObject"]["name"]: Measured(_milli(item["value"]), now, _CUSTOM_WINDOW_SECONDS) for item in items
    }


def of_object(answer: Answer, metric: str) -> int:
    """The custom metric of one object. Raises MetricError."""
    return _milli(_items(answer, f"unable to get metric {metric}", "custom")[0]["value"])


def external(answer: Answer, metric: str) -> int:
    """The sum of all values. Raises MetricError."""
    items = _items(answer, f"unable to get external metric {metric}", "external")
    return sum(_milli(item["value"]) for item in items)


def seconds(duration: str) -> float:
    """A duration as Go writes it: ``1m15.5s``."""
    return sum(float(number) * _SECONDS[unit] for number, unit in _DURATION.findall(duration))


def selector_text(selector: Obj | None) -> str:
    """A metric's selector as upstream shows it in reasons."""
    if selector is None:
        return "nil"
    pairs = "".join(f"{key}: {value}," for key, value in sorted((selector.get("matchLabels") or {}).items()))
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{pairs}}},MatchExpressions:[]LabelSelectorRequirement{{}},}}"
    )


def _items(answer: Answer, what: str, api: str) -> Sequence[Obj]:
    if isinstance(answer, ApiError):
        raise MetricError(f"{what}: unable to fetch metrics from {api} metrics API: {answer.message}")
    items: Sequence[Obj] = (answer or {}).get("items") or ()
    if not items:
        raise MetricError(f"{what}: no metrics returned from {api} metrics API")
    return items


def _milli(value: Any) -> int:
    return quantity.milli(quantity.parse(value))
