"""Whatever happens at once, in whatever order: no quota is exceeded, and what is free can be had."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from pybernetes.client.client import Client
from pybernetes.kinds import table
from pybernetes.lib.clock import VirtualClock
from pybernetes.lib.entropy import SeededEntropy
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj
from pybernetes.server.api import Api, Options
from pybernetes.server.context import User
from pybernetes.storage.memory import MemoryStore
from pybernetes.storage.watchcache import WatchCache

ADMIN = User("admin", groups=("system:masters",))
PODS_MAX, MILLICPU_MAX = 4, 1000
STEPS = st.lists(
    st.lists(
        st.tuples(st.sampled_from(("create", "create", "delete", "finish")), st.integers(0, 7), st.integers(1, 6)),
        min_size=1, max_size=8,
    ),
    min_size=1, max_size=6,
)  # fmt: skip
"""Groups of writes that happen at once: (what, number of the pod, hundreds of millicpu)."""


def pod(number: int, cpu: int) -> Obj:
    containers = [{"name": "c", "image": "a:1", "resources": {"requests": {"cpu": f"{cpu * 100}m"}}}]
    return {"metadata": {"name": f"p{number}", "namespace": "default"}, "spec": {"containers": containers}}


async def started() -> Client:
    clock = VirtualClock()
    cache = WatchCache(MemoryStore(clock), clock)
    await cache.start()
    api = Api(cache, table.builtin(), clock, SeededEntropy(1), Options())
    await api.start()
    client = api.client(ADMIN)
    await client.create("namespaces", {"metadata": {"name": "default"}})
    await client.create("serviceaccounts", {"metadata": {"name": "default", "namespace": "default"}})
    hard = {"pods": str(PODS_MAX), "requests.cpu": f"{MILLICPU_MAX}m"}
    await client.create("resourcequotas", {"metadata": {"name": "q", "namespace": "default"}, "spec": {"hard": hard}})
    return client


async def write(client: Client, what: str, number: int, cpu: int) -> errors.ApiError | None:
    try:
        if what == "create":
            await client.create("pods", pod(number, cpu))
        elif what == "delete":
            await client.delete("pods", f"p{number}", "default")
        else:
            done = {"status": {"phase": "Succeeded"}}
            await client.patch("pods", f"p{number}", done, namespace="default", subresource="status")
    except errors.ApiError as error:
        return error
    return None


async def used(client: Client) -> tuple[int, int]:
    """(pods, millicpu) of all that runs."""
    pods = (await client.list("pods", "default"))["items"]
    running = [one for one in pods if one["status"]["phase"] == "Pending"]
    asked = (one["spec"]["containers"][0]["resources"]["requests"]["cpu"] for one in running)
    return len(running), sum(int(text.removesuffix("m")) for text in asked)


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_no_quota_is_exceeded_and_what_is_free_can_be_had(steps: list[list[tuple[str, int, int]]]) -> None:
    async def run() -> None:
        client = await started()
        for group in steps:
            await asyncio.gather(*(write(client, *step) for step in group))
            pods, cpu = await used(client)
            assert pods <= PODS_MAX
            assert cpu <= MILLICPU_MAX
        fits = pods < PODS_MAX and cpu + 100 <= MILLICPU_MAX
        refused = await write(client, "create", 99, 1)
        assert (refused is None) is fits, refused

    asyncio.run(run())
