"""Images without a registry: archives in the data directory, imported by every node."""

from __future__ import annotations

import asyncio
import re
import shutil
import tarfile
from pathlib import Path

import orjson

from pybernetes.cluster import host, nodes
from pybernetes.cluster.config import Config, ConfigError, Paths
from pybernetes.cluster.containerd import PAUSE_IMAGE
from pybernetes.lib import daemon
from pybernetes.node import ociimage


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
            members = set(tar.getnames())
            if "index.json" in members:
                index = orjson.loads(_read(tar, "index.json"))
                names = [_oci_name(m.get("annotations") or {}) for m in index.get("manifests") or []]
                return [n for n in names if n]
            if "manifest.json" in members:
                return [t for m in orjson.loads(_read(tar, "manifest.json")) for t in m.get("RepoTags") or []]
    except FileNotFoundError as error:
        raise ConfigError(f"{archive}: no such file") from error
    except (tarfile.TarError, orjson.JSONDecodeError, OSError) as error:
        raise ConfigError(f"{archive} is not an image archive: {error}") from error
    raise ConfigError(f"{archive} is not an image archive: it has neither index.json nor manifest.json")


def _oci_name(annotations: dict[str, str]) -> str:
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
    if archive.resolve() != target.resolve():
        shutil.copyfile(archive, target)
    running = [
        n
        for n in (paths.node(name) for name in config.node_names())
        if daemon.find(paths.pid(nodes.process_names(n)[0]))
    ]
    await asyncio.gather(*(nodes.import_images(n, [target]) for n in running))
    return names
