from __future__ import annotations

from typing import Any

import pytest

from pybernetes.lib.clock import VirtualClock
from pybernetes.meta import errors, times
from pybernetes.meta.objects import Obj
from pybernetes.node.tokens import Tokens
from pybernetes.node.volumes.material import VolumeError

from .build import pod

SOURCE = {"path": "token", "expirationSeconds": 1000, "audience": "vault"}
POD = pod(serviceAccountName="sa", volumes=[{"name": "v", "projected": {"sources": [{"serviceAccountToken": SOURCE}]}}])


class Issuer:
    """The one call of the API that is used: it counts, or it is away."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock, self.away = clock, False
        self.asked: list[tuple[str, Any, Obj]] = []

    async def create(self, resource: str, obj: Obj, **where: Any) -> Obj:
        if self.away:
            raise errors.ServiceUnavailable("away")
        self.asked.append((resource, where, obj["spec"]))
        ends = times.render(self.clock.time() + obj["spec"]["expirationSeconds"])
        return {"status": {"token": f"token-{len(self.asked)}", "expirationTimestamp": ends}}


async def test_a_token_is_bound_to_its_pod_and_kept_until_most_of_its_life_is_over() -> None:
    clock = VirtualClock()
    issuer = Issuer(clock)
    tokens = Tokens(issuer, clock)
    assert await tokens.of_pod(POD) == {("vault", 1000): "token-1"}
    assert issuer.asked == [
        (
            "serviceaccounts",
            {"parent": "sa", "subresource": "token", "in_namespace": "ns"},
            {
                "expirationSeconds": 1000,
                "audiences": ["vault"],
                "boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"},
            },
        )
    ]
    assert tokens.renew_at("u") == pytest.approx(clock.time() + 800)
    await clock.advance(799)
    assert (await tokens.of_pod(POD)).popitem()[1] == "token-1"
    await clock.advance(2)
    assert (await tokens.of_pod(POD)).popitem()[1] == "token-2"


async def test_an_old_token_does_while_the_api_is_away_until_it_ends() -> None:
    clock = VirtualClock()
    issuer = Issuer(clock)
    tokens = Tokens(issuer, clock)
    await tokens.of_pod(POD)
    issuer.away = True
    await clock.advance(900)
    assert (await tokens.of_pod(POD)).popitem()[1] == "token-1"
    await clock.advance(200)
    with pytest.raises(VolumeError, match=r'^MountVolume.SetUp failed for volume "v" : failed to fetch token: away$'):
        await tokens.of_pod(POD)
