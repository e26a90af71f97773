from __future__ import annotations

from typing import Any

import pytest

from pybernetes.control.actions import (
    After,
    Ask,
    Create,
    Delete,
    DeleteCollection,
    Event,
    Get,
    Patch,
    Update,
)
from pybernetes.control.events import Recorder
from pybernetes.control.expectations import Written
from pybernetes.control.perform import Performer, grouped
from pybernetes.lib.clock import VirtualClock
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj

from .smallapi import SmallApi

PODS = "/api/v1/namespaces/default/pods"
OWNER = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web", "namespace": "default"}}


@pytest.fixture
def perform(api: SmallApi, clock: VirtualClock) -> Any:
    client = api.client()
    performer = Performer(client, Recorder(client, clock, "tester"))

    async def run(*plan: Any, written: Written | None = None) -> float | None:
        return await performer.perform(plan, Written() if written is None else written)

    return run


def pod(name: str = "", **more: Any) -> Obj:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "default", "name": name, **more}}


def generated() -> Create:
    return Create("pods", pod(generateName="web-"))


def event(message: str) -> Event:
    return Event(OWNER, "Normal", "Tested", message)


def messages(api: SmallApi) -> list[str]:
    return [obj["message"] for path, obj in api.objects.items() if "/events/" in path]


def refuse(sentence: str, *methods: str) -> Any:
    def refused(method: str, path: str) -> None:
        if method in methods and "/events" not in path:
            raise errors.Forbidden(sentence)

    return refused


def test_neighbouring_writes_of_one_sort_go_in_groups_that_double() -> None:
    plan = [*(generated() for _ in range(20)), After(1), generated()]
    assert [len(group) for group in grouped(plan)] == [1, 2, 4, 8, 5, 1, 1]
    updates = [Update("pods", pod("a")), Update("pods", pod("b"))]
    assert [len(group) for group in grouped(updates)] == [1, 1]


def test_two_writes_of_one_object_never_happen_together() -> None:
    def patch(name: str) -> Patch:
        return Patch("pods", "default", name, {})

    groups = [[a.name for a in group] for group in grouped(map(patch, "abab"))]
    assert groups == [["a"], ["b", "a"], ["b"]]


async def test_an_event_names_what_was_made(perform: Any, api: SmallApi, clock: VirtualClock) -> None:
    await perform(Create("pods", pod("web-x"), event=event("Created pod: {name}")))
    await clock.advance(0)
    assert messages(api) == ["Created pod: web-x"]


async def test_a_refusal_ends_the_plan_is_told_and_written_down(
    perform: Any, api: SmallApi, clock: VirtualClock
) -> None:
    api.put(f"{PODS}/status", pod("status"))
    told = {**pod("web"), "status": {"conditions": [{"type": "ReplicaFailure", "message": "{error}"}]}}
    api.put(f"{PODS}/web", pod("web"))
    api.refuse = refuse("exceeded quota", "POST")
    create = Create(
        "pods", pod("a"), failure_event=event("Error creating: {error}"), on_failure=Update("pods", told)
    )  # fmt: skip
    with pytest.raises(errors.Forbidden):
        await perform(create, Delete("pods", "default", "status"))
    await clock.advance(0)
    assert f"{PODS}/status" in api.objects
    assert api.objects[f"{PODS}/web"]["status"]["conditions"][0]["message"] == "exceeded quota"
    api.refuse = lambda method, path: None
    assert messages(api) == ["Error creating: exceeded quota"]


async def test_of_a_thousand_refused_creations_one_is_tried(perform: Any, api: SmallApi) -> None:
    api.refuse = refuse("exceeded quota", "POST")
    with pytest.raises(errors.Forbidden):
        await perform(*(generated() for _ in range(1000)))
    assert len(api.paths("POST")) == 1


async def test_what_is_true_already_is_no_failure(perform: Any, api: SmallApi) -> None:
    api.put(f"{PODS}/a", pod("a", uid="new"))
    await perform(
        Create("pods", pod("a"), ok_if_exists=True),
        Patch("pods", "default", "missing", {}, ok_if_missing=True),
        Delete("pods", "default", "missing"),
        Delete("pods", "default", "a", uid="old"),
        Delete("pods", "default", "a", uid="old", resource_version="5"),
    )
    assert f"{PODS}/a" in api.objects


async def test_a_creation_in_a_namespace_that_is_being_deleted_is_given_up_quietly(
    perform: Any, api: SmallApi, clock: VirtualClock
) -> None:
    def terminating(method: str, path: str) -> None:
        if method == "POST" and "/events" not in path:
            raise errors.Forbidden("being terminated", causes=[errors.Cause("NamespaceTerminating", "")])

    api.refuse = terminating
    await perform(Create("pods", pod("a"), failure_event=event("Error: {error}")))
    await clock.advance(0)
    assert messages(api) == []


async def test_a_conflict_is_raised(perform: Any, api: SmallApi) -> None:
    api.put(f"{PODS}/a", pod("a"))
    with pytest.raises(errors.Conflict):
        await perform(Update("pods", pod("a", resourceVersion="3")))


async def test_the_shortest_wait_of_a_plan_counts(perform: Any) -> None:
    assert await perform(After(3), After(2), Ask([], lambda answers: [After(1)])) == 1
    assert await perform() is None


async def test_a_plan_goes_on_with_what_it_makes_of_the_answers(perform: Any, api: SmallApi) -> None:
    api.put(f"{PODS}/a", pod("a"))
    heard: list[Any] = []

    def then(answers: Any) -> list[Any]:
        heard.extend(answers)
        return [Create("pods", pod("after"))]

    await perform(Ask([Get("pods", "default", "a"), Get("pods", "default", "b")], then))
    assert heard[0]["metadata"]["name"] == "a"
    assert heard[1] is None
    assert f"{PODS}/after" in api.objects


async def test_a_refusal_is_an_answer(perform: Any, api: SmallApi) -> None:
    api.refuse = refuse("no", "GET")
    heard: list[Any] = []

    def then(answers: Any) -> list[Any]:
        heard.extend(answers)
        return []

    await perform(Ask([Get("pods", "default", "a"), DeleteCollection("pods", "default")], then))
    assert [error.message for error in heard] == ["no", "no"]


async def test_all_that_was_written_is_noted(perform: Any, api: SmallApi) -> None:
    api.put(f"{PODS}/a", pod("a", uid="uid-a"))
    written = Written()
    await perform(Create("pods", pod("b")), Delete("pods", "default", "a", uid="uid-a"), written=written)
    assert written.versions == {"pods": 12}
    assert written.gone == {("pods", "default", "a"): "uid-a"}
