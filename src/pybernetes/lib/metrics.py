"""Counters, gauges and histograms, and their text form for Prometheus (exposition format 0.0.4).

Rule: a metric is bound to its label values once (``labels(...)``); what is counted per request costs one addition.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Protocol, TypeVar

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
SECONDS: Final = (0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0)
"""Bucket bounds of upstream's apiserver_request_duration_seconds, shortened."""


class _Metric(Protocol):
    name: str
    help: str
    type: str

    def samples(self) -> Iterator[tuple[str, Mapping[str, str], float]]:
        """(name suffix, labels, value)"""
        ...


M = TypeVar("M", bound=_Metric)


class Value:
    """One number under one set of labels."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def add(self, amount: float = 1.0) -> None:
        self.value += amount

    def set(self, value: float) -> None:
        self.value = value


class Counter:
    """``type`` is ``counter`` for what only grows, ``gauge`` for what may fall."""

    def __init__(self, name: str, help: str, labels: Sequence[str] = (), type: str = "counter") -> None:
        self.name, self.help, self.type = name, help, type
        self._names = tuple(labels)
        self._values: dict[tuple[str, ...], Value] = {}

    def labels(self, *values: str) -> Value:
        """The number under these label values, in the order of the label names."""
        found = self._values.get(values)
        if found is None:
            found = self._values[values] = Value()
        return found

    def samples(self) -> Iterator[tuple[str, Mapping[str, str], float]]:
        for values, number in sorted(self._values.items()):
            yield "", dict(zip(self._names, values, strict=True)), number.value


class Gauge:
    """A number that is asked for when somebody reads it."""

    type = "gauge"

    def __init__(self, name: str, help: str, read: Callable[[], float]) -> None:
        self.name, self.help, self._read = name, help, read

    def samples(self) -> Iterator[tuple[str, Mapping[str, str], float]]:
        yield "", {}, self._read()


class Distribution:
    """The buckets, sum and count under one set of labels."""

    __slots__ = ("_bounds", "buckets", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.buckets = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        self.buckets[bisect.bisect_left(self._bounds, value)] += 1
        self.sum += value


class Histogram:
    type = "histogram"

    def __init__(self, name: str, help: str, labels: Sequence[str] = (), bounds: Sequence[float] = SECONDS) -> None:
        self.name, self.help = name, help
        self._names, self._bounds = tuple(labels), tuple(bounds)
        self._values: dict[tuple[str, ...], Distribution] = {}

    def labels(self, *values: str) -> Distribution:
        found = self._values.get(values)
        if found is None:
            found = self._values[values] = Distribution(self._bounds)
        return found

    def samples(self) -> Iterator[tuple[str, Mapping[str, str], float]]:
        for values, distribution in sorted(self._values.items(), key=lambda pair: pair[0]):
            labels = dict(zip(self._names, values, strict=True))
            total = 0
            for bound, count in zip((*map(_number, self._bounds), "+Inf"), distribution.buckets, strict=True):
                total += count
                yield "_bucket", {**labels, "le": bound}, total
            yield "_sum", labels, distribution.sum
            yield "_count", labels, total


class Metrics:
    """What one process tells about itself."""

    def __init__(self) -> None:
        self._metrics: list[_Metric] = []

    def counter(self, name: str, help: str, labels: Sequence[str] = (), type: str = "counter") -> Counter:
        return self._add(Counter(name, help, labels, type))

    def gauge(self, name: str, help: str, read: Callable[[], float]) -> Gauge:
        return self._add(Gauge(name, help, read))

    def histogram(
        self, name: str, help: str, labels: Sequence[str] = (), bounds: Sequence[float] = SECONDS
    ) -> Histogram:
        return self._add(Histogram(name, help, labels, bounds))

    def render(self) -> bytes:
        """Everything, in the order in which it was made."""
        lines = []
        for metric in self._metrics:
            lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.type}"]
            lines += [f"{metric.name}{suffix}{_labels(labels)} {_number(v)}" for suffix, labels, v in metric.samples()]
        return ("\n".join(lines) + "\n").encode()

    def _add(self, metric: M) -> M:
        self._metrics.append(metric)
        return metric


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
