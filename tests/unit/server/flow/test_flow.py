"""Priority and fairness: who belongs where, who waits, who is shed, and who goes next."""

from __future__ import annotations

import asyncio

import pytest

from pybernetes.lib.metrics import Metrics
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.server import requestinfo
from pybernetes.server.context import Request, User
from pybernetes.server.flow import bootstrap, queues
from pybernetes.server.flow.control import WAIT_SECONDS, FlowControl, Refused
from pybernetes.server.flow.queues import Queues

from ..build import ADMIN, JANE, Cluster

PODS = "/api/v1/namespaces/default/pods"


def asked(user: User = JANE, path: str = PODS) -> Request:
    request = Request("GET", path)
    request.user, request.info = user, requestinfo.of(request)
    return request


async def furnished(seats: int = 600, changed: dict[str, Obj] | None = None) -> tuple[Cluster, FlowControl]:
    """Flow control over the first objects; ``changed``: specs of levels, by name."""
    cluster = Cluster()
    for resource, obj in bootstrap.objects():
        name = objects.name(obj)
        spec = (changed or {}).get(name) if resource == bootstrap.LEVELS else None
        await cluster.put(resource, {**obj, "spec": spec or obj["spec"]})
    return cluster, FlowControl(cluster.live, cluster.clock, Metrics(), seats=seats)


@pytest.mark.parametrize(
    ("user", "path", "schema"),
    [
        (ADMIN, PODS, "exempt"),
        (JANE, "/healthz", "probes"),
        (JANE, PODS, "global-default"),
        (User("system:node:a", groups=("system:nodes",)), "/api/v1/nodes/a", "system-node-high"),
        (User("system:node:a", groups=("system:nodes",)), PODS, "system-nodes"),
        (User("system:kube-scheduler"), "/apis/coordination.k8s.io/v1/namespaces/a/leases/b", "system-leader-election"),
        (User("system:serviceaccount:kube-system:x"), PODS, "kube-system-service-accounts"),
        (User("system:serviceaccount:a:x", groups=("system:serviceaccounts",)), PODS, "service-accounts"),
        (User("nobody"), PODS, "catch-all"),
    ],
)
async def test_a_request_belongs_to_the_first_schema_that_matches(user: User, path: str, schema: str) -> None:
    _, flow = await furnished()
    assert objects.name(flow.schema(asked(user, path)).obj) == schema


async def test_a_level_beyond_its_seats_and_without_queues_sheds() -> None:
    _, flow = await furnished(seats=1)
    request = asked(User("nobody"))
    schema = flow.schema(request)
    await flow.seat(schema, request)
    with pytest.raises(Refused, match="concurrency-limit"):
        await flow.seat(schema, request)
    flow.rise(schema.level)
    await flow.seat(schema, request)


def limited(shares: int, queues: int, length: int) -> Obj:
    queuing = {"queues": queues, "handSize": 1, "queueLengthLimit": length}
    return {
        "type": "Limited",
        "limited": {"nominalConcurrencyShares": shares, "limitResponse": {"type": "Queue", "queuing": queuing}},
    }


async def test_who_waits_is_served_when_a_seat_is_free_and_shed_when_the_queue_is_full_or_the_wait_too_long() -> None:
    cluster, flow = await furnished(
        seats=1, changed={"global-default": limited(20, 1, 2), "workload-low": limited(1, 1, 1)}
    )
    request = asked()
    schema = flow.schema(request)
    schema.level.borrowing = 0
    await flow.seat(schema, request)
    first, second = (asyncio.ensure_future(flow.seat(schema, request)) for _ in range(2))
    await asyncio.sleep(0)
    with pytest.raises(Refused, match="queue-full"):
        await flow.seat(schema, request)
    flow.rise(schema.level)
    await first
    assert not second.done()
    await cluster.clock.advance(WAIT_SECONDS)
    with pytest.raises(Refused, match="time-out"):
        await second
    assert schema.level.seated == 1
    assert schema.level.waiting.length == 0


async def test_whoever_gives_up_waiting_keeps_no_seat() -> None:
    _, flow = await furnished(seats=1, changed={"global-default": limited(20, 1, 2)})
    request = asked()
    schema = flow.schema(request)
    schema.level.borrowing = 0
    await flow.seat(schema, request)
    waiting = asyncio.ensure_future(flow.seat(schema, request))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    flow.rise(schema.level)
    assert (schema.level.seated, schema.level.waiting.length) == (0, 0)


async def test_a_level_borrows_what_others_lend_and_do_not_use() -> None:
    _, flow = await furnished(seats=245)
    request = asked()
    schema = flow.schema(request)
    assert schema.level.nominal == 20
    for _ in range(20 + 9 + 10 + 20 + 90):
        await flow.seat(schema, request)
    full = asyncio.ensure_future(flow.seat(schema, request))
    await asyncio.sleep(0)
    assert not full.done()
    flow.rise(schema.level)
    await full


def test_a_hand_has_different_queues_and_is_the_same_each_time() -> None:
    for number in range(200):
        hand = queues.dealt(queues.hashed("schema", f"user-{number}"), 64, 6)
        assert len(set(hand)) == 6
        assert all(0 <= card < 64 for card in hand)
        assert hand == queues.dealt(queues.hashed("schema", f"user-{number}"), 64, 6)
    assert sorted(queues.dealt(12345, 3, 8)) == [0, 1, 2]


def test_a_flow_that_asks_much_does_not_go_before_one_that_asks_little() -> None:
    waiting: Queues[str] = Queues()
    for number in range(5):
        assert waiting.enter(f"much-{number}", [0], 50)
    assert waiting.enter("little", [1], 50)
    assert [waiting.next() for _ in range(3)] == ["much-0", "little", "much-1"]
