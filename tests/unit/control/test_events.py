from __future__ import annotations

from typing import Any

import pytest

from pybernetes.control.actions import Event
from pybernetes.control.correlation import BURST, Correlator
from pybernetes.control.events import Recorder
from pybernetes.lib.clock import VirtualClock
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj

from .smallapi import SmallApi

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "namespace": "shop", "uid": "u1", "resourceVersion": "5"},
}
NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1", "uid": "n1"}}


@pytest.fixture
def recorder(api: SmallApi, clock: VirtualClock) -> Recorder:
    return Recorder(api.client(), clock, "kubelet", "n1")


def event(message: str = "Back-off", regarding: Obj = POD, **more: Any) -> Event:
    return Event(regarding, "Warning", "BackOff", message, **more)


def written(api: SmallApi) -> list[Obj]:
    return [obj for path, obj in api.objects.items() if "/events/" in path]


async def test_an_event_says_what_happened_to_whom_when_and_who_says_so(
    recorder: Recorder, api: SmallApi, clock: VirtualClock
) -> None:
    recorder.emit(event(field_path="spec.containers{main}"))
    await clock.advance(0)
    (made,) = written(api)
    name, _, moment = made["metadata"]["name"].partition(".")
    assert (name, int(moment, 16) // 1_000_000) == ("web", 1_700_000_000_000)
    assert made["metadata"]["namespace"] == "shop"
    assert made["involvedObject"] == {
        "apiVersion": "v1", "kind": "Pod", "name": "web", "namespace": "shop", "uid": "u1", "resourceVersion": "5",
        "fieldPath": "spec.containers{main}",
    }  # fmt: skip
    assert (made["type"], made["reason"], made["message"]) == ("Warning", "BackOff", "Back-off")
    assert made["source"] == {"component": "kubelet", "host": "n1"}
    assert (made["reportingComponent"], made["reportingInstance"]) == ("kubelet", "n1")
    assert made["firstTimestamp"] == made["lastTimestamp"] == "2023-11-14T22:13:20Z"
    assert made["count"] == 1


async def test_events_of_cluster_wide_objects_live_in_default(
    recorder: Recorder, api: SmallApi, clock: VirtualClock
) -> None:
    recorder.emit(event(regarding=NODE))
    await clock.advance(0)
    assert written(api)[0]["metadata"]["namespace"] == "default"


async def test_the_same_event_again_is_counted(recorder: Recorder, api: SmallApi, clock: VirtualClock) -> None:
    for _ in range(3):
        recorder.emit(event())
        await clock.advance(10)
    (made,) = written(api)
    assert (made["count"], made["firstTimestamp"], made["lastTimestamp"]) == (
        3,
        "2023-11-14T22:13:20Z",
        "2023-11-14T22:13:40Z",
    )
    assert len(api.paths("POST")) == 1


async def test_an_event_object_that_was_deleted_begins_again(
    recorder: Recorder, api: SmallApi, clock: VirtualClock
) -> None:
    recorder.emit(event())
    await clock.advance(10)
    api.objects.clear()
    recorder.emit(event())
    await clock.advance(0)
    assert [made["count"] for made in written(api)] == [1]


async def test_repeats_within_one_turn_are_one_write(recorder: Recorder, api: SmallApi, clock: VirtualClock) -> None:
    for _ in range(5):
        recorder.emit(event())
    await clock.advance(0)
    assert [made["count"] for made in written(api)] == [5]
    assert len(api.requests) == 1


async def test_an_event_waits_for_a_server_that_is_away_but_not_for_one_that_refuses(
    recorder: Recorder, api: SmallApi, clock: VirtualClock
) -> None:
    def refuse(method: str, path: str) -> None:
        if clock.time() < 1_700_000_005:
            raise errors.ServiceUnavailable("away")
        if len(api.objects) > 0:
            raise errors.Forbidden("no")

    api.refuse = refuse
    recorder.emit(event())
    await clock.advance(10)
    recorder.emit(event("another"))
    await clock.advance(10)
    assert [made["message"] for made in written(api)] == ["Back-off"]
    await recorder.stop()


def test_from_the_tenth_message_on_similar_events_are_one() -> None:
    correlator = Correlator()
    told = [correlator.correlate(event(f"message {n}"), 100.0 + n) for n in range(12)]
    names = [found[1].name for found in told if found]
    assert len(set(names)) == 10
    assert told[11] is not None
    assert told[11][1].message == "(combined from similar events): message 11"
    assert told[11][1].count == 3
    later = correlator.correlate(event("message 99"), 10_000.0)
    assert later is not None
    assert later[1].message == "message 99"


def test_a_flood_about_one_object_is_cut_off_and_others_are_heard() -> None:
    correlator = Correlator()
    told = [correlator.correlate(event(), 100.0) for _ in range(BURST + 5)]
    assert [found is not None for found in told] == [True] * BURST + [False] * 5
    assert correlator.correlate(event(regarding=NODE), 100.0) is not None
    assert correlator.correlate(event(), 100.0 + 301) is not None


def test_no_two_event_objects_share_a_name_even_where_a_clock_stands_still() -> None:
    correlator = Correlator()
    told = [correlator.correlate(event(f"message {n}"), 100.0) for n in range(5)]
    assert len({found[1].name for found in told if found}) == 5


async def test_two_sources_tell_of_one_object_in_one_moment(api: SmallApi, clock: VirtualClock) -> None:
    recorders = [Recorder(api.client(), clock, component) for component in ("scheduler", "autoscaler")]
    for recorder in recorders:
        recorder.emit(event())
    await clock.advance(0)
    assert len(written(api)) == 2
    for recorder in recorders:
        await recorder.stop()
