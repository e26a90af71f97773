"""Numbers of the user's own for autoscalers, found in objects: what an adapter to a monitoring system would tell.

Rule 1: a custom metric ``m`` of an object is its annotation ``metrics.pybernetes.io/m``, a quantity.
Rule 2: an external metric ``m`` of a namespace is the key ``m`` of its ConfigMaps that carry the label
        ``metrics.pybernetes.io/external: "true"``; the ConfigMap's other labels are the metric's.
Sources: custom-metrics-apiserver (paths, MetricValueList), k8s.io/metrics. Neighbours: ``api.py`` has the paths.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from pybernetes.kinds.kind import Kind
from pybernetes.meta import errors, objects, quantity, selectors, times
from pybernetes.meta.objects import Obj
from pybernetes.meta.selectors import LabelSelector
from pybernetes.server.live import Live

PREFIX: Final = "metrics.pybernetes.io/"
EXTERNAL: Final = f"{PREFIX}external"
CUSTOM_VERSION: Final = "custom.metrics.k8s.io/v1beta2"
EXTERNAL_VERSION: Final = "external.metrics.k8s.io/v1beta1"


class Asked(NamedTuple):
    """``namespace`` empty: of the cluster; ``name`` ``*``: of all objects that ``selector`` matches."""

    namespace: str
    name: str
    metric: str
    selector: LabelSelector


def custom(live: Live, kind: Kind, asked: Asked, now: float) -> Obj:
    """The metric of one object, or of many. Raises NotFound where none has it."""
    if asked.name == "*":
        everything = live.list(kind.group, kind.plural, asked.namespace)
        found = [obj for obj in everything if asked.selector.matches(objects.labels(obj))]
    else:
        one = live.get(kind.group, kind.plural, asked.namespace, asked.name)
        found = [one] if one is not None else []
    items = [_described(kind, obj, asked.metric, now) for obj in found if _said(obj, asked.metric)]
    if not items:
        whose = kind.plural if asked.name == "*" else f"{kind.plural} {asked.name}"
        raise errors.NotFound(f"the server could not find the metric {asked.metric} for {whose}")
    return {"kind": "MetricValueList", "apiVersion": CUSTOM_VERSION, "metadata": {}, "items": items}


def _said(obj: Obj, metric: str) -> str:
    text = objects.annotations(obj).get(f"{PREFIX}{metric}", "")
    return text if quantity.is_valid(text) else ""


def _described(kind: Kind, obj: Obj, metric: str, now: float) -> Obj:
    reference = {
        "kind": kind.kind, "namespace": objects.namespace(obj), "name": objects.name(obj),
        "apiVersion": kind.api_version,
    }  # fmt: skip
    return {
        "describedObject": {key: value for key, value in reference.items() if value},
        "metric": {"name": metric, "selector": None},
        "timestamp": times.render(now),
        "value": _said(obj, metric),
    }


def external(live: Live, asked: Asked, now: float) -> Obj:
    """All values of an external metric whose labels match."""
    items = list(_values(live.list("", "configmaps", asked.namespace), asked, times.render(now)))
    return {"kind": "ExternalMetricValueList", "apiVersion": EXTERNAL_VERSION, "metadata": {}, "items": items}


def _values(maps: Sequence[Obj], asked: Asked, at: str) -> Iterable[Obj]:
    for config_map in maps:
        labels = dict(objects.labels(config_map))
        text = (config_map.get("data") or {}).get(asked.metric, "")
        if labels.pop(EXTERNAL, "") == "true" and quantity.is_valid(text) and asked.selector.matches(labels):
            yield {"metricName": asked.metric, "metricLabels": labels, "timestamp": at, "value": text}


def selection(text: str) -> LabelSelector:
    """A label selector out of a query. Raises BadRequest."""
    return selectors.parse_labels(text) if text else selectors.EVERYTHING
