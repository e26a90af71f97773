"""What a node gives and takes under real limits: classes of service in cgroups, evictions, logs that are set aside."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pybernetes.lib.clock import SystemClock
from pybernetes.meta import objects
from pybernetes.node.runtime.cri import Cri
from pybernetes.testing import onenode
from pybernetes.testing.onenode import FOREVER, OneNode, shell
from pybernetes.testing.onenode import container_status as status

pytestmark = pytest.mark.node

CGROUPS = Path("/sys/fs/cgroup")
MEMORY = CGROUPS if (CGROUPS / "cgroup.controllers").exists() else CGROUPS / "memory"


@pytest.fixture
async def small(containerd: Any) -> AsyncIterator[OneNode]:
    """A node that has little memory, looks after it often, and sets logs aside soon."""
    config = onenode.config(containerd.root, cgroup=containerd.cgroup_root, cgroups=CGROUPS)
    changed = replace(
        config, capacity={"memory": "160Mi"}, eviction={"memory.available": "60Mi"}, housekeeping_seconds=0.2,
        log_bytes_max=10_000,
    )  # fmt: skip
    made = OneNode(Cri(str(containerd.socket)), changed, SystemClock())
    await made.start()
    yield made
    await made.end_pods()
    await made.stop()


async def test_of_two_pods_the_one_beyond_its_request_is_evicted(small: OneNode) -> None:
    node = await small.admin.get("nodes", onenode.NODE)
    assert (node["status"]["capacity"]["memory"], node["status"]["allocatable"]["memory"]) == ("160Mi", "100Mi")
    modest = {"requests": {"memory": "30Mi"}, "limits": {"memory": "30Mi"}}
    await small.pod("modest", shell("c", FOREVER, resources=modest))
    await small.ready("modest")
    hold = "dd if=/dev/zero of=/ram/f bs=1M count=120; " + FOREVER
    await small.pod(
        "greedy", shell("c", hold, volumeMounts=[{"name": "ram", "mountPath": "/ram"}]),
        volumes=[{"name": "ram", "emptyDir": {"medium": "Memory"}}],
    )  # fmt: skip
    pod = await small.until("greedy", lambda found: found["status"]["phase"] == "Failed")
    assert pod["status"]["reason"] == "Evicted"
    assert "Container c was using" in pod["status"]["message"]
    assert objects.condition_is(await small.admin.get("pods", "modest", "default"), "Ready")
    node = await small.admin.get("nodes", onenode.NODE)
    assert objects.condition_is(node, "MemoryPressure")
    await small.pod("late", shell("c", FOREVER))
    refused = await small.until("late", lambda found: found["status"]["phase"] == "Failed")
    assert refused["status"]["message"] == "Pod was rejected: The node had condition: [MemoryPressure]. "


async def test_a_volume_fuller_than_its_limit_ends_its_pod(small: OneNode) -> None:
    fill = "dd if=/dev/zero of=/cache/f bs=1k count=1100; " + FOREVER
    await small.pod(
        "p", shell("c", fill, volumeMounts=[{"name": "cache", "mountPath": "/cache"}]),
        volumes=[{"name": "cache", "emptyDir": {"sizeLimit": "1Mi"}}],
    )  # fmt: skip
    pod = await small.until("p", lambda found: found["status"].get("reason") == "Evicted")
    assert pod["status"]["message"] == 'Usage of EmptyDir volume "cache" exceeds the limit "1Mi". '


async def test_a_long_log_goes_on_in_a_new_file_and_none_of_it_is_lost(small: OneNode) -> None:
    lines = "i=0; while [ $i -lt 400 ]; do echo line-$i; i=$((i+1)); sleep 0.002; done; " + FOREVER
    await small.pod("p", shell("c", lines))
    pod = await small.ready("p")
    folder = small.config.logs / f"default_p_{objects.uid(pod)}" / "c"

    def written() -> bool:
        texts = [p.read_text() for p in folder.iterdir()]
        return len(texts) > 1 and any("line-399" in text for text in texts)

    await small.eventually(written)
    texts = [p.read_text() for p in sorted(folder.iterdir(), key=lambda p: p.name == "0.log")]
    numbers = [int(line.rpartition("-")[2]) for text in texts for line in text.splitlines()]
    assert numbers == list(range(400))


async def test_each_class_of_service_has_its_place_among_the_cgroups(world: OneNode) -> None:
    limits = {"limits": {"cpu": "100m", "memory": "32Mi"}}
    await world.pod("guaranteed", shell("c", FOREVER, resources=limits))
    await world.pod("burstable", shell("c", FOREVER, resources={"requests": {"memory": "1Mi"}}))
    await world.pod("besteffort", shell("c", FOREVER))
    top = MEMORY / world.config.cgroup.lstrip("/") / "kubepods"
    for name, folder in (("guaranteed", top), ("burstable", top / "burstable"), ("besteffort", top / "besteffort")):
        pod = await world.ready(name)
        assert pod["status"]["qosClass"].lower() == name
        container = status(pod, "c")["containerID"].rpartition("/")[2]
        assert (folder / f"pod{objects.uid(pod)}" / container).is_dir()
