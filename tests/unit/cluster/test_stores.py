from __future__ import annotations

import pytest

from pybernetes.cluster import config, stores
from pybernetes.cluster.config import ConfigError


def test_the_url_names_every_member() -> None:
    assert stores.endpoints("etcd://10.0.0.1:2379,[::1]:2379,etcd-3:2379") == [
        "10.0.0.1:2379",
        "[::1]:2379",
        "etcd-3:2379",
    ]
    assert stores.endpoints("") == ()


@pytest.mark.parametrize("url", ["etcd:", "etcd://", "etcd://host", "http://host:2379", "etcd://a:1,b", "etcd://a:0"])
def test_what_is_no_such_url_is_refused_with_its_form(url: str) -> None:
    with pytest.raises(ConfigError, match=r"--store .*must be etcd://HOST:PORT"):
        config.merged(None, {"store": url})
