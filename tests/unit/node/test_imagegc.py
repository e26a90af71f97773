from __future__ import annotations

from pybernetes.node import imagegc
from pybernetes.node.eviction import Reading
from pybernetes.node.imagegc import Record
from pybernetes.node.imagekeeper import used
from pybernetes.node.runtime.port import Container, Image

NOW = 10_000.0
OLD = NOW - 1000


def image(id: str, size: int = 10, pulled: bool = True) -> Image:
    return Image(id, (f"{id}:1",), (f"{id}@sha256:0",) if pulled else (), size)


def test_nothing_goes_while_the_disk_is_less_than_nearly_full() -> None:
    assert imagegc.bytes_to_free(Reading(16, 100), 85, 80) == 0
    assert imagegc.bytes_to_free(Reading(15, 100), 85, 80) == 5
    assert imagegc.bytes_to_free(Reading(0, 100), 85, 80) == 20


def test_the_image_unused_for_longest_goes_first_until_enough_is_free() -> None:
    images = [image("a"), image("b"), image("c")]
    records = {"a": Record(OLD, 300), "b": Record(OLD, 100), "c": Record(OLD, 200)}
    assert [i.id for i in imagegc.victims(images, records, 15, NOW)] == ["b", "c"]


def test_what_is_used_or_new_or_was_brought_by_hand_stays() -> None:
    images = [image("used"), image("new"), image("brought", pulled=False), image("old")]
    records = imagegc.seen({}, images, {"used"}, OLD)
    records = imagegc.seen(records, images, {"used"}, NOW) | {"new": Record(NOW - 10)}
    assert [i.id for i in imagegc.victims(images, records, 1 << 40, NOW)] == ["old"]


def test_a_container_uses_its_image_by_whatever_name() -> None:
    images = [image("a"), image("b"), image("c")]
    containers = [Container("1", "s", "x", image="a:1"), Container("2", "s", "y", image_id="b@sha256:0")]
    assert used(images, containers) == {"a", "b"}
