from __future__ import annotations

from typing import Any

from pybernetes.control.cache import Cache
from pybernetes.control.expectations import TIMEOUT_SECONDS, Expectations, Written
from pybernetes.lib.clock import VirtualClock


def pod(name: str, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}", **metadata}}


def created(version: int) -> Written:
    written = Written()
    written.changed("pods", pod("a", resourceVersion=str(version)))
    return written


def test_a_key_waits_until_the_cache_has_seen_what_was_made(clock: VirtualClock) -> None:
    cache = Cache()
    expectations = Expectations[str]({"pods": cache}, clock)
    expectations.expect("web", created(7))
    cache.version = 6
    assert expectations.wait_seconds("web") == TIMEOUT_SECONDS
    assert list(expectations.released("pods")) == []
    cache.version = 7
    assert list(expectations.released("pods")) == ["web"]
    assert list(expectations.released("pods")) == []
    assert expectations.wait_seconds("web") == 0


def test_a_deletion_is_seen_when_the_object_is_gone_another_or_dying(clock: VirtualClock) -> None:
    cache = Cache()
    for seen in (None, pod("a", uid="another"), pod("a", deletionTimestamp="2026-01-01T00:00:00Z")):
        cache.put(pod("a"))
        expectations = Expectations[str]({"pods": cache}, clock)
        written = Written()
        written.deleted("pods", "default", "a", "uid-a")
        expectations.expect("web", written)
        assert expectations.wait_seconds("web") > 0
        cache.drop(pod("a"))
        if seen is not None:
            cache.put(seen)
        assert list(expectations.released("pods")) == ["web"]


def test_writes_to_what_nobody_watches_are_not_waited_for(clock: VirtualClock) -> None:
    expectations = Expectations[str]({}, clock)
    expectations.expect("web", created(7))
    assert expectations.wait_seconds("web") == 0


async def test_five_minutes_end_every_wait(clock: VirtualClock) -> None:
    expectations = Expectations[str]({"pods": Cache()}, clock)
    expectations.expect("web", created(7))
    await clock.advance(TIMEOUT_SECONDS)
    assert expectations.wait_seconds("web") == 0
