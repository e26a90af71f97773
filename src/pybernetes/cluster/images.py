"""Images without a registry: archives in the data directory, imported by every node."""

from __future__ import annotations

import asyncio
import bz2
import gzip
import lzma
import re
import shutil
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import orjson

from pybernetes.cluster import host, nodes
from pybernetes.cluster.config import Config, ConfigError, Paths
from pybernetes.cluster.containerd import PAUSE_IMAGE
from pybernetes.lib import daemon
from pybernetes.node import ociimage

_COMPRESSIONS: Final[tuple[tuple[bytes, Callable[..., Any]], ...]] = (
    (b"\x1f\x8b", gzip.open),
    (b"BZh", bz2.open),
    (b"\xfd7zXZ\x00", lzma.open),
)
"""The first bytes of a compressed file → what opens it."""
_DAMAGED: Final = (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError)


def ensure_pause(paths: Paths) -> None:
    """The image of every pod's sandbox, made from Debian's static catatonit."""
    target = paths.images / "pause.tar"
    if target.exists():
        return
    binary = host.find_tool("catatonit")
    if binary is None:
        raise ConfigError(host.remedy(host.missing()))
    paths.images.mkdir(parents=True, exist_ok=True)
    rootfs = paths.data / "tmp" / "pause"
    rootfs.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copy2(binary, rootfs / "pause")
        ociimage.build(rootfs, PAUSE_IMAGE, target, entrypoint=["/pause", "-P"])
    finally:
        shutil.rmtree(rootfs, ignore_errors=True)


def names_in(archive: Path) -> list[str]:
    """The image names an archive carries (OCI layout or docker save). Raises ConfigError when it is neither."""
    try:
        with tarfile.open(archive) as tar:
            return _names_in(tar, set(tar.getnames()))
    except FileNotFoundError as error:
        raise ConfigError(f"{archive}: no such file") from error
    except IsADirectoryError as error:
        raise ConfigError(f"{archive} is a folder: 'pybernetes image build' makes an image of one") from error
    except tarfile.ReadError as error:
        why = "it is no tar archive" if "\n" in str(error) else str(error)
        raise ConfigError(f"{archive} is not an image archive: {why}") from error
    except (*_DAMAGED, ValueError) as error:
        raise ConfigError(f"{archive} is not an image archive: {error}") from error


def _names_in(tar: tarfile.TarFile, members: set[str]) -> list[str]:
    """Raises ValueError for an archive of something else."""
    if "index.json" in members:
        index = orjson.loads(_read(tar, "index.json"))
        manifests = index.get("manifests") if isinstance(index, dict) else None
        found = [_oci_name(m.get("annotations") or {}) for m in _dicts("index.json", manifests)]
        return [n for n in found if n]
    if "manifest.json" in members:
        manifests = orjson.loads(_read(tar, "manifest.json"))
        return [t for m in _dicts("manifest.json", manifests) for t in m.get("RepoTags") or []]
    raise ValueError("it has neither index.json nor manifest.json")


def _dicts(name: str, rows: Any) -> list[dict[str, Any]]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"its {name} lists no manifests")
    return rows


def _oci_name(annotations: dict[str, Any]) -> str:
    return annotations.get("io.containerd.image.name") or annotations.get("org.opencontainers.image.ref.name") or ""


def _read(tar: tarfile.TarFile, name: str) -> bytes:
    file = tar.extractfile(name)
    return file.read() if file else b""


async def load(paths: Paths, config: Config, archive: Path) -> list[str]:
    """Keep an archive for every present and later node; import it where a node runs. Returns the image names."""
    names = names_in(archive)
    if not names:
        raise ConfigError(f"{archive} names no image: save it with a name, such as 'docker save NAME:TAG'")
    paths.images.mkdir(parents=True, exist_ok=True)
    target = paths.images / (re.sub(r"[^A-Za-z0-9_.-]+", "_", names[0]) + ".tar")
    fresh = target.with_suffix(".new")
    running = [
        n
        for n in (paths.node(name) for name in config.node_names())
        if daemon.find(paths.pid(nodes.process_names(n)[0]))
    ]
    try:
        _unpacked(archive, fresh)
        await asyncio.gather(*(nodes.import_image(n, fresh, target.name) for n in running))
        fresh.replace(target)  # not before nodes have taken it: what they refuse would be in the way of the next 'up'
    finally:
        fresh.unlink(missing_ok=True)
    return names


def _unpacked(archive: Path, target: Path) -> None:
    """Copy an archive without its compression, which containerd's import does not know. Raises ConfigError."""
    with archive.open("rb") as file:
        start = file.read(6)
    opener = next((opener for magic, opener in _COMPRESSIONS if start.startswith(magic)), Path.open)
    try:
        with opener(archive, "rb") as source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
    except _DAMAGED as error:
        raise ConfigError(f"cannot copy {archive} to {target}: {error}") from error
