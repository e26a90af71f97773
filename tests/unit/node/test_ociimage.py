from __future__ import annotations

import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from pybernetes.node import ociimage


def blob(tar: tarfile.TarFile, name: str) -> Any:
    file = tar.extractfile(name)
    assert file is not None
    return json.loads(file.read())


def rootfs(folder: Path) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "app").write_text("#!")
    (folder / "bin" / "app").chmod(0o755)
    (folder / "link").symlink_to("bin/app")
    return folder


def test_an_image_carries_its_full_name_configuration_and_one_layer(tmp_path: Path) -> None:
    target = tmp_path / "x.tar"
    name = ociimage.build(
        rootfs(tmp_path / "root"), "app:v1", target, entrypoint=["/bin/app"], cmd=["run"], env={"A": "b"}
    )
    assert name == "docker.io/library/app:v1"
    with tarfile.open(target) as tar:
        entry = blob(tar, "index.json")["manifests"][0]
        assert entry["annotations"]["io.containerd.image.name"] == "docker.io/library/app:v1"
        manifest = blob(tar, "blobs/sha256/" + entry["digest"].removeprefix("sha256:"))
        config = blob(tar, "blobs/sha256/" + manifest["config"]["digest"].removeprefix("sha256:"))["config"]
        assert (config["Entrypoint"], config["Cmd"]) == (["/bin/app"], ["run"])
        assert config["Env"][1:] == ["A=b"]
        layer = tar.extractfile("blobs/sha256/" + manifest["layers"][0]["digest"].removeprefix("sha256:"))
        with tarfile.open(fileobj=layer) as files:
            assert files.getnames() == ["bin", "bin/app", "link"]
            assert files.getmember("bin/app").mode == 0o755
            assert files.getmember("link").linkname == "bin/app"


def test_the_same_folder_gives_the_same_bytes_whenever_it_was_written(tmp_path: Path) -> None:
    one, other = rootfs(tmp_path / "one"), rootfs(tmp_path / "other")
    os.utime(one / "bin" / "app", (1, 1))
    for folder in (one, other):
        ociimage.build(folder, "app", tmp_path / f"{folder.name}.tar")
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "other.tar").read_bytes()


def test_a_name_that_is_none_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must be lowercase"):
        ociimage.build(rootfs(tmp_path / "root"), "App", tmp_path / "x.tar")
    assert not (tmp_path / "x.tar").exists()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError, match="nothing"):
        ociimage.build(tmp_path / "nothing", "app", tmp_path / "x.tar")
