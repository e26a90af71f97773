from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest

from pybernetes.control.cache import Delta
from pybernetes.control.informer import Informer
from pybernetes.control.reflector import State
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


class Heard:
    """A subscriber that remembers what it was told: ``+name``, ``~name``, ``-name``."""

    def __init__(self, informer: Informer) -> None:
        self.batches: list[list[str]] = []
        informer.subscribe(self)

    def __call__(self, deltas: Sequence[Delta]) -> None:
        signs = {(True, False): "+", (False, False): "~", (False, True): "-"}
        self.batches.append(
            [signs[old is None, new is None] + (new or old or {})["metadata"]["name"] for old, new in deltas]
        )


async def test_who_subscribes_first_hears_of_everything_and_who_comes_later_of_what_is_there(
    manager: Manager, api: SmallApi, clock: VirtualClock
) -> None:
    api.put(f"{MAPS}/a", config_map("a"))
    informer = manager.informer("configmaps")
    early = Heard(informer)
    await informer.synced()
    api.put(f"{MAPS}/b", config_map("b"))
    api.put(f"{MAPS}/a", config_map("a", x="1"))
    await clock.advance(0)
    assert early.batches == [["+a"], ["+b", "~a"]]
    assert Heard(informer).batches == [["+a", "+b"]]


async def test_cached_objects_know_their_kind_though_lists_come_without(manager: Manager, api: SmallApi) -> None:
    api.put(f"{MAPS}/a", config_map("a", x="1"))
    informer = manager.informer("configmaps")
    await informer.synced()
    found = informer.cache.get("default", "a")
    assert found is not None
    assert (found["apiVersion"], found["kind"], found["data"]) == ("v1", "ConfigMap", {"x": "1"})


async def test_an_informer_of_metadata_keeps_nothing_else_and_a_whole_one_serves_both(
    manager: Manager, api: SmallApi
) -> None:
    api.put(f"{MAPS}/a", config_map("a", x="1"))
    lean = manager.informer("configmaps", metadata_only=True)
    await lean.synced()
    assert "data" not in (lean.cache.get("default", "a") or {})
    whole = manager.informer("configmaps")
    assert whole is not lean
    assert manager.informer("configmaps", metadata_only=True) is whole is manager.informer("configmaps")


async def test_a_watch_that_ends_goes_on_where_it_was(manager: Manager, api: SmallApi, clock: VirtualClock) -> None:
    informer = manager.informer("configmaps")
    heard = Heard(informer)
    await informer.synced()
    api.put(f"{MAPS}/a", config_map("a"))
    await clock.advance(0)
    api.end_watches()
    api.put(f"{MAPS}/b", config_map("b"))
    await clock.advance(1)
    assert heard.batches == [["+a"], ["+b"]]
    assert api.paths("GET") == ["/api/v1/configmaps"]


async def test_forgotten_history_is_made_up_for_by_a_list(manager: Manager, api: SmallApi, clock: VirtualClock) -> None:
    api.put(f"{MAPS}/a", config_map("a"))
    informer = manager.informer("configmaps")
    heard = Heard(informer)
    await informer.synced()
    await clock.advance(0)
    await api.client().delete("configmaps", "a", "default")
    api.put(f"{MAPS}/b", config_map("b"))
    api.forget_history()
    api.end_watches()
    await clock.advance(1)
    assert heard.batches == [["+a"], ["-a", "+b"]]


async def test_a_server_that_is_away_is_tried_again_less_and_less_often(
    manager: Manager, api: SmallApi, clock: VirtualClock
) -> None:
    def away(method: str, path: str) -> None:
        raise errors.ServiceUnavailable("away")

    api.refuse = away
    informer = manager.informer("configmaps")
    await clock.advance(600)
    assert 10 < len(api.requests) < 30
    assert not informer.has_synced
    api.refuse = lambda method, path: None
    await clock.advance(60)
    assert informer.has_synced


async def test_a_fault_is_logged_and_made_good_by_a_list(
    manager: Manager, api: SmallApi, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    informer = manager.informer("configmaps")
    await informer.synced()
    api.put(f"{MAPS}/odd", {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {}})
    await clock.advance(0)
    api.objects[f"{MAPS}/odd"] = config_map("odd")
    await clock.advance(1)
    assert informer.cache.get("default", "odd") is not None
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_the_state_of_the_loop_is_a_version_and_a_count_of_failures() -> None:
    state = State().listed("7")
    assert state.backoff_seconds(0.5) == 0
    away = state.failed(errors.ServiceUnavailable("away")).failed(errors.ServiceUnavailable("away"))
    assert away == State("7", 2)
    assert (away.backoff_seconds(0), away.backoff_seconds(1)) == (0.2, 0.4)
    assert State(failures=99).backoff_seconds(0) == 30
    assert away.heard("9") == State("9")
    assert away.ended(60) == State("7")
    assert away.ended(0.1) == State("7", 3)


def test_a_server_that_always_forgets_is_not_asked_without_end() -> None:
    state = State()
    for _ in range(5):
        state = state.listed("7").failed(errors.Expired("too old"))
    assert state == State("", 5)
