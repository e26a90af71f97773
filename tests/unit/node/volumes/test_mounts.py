from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pybernetes.meta.objects import Obj
from pybernetes.node.environment import ConfigError
from pybernetes.node.poddirs import PodDirs
from pybernetes.node.runconfig import Mount
from pybernetes.node.volumes import hostpath, mounts


@pytest.fixture
def dirs(tmp_path: Path) -> PodDirs:
    made = PodDirs(tmp_path / "pod", tmp_path / "log")
    made.make()
    made.volume("empty-dir", "e").mkdir(parents=True)
    return made


def pod(*entries: Obj, **source: Any) -> tuple[Obj, Obj]:
    container = {"name": "c", "volumeMounts": list(entries)}
    return {"spec": {"containers": [container], "volumes": [{"name": "e", **(source or {"emptyDir": {}})}]}}, container


def of(dirs: PodDirs, *entries: Obj, **source: Any) -> dict[str, Mount]:
    obj, container = pod(*entries, **source)
    return {m.container_path: m for m in mounts.of_container(obj, container, 3, dirs, {"POD": "p-1"})}


def test_a_container_sees_its_volumes_hosts_file_and_termination_log(dirs: PodDirs) -> None:
    dirs.hosts.write_text("")
    found = of(dirs, {"name": "e", "mountPath": "data", "readOnly": True})
    assert found["/data"] == Mount("/data", str(dirs.volume("empty-dir", "e")), read_only=True)
    assert found["/etc/hosts"].host_path == str(dirs.hosts)
    message = Path(found["/dev/termination-log"].host_path)
    assert message == dirs.termination_log("c", 3)
    assert message.stat().st_mode & 0o777 == 0o666


def test_what_is_made_from_objects_is_read_only(dirs: PodDirs) -> None:
    assert of(dirs, {"name": "e", "mountPath": "/x"}, configMap={"name": "m"})["/x"].read_only


def test_a_sub_path_is_made_and_may_hold_variables(dirs: PodDirs) -> None:
    found = of(dirs, {"name": "e", "mountPath": "/x", "subPathExpr": "a/$(POD)"})["/x"]
    assert found.host_path == str(dirs.volume("empty-dir", "e") / "a" / "p-1")
    assert Path(found.host_path).is_dir()


@pytest.mark.parametrize("link", ["/etc", "../../.."])
def test_a_sub_path_never_leads_out_of_its_volume(dirs: PodDirs, link: str) -> None:
    (dirs.volume("empty-dir", "e") / "out").symlink_to(link)
    with pytest.raises(ConfigError, match=r'^failed to prepare subPath for volumeMount "e" of container "c"$'):
        of(dirs, {"name": "e", "mountPath": "/x", "subPath": "out/passwd"})


def test_a_kind_of_volume_that_is_not_offered_is_named(dirs: PodDirs) -> None:
    with pytest.raises(ConfigError, match="volumes of kind nfs are not supported by this node"):
        of(dirs, {"name": "e", "mountPath": "/x"}, nfs={"server": "x", "path": "/"})


@pytest.mark.parametrize(
    ("type", "refusal"),
    [
        ("", ""),
        ("Directory", "hostPath type check failed: {} is not a directory"),
        ("DirectoryOrCreate", ""),
        ("File", "hostPath type check failed: {} is not a file"),
        ("FileOrCreate", ""),
        ("Socket", "hostPath type check failed: {} is not a socket file"),
        ("CharDevice", "hostPath type check failed: {} is not a character device"),
        ("BlockDevice", "hostPath type check failed: {} is not a block device"),
    ],
)
def test_a_host_path_must_be_what_its_type_says(tmp_path: Path, type: str, refusal: str) -> None:
    path = tmp_path / "x"
    assert hostpath.check(path, type) == refusal.format(path)
    assert path.exists() is type.endswith("OrCreate")


def test_a_host_path_of_another_type_is_refused(tmp_path: Path) -> None:
    assert "is not a file" in hostpath.check(tmp_path, "FileOrCreate")
    assert hostpath.check(tmp_path, "Directory") == ""
    assert hostpath.check(Path("/dev/null"), "CharDevice") == ""
