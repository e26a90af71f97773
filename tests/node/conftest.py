"""A containerd of the tests' own, with a CNI network and three images, for every test marked ``node``.

It lives in a private mount namespace, where crun finds cgroups it understands; its folder is a shared mount, so that
what the agent mounts there shows inside. Without root or the programs the tests are skipped and say why.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pybernetes.lib.clock import SystemClock
from pybernetes.node import ociimage
from pybernetes.node.runtime.cri import Cri
from pybernetes.testing import onenode
from pybernetes.testing.onenode import OneNode

PAUSE = "docker.io/pybernetes/pause:test"
BUSYBOX = "busybox:test"
SUBNET = "10.222.0.0/24"
PROGRAMS = ("containerd", "ctr", "busybox", "catatonit", "unshare")
CNI_BIN = next((p for p in (Path("/usr/lib/cni"), Path("/opt/cni/bin")) if (p / "ptp").exists()), None)


@dataclass(frozen=True)
class Containerd:
    socket: Path
    root: Path
    cgroup_root: str

    def ctr(self, *arguments: str) -> str:
        command = ["ctr", "--address", str(self.socket), "--namespace", "k8s.io", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def missing() -> str:
    if os.geteuid() != 0:
        return "real containers need root"
    lacking = [p for p in PROGRAMS if shutil.which(p, path="/usr/sbin:/sbin:/usr/bin:/bin") is None]
    if not any(shutil.which(r, path="/usr/sbin:/usr/bin") for r in ("crun", "runc")):
        lacking.append("crun")
    if CNI_BIN is None:
        lacking.append("containernetworking-plugins")
    return f"real containers need {', '.join(lacking)}" if lacking else ""


def config(root: Path, run: Path, runtime: str) -> str:
    return f"""version = 2
root = "{root}/root"
state = "{run}/state"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.internal.v1.restart"]
[grpc]
  address = "{run}/containerd.sock"
[ttrpc]
  address = "{run}/containerd.sock.ttrpc"
[plugins."io.containerd.internal.v1.opt"]
  path = "{root}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  tolerate_missing_hugetlb_controller = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI_BIN}"
    conf_dir = "{root}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "oci"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.oci]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.oci.options]
        BinaryName = "{runtime}"
        Root = "{run}/runtime"
"""


NETWORK = f"""{{"cniVersion": "0.4.0", "name": "pybtest", "plugins": [
  {{"type": "ptp", "ipam": {{"type": "host-local", "ranges": [[{{"subnet": "{SUBNET}"}}]],
    "routes": [{{"dst": "0.0.0.0/0"}}]}}}},
  {{"type": "portmap", "capabilities": {{"portMappings": true}}}}]}}"""


@pytest.fixture(scope="session")
def containerd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containerd]:
    lack = missing()
    if lack:
        pytest.skip(lack)
    root = tmp_path_factory.mktemp("containerd")
    run = Path(f"/run/pybtest-{os.getpid()}")
    subprocess.run(["mount", "--bind", root, root], check=True)
    subprocess.run(["mount", "--make-shared", root], check=True)
    for folder in (root / "cni", root / "cni-state", root / "images", run):
        folder.mkdir(parents=True)
    runtime = shutil.which("crun", path="/usr/bin") or shutil.which("runc", path="/usr/sbin:/usr/bin") or ""
    (root / "config.toml").write_text(config(root, run, runtime))
    (root / "cni" / "10.conflist").write_text(NETWORK)
    enter = (
        "mount --make-rslave / && mount --make-rshared / && mkdir -p /var/lib/cni && "
        f"mount --bind {root}/cni-state /var/lib/cni && "
        "if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi && "
        f"exec containerd --config {root}/config.toml --log-level warn"
    )
    log = (run / "log").open("w")
    daemon = subprocess.Popen(
        ["unshare", "--mount", "--propagation", "unchanged", "sh", "-c", enter],
        stdout=log, stderr=log, start_new_session=True,
    )  # fmt: skip
    host = Containerd(run / "containerd.sock", root, f"/pybtest-{os.getpid()}")
    try:
        wait_for(host)
        for archive in images(root / "images"):
            host.ctr("images", "import", str(archive))
        yield host
    finally:
        end(host, daemon)
        log.close()
        subprocess.run(["umount", "--recursive", root], check=False)
        shutil.rmtree(run, ignore_errors=True)


@pytest.fixture
async def world(containerd: Containerd) -> AsyncIterator[OneNode]:
    """A node on that containerd under a server of the test's own."""
    config = onenode.config(containerd.root, cgroup=containerd.cgroup_root, cgroups=Path("/sys/fs/cgroup"))
    made = OneNode(Cri(str(containerd.socket)), config, SystemClock())
    await made.start()
    yield made
    await made.end_pods()
    await made.stop()


def wait_for(host: Containerd) -> None:
    for _ in range(200):
        try:
            host.ctr("version")
            return
        except subprocess.CalledProcessError:
            time.sleep(0.05)
    raise RuntimeError(f"containerd does not answer: {(host.socket.parent / 'log').read_text()}")


def images(folder: Path) -> Iterator[Path]:
    pause = folder / "pause"
    pause.mkdir()
    shutil.copy2(shutil.which("catatonit") or "", pause / "pause")
    ociimage.build(pause, PAUSE, folder / "pause.tar", entrypoint=["/pause", "-P"])
    yield folder / "pause.tar"
    busybox = folder / "busybox"
    for name in ("bin", "tmp", "etc", "root", "proc", "sys", "dev"):
        (busybox / name).mkdir(parents=True)
    shutil.copy2(shutil.which("busybox") or "", busybox / "bin" / "busybox")
    applets = subprocess.run(["busybox", "--list"], check=True, capture_output=True, text=True).stdout.split()
    for applet in applets:
        if applet != "busybox":
            (busybox / "bin" / applet).symlink_to("busybox")
    (busybox / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (busybox / "etc" / "group").write_text("root:x:0:\n")
    ociimage.build(busybox, BUSYBOX, folder / "busybox.tar", cmd=["sh"])
    yield folder / "busybox.tar"


def end(host: Containerd, daemon: subprocess.Popen[bytes]) -> None:
    """Kill what the tests left, then containerd itself."""
    for line in host.ctr("tasks", "list").splitlines()[1:]:
        subprocess.run(
            ["ctr", "-a", str(host.socket), "-n", "k8s.io", "tasks", "kill", "-s", "KILL", line.split()[0]],
            check=False, capture_output=True,
        )  # fmt: skip
    os.killpg(daemon.pid, signal.SIGTERM)
    daemon.wait(timeout=10)
    for tree in Path("/sys/fs/cgroup").glob(f"*{host.cgroup_root}"):
        for folder, _, _ in os.walk(tree, topdown=False):
            Path(folder).rmdir()
