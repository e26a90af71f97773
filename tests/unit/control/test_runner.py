from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from pybernetes.control.actions import After, Create, Plan, Update
from pybernetes.control.controller import Controller, Input, Key, Output, Snapshot, own_key
from pybernetes.control.runner import Manager
from pybernetes.lib.clock import VirtualClock
from pybernetes.lib.entropy import SeededEntropy
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj

from .smallapi import SmallApi

MAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
async def manager(api: SmallApi, clock: VirtualClock) -> AsyncIterator[Manager]:
    made = Manager(api.client(), clock, SeededEntropy(1))
    yield made
    await made.stop()


def config_map(name: str, **data: str) -> Obj:
    metadata = {"name": name, "namespace": "default", "uid": f"uid-{name}"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def controller(plan: Callable[[Snapshot, Key, float], Plan], *more: Input, resync_seconds: float = 0) -> Controller:
    return Controller(
        name="tester",
        inputs=(Input("configmaps", own_key), *more),
        outputs=(Output("configmaps", ("create",)),),
        plan=plan,
        resync_seconds=resync_seconds,
    )


async def test_what_was_there_and_what_comes_is_planned_and_carried_out(
    manager: Manager, api: SmallApi, clock: VirtualClock
) -> None:
    def copy(snapshot: Snapshot, key: Key, now: float) -> Plan:
        if snapshot.get("configmaps", key.namespace, key.name) is None or key.name.startswith("copy"):
            return ()
        return [Create("configmaps", config_map(f"copy-of-{key.name}"), ok_if_exists=True)]

    api.put(f"{MAPS}/before", config_map("before"))
    manager.add(controller(copy))
    await manager.start()
    api.put(f"{MAPS}/after", config_map("after"))
    await clock.advance(0)
    assert sorted(api.objects) == [f"{MAPS}/{n}" for n in ("after", "before", "copy-of-after", "copy-of-before")]


async def test_a_plan_never_acts_twice_on_the_same_shortage(
    manager: Manager, api: SmallApi, clock: VirtualClock
) -> None:
    """The owner changes again and again while the cache has yet to see what was made."""

    def three(snapshot: Snapshot, key: Key, now: float) -> Plan:
        missing = 3 - len(snapshot.list("pods"))
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "default", "generateName": "p-"}}
        return [Create("pods", pod) for _ in range(missing)]

    manager.add(controller(three, Input("pods", lambda snapshot, old, new: (Key("default", "owner"),))))
    await manager.start()
    for n in range(5):
        api.put(f"{MAPS}/owner", config_map("owner", n=str(n)))
        await clock.advance(0)
    assert sum("/pods/" in path for path in api.objects) == 3


async def test_a_key_may_ask_to_be_planned_again(manager: Manager, api: SmallApi, clock: VirtualClock) -> None:
    planned: list[float] = []

    def later(snapshot: Snapshot, key: Key, now: float) -> Plan:
        planned.append(now - 1_700_000_000)
        return [After(60)] if len(planned) < 3 else ()

    api.put(f"{MAPS}/a", config_map("a"))
    manager.add(controller(later))
    await manager.start()
    await clock.advance(600)
    assert planned == [0, 60, 120]


async def test_a_conflict_and_a_fault_put_the_key_back(
    manager: Manager, api: SmallApi, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    tries: list[str] = []

    def odd(snapshot: Snapshot, key: Key, now: float) -> Plan:
        found = snapshot.get("configmaps", key.namespace, key.name) or {}
        tries.append(key.name)
        if len(tries) == 1:
            api.put(f"{MAPS}/a", config_map("a", changed="meanwhile"))
            return [Update("configmaps", found)]
        if len(tries) in (3, 4, 5):
            raise ValueError("a fault in the plan")
        return (
            () if found.get("data") == {"done": "yes"} else [Update("configmaps", {**found, "data": {"done": "yes"}})]
        )

    api.put(f"{MAPS}/a", config_map("a"))
    manager.add(controller(odd))
    await manager.start()
    await clock.advance(10)
    assert api.objects[f"{MAPS}/a"]["data"] == {"done": "yes"}
    assert [record.getMessage().split(" ")[:3] for record in caplog.records] == [["a", "plan", "failed;"]]


async def test_a_refusal_is_logged_once_and_tried_less_and_less_often(
    manager: Manager, api: SmallApi, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(method: str, path: str) -> None:
        if method == "POST":
            raise errors.Forbidden("exceeded quota")

    api.refuse = refuse
    api.put(f"{MAPS}/a", config_map("a"))
    manager.add(controller(lambda snapshot, key, now: [Create("configmaps", config_map("b"))]))
    await manager.start()
    await clock.advance(100)
    assert 10 < len(api.paths("POST")) < 20
    assert [record.levelname for record in caplog.records] == ["WARNING"]


async def test_a_controller_that_comes_later_begins_with_what_is_there(
    manager: Manager, api: SmallApi, clock: VirtualClock
) -> None:
    planned: list[str] = []

    def note(snapshot: Snapshot, key: Key, now: float) -> Plan:
        planned.append(key.name)
        return ()

    api.put(f"{MAPS}/a", config_map("a"))
    await manager.start()
    manager.add(controller(note))
    await clock.advance(0)
    assert planned == ["a"]


async def test_a_resync_plans_everything_again(manager: Manager, api: SmallApi, clock: VirtualClock) -> None:
    planned: list[str] = []

    def note(snapshot: Snapshot, key: Key, now: float) -> Plan:
        planned.append(key.name)
        return ()

    api.put(f"{MAPS}/a", config_map("a"))
    manager.add(controller(note, resync_seconds=30))
    await manager.start()
    await clock.advance(65)
    assert planned == ["a"] * 3


async def test_reading_what_is_not_watched_is_told(manager: Manager) -> None:
    with pytest.raises(LookupError, match="pods is read but not watched"):
        manager.snapshot.list("pods")
