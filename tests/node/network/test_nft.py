"""A script goes into the kernel whole or not at all, by the library and by the program alike."""

from __future__ import annotations

from typing import Any

import pytest

from pybernetes.lib import process
from pybernetes.network.nft import Library, Nft, NftError

pytestmark = pytest.mark.node


@pytest.fixture(params=["library", "program"])
def node(request: pytest.FixtureRequest, world: Any) -> Any:
    if request.param == "library" and Library.load() is None:
        pytest.skip("libnftables is not installed")
    chosen = world.nodes["node1"]
    chosen.nft = chosen.run(_make(request.param))
    return chosen


async def _make(kind: str) -> Nft:
    return Nft(use_program=kind == "program")


def test_a_script_is_applied(node: Any) -> None:
    node.run(node.nft.run("add table ip pybtest\nadd set ip pybtest s { type ipv4_addr; }\n"))
    try:
        assert "set s" in node.run(listing())
    finally:
        node.run(node.nft.run("delete table ip pybtest\n"))


def test_a_refused_script_changes_nothing_and_says_why(node: Any) -> None:
    with pytest.raises(NftError, match="No such file or directory"):
        node.run(node.nft.run("add table ip pybtest\nadd rule ip pybtest nowhere accept\n"))
    assert "pybtest" not in node.run(listing())
    with pytest.raises(NftError, match="syntax error"):
        node.run(node.nft.run("nonsense\n"))


async def listing() -> str:
    return (await process.run(["nft", "list", "ruleset"])).stdout.decode()
