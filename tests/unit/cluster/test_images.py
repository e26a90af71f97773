"""What ``image load`` takes for an image archive, and what it says of anything else."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

from pybernetes.cluster import images
from pybernetes.cluster.config import Config, ConfigError, Paths
from pybernetes.node import ociimage

SIMULATED = Config(nodes=0, simulate=1)


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """An archive of the image ``web:1``."""
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "file").write_text("content")
    ociimage.build(tmp_path / "root", "web:1", tmp_path / "web.tar")
    return tmp_path / "web.tar"


def archive(path: Path, **files: object) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            data = json.dumps(content).encode()
            member = tarfile.TarInfo(name.replace("_", "."))
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


async def test_an_archive_is_kept_for_every_later_node(built: Path, tmp_path: Path) -> None:
    paths = Paths(tmp_path / "cluster")
    assert await images.load(paths, SIMULATED, built) == ["docker.io/library/web:1"]
    assert [p.name for p in paths.images.iterdir()] == ["docker.io_library_web_1.tar"]


async def test_a_compressed_archive_is_kept_plain_because_containerd_imports_no_other(
    built: Path, tmp_path: Path
) -> None:
    packed = tmp_path / "web.tar.gz"
    packed.write_bytes(gzip.compress(built.read_bytes()))
    paths = Paths(tmp_path / "cluster")
    await images.load(paths, SIMULATED, packed)
    (kept,) = paths.images.iterdir()
    assert kept.read_bytes() == built.read_bytes()


async def test_nothing_is_kept_of_a_damaged_archive(built: Path, tmp_path: Path) -> None:
    packed = tmp_path / "web.tar.gz"
    packed.write_bytes(gzip.compress(built.read_bytes())[:-20])
    paths = Paths(tmp_path / "cluster")
    with pytest.raises(ConfigError, match=r"web\.tar\.gz"):
        await images.load(paths, SIMULATED, packed)
    assert not paths.images.exists() or not list(paths.images.iterdir())


def test_docker_save_names_its_images(tmp_path: Path) -> None:
    saved = archive(tmp_path / "saved.tar", manifest_json=[{"RepoTags": ["a:1", "b:2"]}, {"RepoTags": None}])
    assert images.names_in(saved) == ["a:1", "b:2"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is no tar archive"),
        (b"garbage" * 100, "it is no tar archive"),
    ],
)
def test_a_file_that_is_no_archive_is_said_so_in_one_line(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        images.names_in(path)
    assert str(caught.value) == f"{path} is not an image archive: {said}"


@pytest.mark.parametrize("index", [[], {"manifests": "none"}, {"manifests": ["x"]}, "text"])
def test_an_index_of_another_shape_is_named(tmp_path: Path, index: object) -> None:
    with pytest.raises(ConfigError, match=r"its index\.json lists no manifests"):
        images.names_in(archive(tmp_path / "x.tar", index_json=index))


def test_a_folder_is_told_the_command_that_takes_folders(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'pybernetes image build'"):
        images.names_in(tmp_path)
