"""An OCI image from a root file system folder: one layer, one tar, the same bytes for the same folder.

``pybernetes image build`` calls :func:`build`; ``ctr images import`` and every registry tool read the result. Names
are written in the full form (``docker.io/library/busybox:1.36``), since that is how the CRI looks them up.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import stat
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

from pybernetes.node import imagename

_CREATED: Final = "1970-01-01T00:00:00Z"
_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
_LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
_INDEX: Final = "application/vnd.oci.image.index.v1+json"
_PATH: Final = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}


def architecture() -> str:
    """This machine's architecture as Go and OCI name it."""
    return _ARCHITECTURES.get(platform.machine(), platform.machine())


def build(
    rootfs: Path, name: str, target: Path, *, entrypoint: Sequence[str] = (), cmd: Sequence[str] = (),
    env: Mapping[str, str] | None = None, working_dir: str = "", user: str = "",
    exposed_ports: Sequence[int] = (), labels: Mapping[str, str] | None = None,
) -> str:  # fmt: skip
    """Write the image ``name`` of folder ``rootfs`` to ``target``; returns the normalised name.

    Raises ValueError for a name that is none, NotADirectoryError where there is no such folder."""
    full_name = imagename.normalise(name)
    if not rootfs.is_dir():
        raise NotADirectoryError(f"{rootfs} is not a folder with a root file system")
    layer = io.BytesIO()
    _write_layer(rootfs, layer)
    variables = [_PATH] if "PATH" not in (env or {}) else []
    settings: dict[str, Any] = {
        "Entrypoint": list(entrypoint),
        "Cmd": list(cmd),
        "Env": variables + [f"{k}={v}" for k, v in (env or {}).items()],
        "WorkingDir": working_dir,
        "User": user,
        "ExposedPorts": {f"{port}/tcp": {} for port in exposed_ports},
        "Labels": dict(labels or {}),
    }
    _write_layout(target, full_name, layer.getvalue(), {k: v for k, v in settings.items() if v})
    return full_name


def _write_layout(target: Path, name: str, layer: bytes, settings: Mapping[str, Any]) -> None:
    config = _json(
        {
            "created": _CREATED,
            "architecture": architecture(),
            "os": "linux",
            "config": settings,
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
            "history": [{"created": _CREATED, "created_by": "pybernetes image build"}],
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": _descriptor(_CONFIG, config),
            "layers": [_descriptor(_LAYER, layer)],
        }
    )
    names = {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name.rpartition(":")[2]}
    index = {
        "schemaVersion": 2,
        "mediaType": _INDEX,
        "manifests": [{**_descriptor(_MANIFEST, manifest), "annotations": names}],
    }
    temporary = target.with_name(target.name + ".new")
    with tarfile.open(temporary, "w", format=tarfile.USTAR_FORMAT) as tar:
        _add(tar, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
        _add(tar, "index.json", _json(index))
        for blob in (manifest, config, layer):
            _add(tar, "blobs/sha256/" + hashlib.sha256(blob).hexdigest(), blob)
    temporary.replace(target)


def _write_layer(rootfs: Path, out: BinaryIO) -> None:
    """Everything below ``rootfs`` in order of name, owned by whom it is on disk, without times."""
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path in _walk(rootfs):
            info = tar.gettarinfo(path, arcname=str(path.relative_to(rootfs)))
            info.mtime = 0
            info.uname = info.gname = ""
            if info.isreg():
                with path.open("rb") as file:
                    tar.addfile(info, file)
            else:
                tar.addfile(info)


def _walk(folder: Path) -> Iterator[Path]:
    """Parents before children; sockets are left out, as no archive can hold them."""
    for entry in sorted(os.scandir(folder), key=lambda e: e.name):
        path = Path(entry.path)
        if stat.S_ISSOCK(entry.stat(follow_symlinks=False).st_mode):
            continue
        yield path
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(path)


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), 0o644
    tar.addfile(info, io.BytesIO(content))


def _descriptor(media_type: str, blob: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": _digest(blob), "size": len(blob)}


def _digest(blob: bytes) -> str:
    return "sha256:" + hashlib.sha256(blob).hexdigest()


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
