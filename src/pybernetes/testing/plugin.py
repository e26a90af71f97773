"""The pytest plugin: a fixture ``cluster`` that is a whole Kubernetes cluster of the test's own.

    @pytest.mark.cluster(nodes=3, virtual_clock=True)
    def test_it(cluster):
        cluster.apply("...")                         # YAML, a Path, or objects
        cluster.until("deployments.apps", "web", lambda d: d["status"].get("availableReplicas") == 3)
        core = kubernetes.client.CoreV1Api(cluster.official())
        cluster.clock.advance(3600)

Rule: whoever has the plugin installed and does not use it pays for nothing: all imports happen in the fixtures. A
fixture of the same name in a test's own conftest comes first, as everywhere in pytest.
Neighbours: ``served.py`` is what the fixture gives.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pybernetes.testing.served import Credentials, Served

MARKER = "cluster(nodes=1, virtual_clock=False): what the cluster of the fixture 'cluster' is like (pybernetes)"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


@pytest.fixture(scope="session")
def pybernetes_credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    """Certificates of the session's clusters."""
    from pybernetes.testing.served import Credentials

    return Credentials.make(tmp_path_factory.mktemp("pybernetes-pki"))


@pytest.fixture
def cluster(request: pytest.FixtureRequest, pybernetes_credentials: Credentials, tmp_path: Path) -> Iterator[Served]:
    """A cluster that is there for this test only; ``@pytest.mark.cluster`` says what it is like."""
    from pybernetes.testing.served import Served, Settings

    mark = request.node.get_closest_marker("cluster")
    try:
        settings = Settings(**mark.kwargs) if mark is not None else Settings()
    except TypeError as error:
        raise pytest.UsageError(f"@pytest.mark.cluster takes nodes and virtual_clock: {error}") from error
    with Served(pybernetes_credentials, tmp_path / "kubeconfig", settings) as made:
        yield made
