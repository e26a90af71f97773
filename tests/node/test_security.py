"""Security contexts as the kernel shows them from within."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.testing.onenode import FOREVER, OneNode, shell
from pybernetes.testing.onenode import container_status as status

pytestmark = pytest.mark.node

DEFAULT_CAPABILITIES = 0xA80425FB
CAP_NET_RAW, CAP_SYS_TIME = 1 << 13, 1 << 25


async def told(world: OneNode, pod: Any, *fields: str) -> list[str]:
    """Lines of the container's ``/proc/self/status``."""
    lines = (await world.run_in(pod, "c", "cat", "/proc/self/status")).splitlines()
    found = dict(line.split(":", 1) for line in lines)
    return [" ".join(found[field].split()) for field in fields]


async def test_users_and_groups_are_the_pods_unless_the_container_has_its_own(world: OneNode) -> None:
    pod_wide = {"runAsUser": 1000, "runAsGroup": 3000, "supplementalGroups": [4000], "fsGroup": 2000}
    volumes = {"volumes": [{"name": "e", "emptyDir": {}}], "securityContext": pod_wide}
    mounts = {"volumeMounts": [{"name": "e", "mountPath": "/e"}]}
    await world.pod("p", shell("c", FOREVER, **mounts), **volumes)
    await world.pod("q", shell("c", FOREVER, securityContext={"runAsUser": 2000}), **volumes)
    p, q = await world.ready("p"), await world.ready("q")
    uid, gid, groups = await told(world, p, "Uid", "Gid", "Groups")
    assert (uid, gid) == ("1000 1000 1000 1000", "3000 3000 3000 3000")
    assert {"2000", "4000"} <= set(groups.split())
    assert await world.run_in(p, "c", "sh", "-c", "echo x > /e/f; stat -c %g /e /e/f") == "2000\n2000\n"
    assert (await told(world, q, "Uid"))[0].startswith("2000 ")


async def test_capabilities_are_added_and_dropped(world: OneNode) -> None:
    await world.pod("p", shell("c", FOREVER))
    change = {"capabilities": {"add": ["SYS_TIME"], "drop": ["NET_RAW"]}}
    await world.pod("q", shell("c", FOREVER, securityContext=change))
    p, q = await world.ready("p"), await world.ready("q")
    assert int((await told(world, p, "CapEff"))[0], 16) == DEFAULT_CAPABILITIES
    assert int((await told(world, q, "CapEff"))[0], 16) == (DEFAULT_CAPABILITIES | CAP_SYS_TIME) & ~CAP_NET_RAW


async def test_a_privileged_container_sees_the_nodes_devices(world: OneNode) -> None:
    await world.pod("p", shell("c", FOREVER, securityContext={"privileged": True}))
    await world.pod("q", shell("c", FOREVER))
    p, q = await world.ready("p"), await world.ready("q")
    devices = "ls /dev | wc -l"
    inside = [int(await world.run_in(pod, "c", "sh", "-c", devices)) for pod in (p, q)]
    assert inside[0] > inside[1] + 10


async def test_a_read_only_root_refuses_writes(world: OneNode) -> None:
    await world.pod("p", shell("c", FOREVER, securityContext={"readOnlyRootFilesystem": True}))
    pod = await world.ready("p")
    assert "Read-only file system" in await world.run_in(pod, "c", "sh", "-c", "(echo x > /f) 2>&1")


async def test_no_new_privileges_and_a_seccomp_filter_where_asked_for(world: OneNode) -> None:
    strict = {"allowPrivilegeEscalation": False, "seccompProfile": {"type": "RuntimeDefault"}}
    await world.pod("p", shell("c", FOREVER, securityContext=strict))
    await world.pod("q", shell("c", FOREVER))
    p, q = await world.ready("p"), await world.ready("q")
    assert await told(world, p, "NoNewPrivs", "Seccomp") == ["1", "2"]
    assert await told(world, q, "NoNewPrivs", "Seccomp") == ["0", "0"]


async def test_a_pods_sysctls_are_set_in_its_own_namespace(world: OneNode) -> None:
    context = {"sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "80"}]}
    await world.pod("p", shell("c", FOREVER), securityContext=context)
    pod = await world.ready("p")
    assert await world.run_in(pod, "c", "cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start") == "80\n"


async def test_root_that_must_not_be_root_is_not_started(world: OneNode) -> None:
    await world.pod("p", shell("c", FOREVER, securityContext={"runAsNonRoot": True}))
    pod = await world.until("p", lambda found: bool(status(found, "c")["state"].get("waiting", {}).get("message")))
    waiting = status(pod, "c")["state"]["waiting"]
    assert waiting["reason"] == "CreateContainerConfigError"
    assert waiting["message"].startswith("container has runAsNonRoot and image will run as root")


@pytest.mark.parametrize(
    ("resources", "score"),
    [
        ({}, "1000"),
        ({"requests": {"memory": "1Mi"}}, "999"),
        ({"limits": {"cpu": "100m", "memory": "32Mi"}}, None),
    ],
    ids=["BestEffort", "Burstable", "Guaranteed"],
)
async def test_the_kernel_takes_the_least_guaranteed_first(
    world: OneNode, resources: dict[str, Any], score: str | None
) -> None:
    await world.pod("p", shell("c", FOREVER, resources=resources))
    pod = await world.ready("p")
    shown = (await world.run_in(pod, "c", "cat", "/proc/1/oom_score_adj")).strip()
    assert shown == score if score else int(shown) <= 0 or int(shown) < 900
