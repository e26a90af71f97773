"""The course's black-box cases, where their folder is at hand: real kubectl against a cluster of the real command.

The folder is named by PYBERNETES_ACCEPTANCE, or is ``shared/acceptance`` beside the checkout. Its runner prints a line
for each case; a case that fails fails its test here with the runner's words.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pybernetes.cluster import host
from pybernetes.testing.command import Command, free_port

ROOT = Path(__file__).parents[2]
SUITE = Path(os.environ.get("PYBERNETES_ACCEPTANCE") or ROOT.parent / "shared" / "acceptance")
SECTIONS = ("0", "2.1", "2.2", "2.3", "2.4", "3.1", "3.2", "3.3", "4.1", "4.2", "5.2", "6.1", "6.2", "7-8", "N")

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
        if "ingress" in fields.get("needs", "") and not host.find_tool("haproxy"):
            continue
        if fields.get("section") in SECTIONS and fields.get("tier") == tier:
            found.append(meta.parent.name)
    return found


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    yield from cluster(tmp_path_factory, "--nodes", "0", "--simulate", "2")


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    if lacking := host.missing():
        pytest.skip(host.remedy(lacking))
    for command in cluster(tmp_path_factory, "--nodes", "2"):
        build_images(command, tmp_path_factory.mktemp("images"))
        yield command


def cluster(tmp_path_factory: pytest.TempPathFactory, *options: str) -> Iterator[Command]:
    command = Command(tmp_path_factory.mktemp("acceptance") / "data")
    try:
        command("up", "--port", str(free_port()), *options)
        yield command
    finally:
        command.run("down", "--purge")


def build_images(command: Command, work: Path) -> None:
    """The images that the cases name, from Debian's busybox-static."""
    subprocess.run([str(ROOT / "examples/demo/images.sh"), str(work)], check=True)
    shutil.copy(SUITE / "images/web/entry.sh", work / "web/entry.sh")
    command("image", "build", str(work / "busybox"), "--name", "busybox:1.36")
    for version in ("v1", "v2"):
        command(
            "image", "build", str(work / "web"), "--name", f"acc/web:{version}",
            "--entrypoint", "sh", "/entry.sh", "--env", f"VERSION={version}", "--env", "PORT=8080",
        )  # fmt: skip


def check(case: str, command: Command) -> None:
    environment = {
        **os.environ, "KUBECONFIG": str(command.kubeconfig), "KUBECACHEDIR": str(command.data.with_name("cache")),
    }  # fmt: skip
    done = subprocess.run(
        ["bash", str(SUITE / "cases" / case / "check.sh")], env=environment, text=True, timeout=600, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert (done.stdout.strip().splitlines() or ["it printed nothing"])[-1] == "ok"


@pytest.mark.parametrize("case", cases("sim"))
def test_on_simulated_nodes(case: str, simulated: Command) -> None:
    check(case, simulated)


@pytest.mark.node
@pytest.mark.parametrize("case", [*cases("real"), *cases("sim")])
def test_on_real_nodes(case: str, real: Command) -> None:
    check(case, real)
