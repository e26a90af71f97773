"""The course's black-box cases, where their folder is at hand: real kubectl against a cluster of the real command.

The folder is named by PYBERNETES_ACCEPTANCE, or is ``shared/acceptance`` beside the checkout. Its runner prints a line
for each case; a case that fails fails its test here with the runner's words.
"""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SUITE = Path(os.environ.get("PYBERNETES_ACCEPTANCE") or ROOT.parent / "shared" / "acceptance")
SECTIONS = ("0", "2.1", "2.2", "2.4", "3.1", "3.2", "7-8", "N")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (SUITE / "run").exists(), reason=f"the acceptance cases are not at {SUITE}"),
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl on the PATH"),
]


def cases(tier: str) -> list[str]:
    """Names of the cases of our sections and of one tier."""
    found = []
    for meta in sorted(SUITE.glob("cases/*/meta")):
        fields = dict(line.split("=", 1) for line in meta.read_text().splitlines() if "=" in line)
        if fields.get("section") in SECTIONS and fields.get("tier") == tier:
            found.append(meta.parent.name)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def pybernetes(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pybernetes", *arguments], text=True, timeout=300, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode:
        raise AssertionError(f"pybernetes {' '.join(arguments)}: {done.stdout}")


def up(data: Path, *options: str) -> Path:
    pybernetes("up", "--data", str(data), "--port", str(free_port()), *options)
    return data / "kubeconfig"


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    data = tmp_path_factory.mktemp("simulated")
    try:
        yield up(data, "--nodes", "0", "--simulate", "2")
    finally:
        pybernetes("down", "--data", str(data), "--purge")


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    from pybernetes.cluster import host

    if lacking := host.missing():
        pytest.skip(host.remedy(lacking))
    data = tmp_path_factory.mktemp("real")
    images = tmp_path_factory.mktemp("images")
    try:
        kubeconfig = up(data, "--nodes", "2")
        build_images(data, images)
        yield kubeconfig
    finally:
        pybernetes("down", "--data", str(data), "--purge")


def build_images(data: Path, work: Path) -> None:
    """The images that the cases name, from Debian's busybox-static."""
    subprocess.run([str(ROOT / "examples/demo/images.sh"), str(work)], check=True)
    shutil.copy(SUITE / "images/web/entry.sh", work / "web/entry.sh")
    pybernetes("image", "build", str(work / "busybox"), "--name", "busybox:1.36", "--data", str(data))
    for version in ("v1", "v2"):
        pybernetes(
            "image", "build", str(work / "web"), "--name", f"acc/web:{version}", "--data", str(data),
            "--entrypoint", "sh", "/entry.sh", "--env", f"VERSION={version}", "--env", "PORT=8080",
        )  # fmt: skip


def check(case: str, kubeconfig: Path, cache: Path) -> None:
    environment = {**os.environ, "KUBECONFIG": str(kubeconfig), "KUBECACHEDIR": str(cache)}
    done = subprocess.run(
        ["bash", str(SUITE / "cases" / case / "check.sh")], env=environment, text=True, timeout=600, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert (done.stdout.strip().splitlines() or ["it printed nothing"])[-1] == "ok"


@pytest.mark.parametrize("case", cases("sim"))
def test_on_simulated_nodes(case: str, simulated: Path) -> None:
    check(case, simulated, simulated.parent / "kubectl-cache")


@pytest.mark.node
@pytest.mark.parametrize("case", [*cases("real"), *cases("sim")])
def test_on_real_nodes(case: str, real: Path) -> None:
    check(case, real, real.parent / "kubectl-cache")
