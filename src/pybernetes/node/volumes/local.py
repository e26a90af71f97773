"""The data of volumes that are made for claims on this node: a file system of its own size each, or a plain folder.

Theory of operation. ``<root>/<volume>.img`` is a sparse file as large as the volume, with an ext4 in it that is mounted
at ``<root>/<volume>``; so nobody can write more than he asked for. Where loop devices are missing the folder is all
there is, and the size is not enforced. A volume for raw use (``volumeMode: Block``) is the file as a loop device. What
kind it is follows from what lies there, so an agent that starts anew finds everything as it is.
Neighbours: ``localkeeper.py`` says when data go or grow, ``persistent.py`` when they are first needed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import stat
from pathlib import Path
from typing import Final

from pybernetes.lib import process
from pybernetes.lib.process import ProcessError
from pybernetes.meta import objects, quantity, volumes
from pybernetes.meta.objects import Obj
from pybernetes.node.volumes import mounting

BACKING: Final = "pybernetes.io/backing"
"""Annotation of a volume: what it is made of on its node."""
LOOP, FOLDER, DEVICE = "ext4 on a loop device", "directory, size not enforced", "loop device"
_JOURNAL_BYTES_MIN: Final = 16 << 20
_LOOP_MAJOR: Final = 7


class LocalData:
    """``root``: where all of them lie; what is mounted there must be seen by the runtime."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._alone = asyncio.Lock()
        """What is done to data is done one after the other."""

    def holds(self, volume: Obj) -> bool:
        """Would the data of this volume lie here?"""
        path = objects.get(volume, "spec", "local", "path", default="")
        return volumes.LOCAL_DATA in objects.finalizers(volume) and Path(path).parent == self.root

    async def ensure(self, volume: Obj) -> str:
        """Have the data of a volume, ready to be used; what they are made of (see ``BACKING``). Raises ProcessError
        or OSError."""
        async with self._alone:
            return await self._ensure(volume, *self._places(volume))

    async def _ensure(self, volume: Obj, folder: Path, image: Path) -> str:
        if volumes.mode(volume) == "Block":
            if not image.exists():
                self._allot(image, volume)
            return DEVICE
        if _unfinished_growth(image).exists():
            with contextlib.suppress(ProcessError):  # another pod uses it as it is, and so can this one
                await self._grow(volume, folder, image)
        if mounting.source_of(folder):
            return LOOP
        if not image.exists() and folder.is_dir():
            return FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        try:
            await self._mount(volume, folder, image)
        except ProcessError:
            image.unlink(missing_ok=True)
            folder.chmod(0o777)
            return FOLDER
        return LOOP

    async def device(self, volume: Obj) -> Path:
        """The block device of a volume for raw use, after ``ensure``. Raises ProcessError or OSError."""
        _, image = self._places(volume)
        if known := await _devices(image):
            return Path(known[0])
        await _free_device()
        made = await process.run(["losetup", "--show", "-f", str(image)])
        return Path(made.stdout.decode().strip())

    async def remove(self, volume: Obj) -> None:
        """Have no data of the volume any more. Raises ProcessError where somebody still uses them, or OSError."""
        async with self._alone:
            await self._remove(*self._places(volume))

    async def _remove(self, folder: Path, image: Path) -> None:
        await mounting.unmount(folder)
        if image.exists():
            for device in await _devices(image):
                await process.run(["losetup", "-d", device])
            image.unlink()
        _unfinished_growth(image).unlink(missing_ok=True)
        if folder.is_dir():
            shutil.rmtree(folder)

    async def grow(self, volume: Obj) -> None:
        """Give the data the volume's capacity, while they are in use where the kernel lets us. Raises ProcessError or
        OSError; what was begun is gone on with the next time, and before the next pod begins (``ensure``)."""
        async with self._alone:
            await self._grow(volume, *self._places(volume))

    async def _grow(self, volume: Obj, folder: Path, image: Path) -> None:
        mark = _unfinished_growth(image)
        if not image.exists() or (image.stat().st_size >= _bytes(volume) and not mark.exists()):
            return
        mark.touch()
        self._allot(image, volume)
        if volumes.mode(volume) == "Block":
            await process.run(["losetup", "-c", str(await self.device(volume))])
        else:
            await self._grow_files(volume, folder, image)
        mark.unlink()

    async def _grow_files(self, volume: Obj, folder: Path, image: Path) -> None:
        device = mounting.source_of(folder)
        if device:
            await process.run(["losetup", "-c", device])
            online = await process.run(["resize2fs", device], check=False)
            if not online.code:
                return
            await self._give_up(folder, image, online.stderr.decode().strip())
        await process.run(["e2fsck", "-f", "-p", str(image)], check=False)  # it tells by its code what it has mended
        await process.run(["resize2fs", str(image)])
        await self._mount(volume, folder, image)

    async def _give_up(self, folder: Path, image: Path, why: str) -> None:
        """Unmount, unless a container still holds the mount: then the kernel has the last word, which was no."""
        device = mounting.source_of(folder)
        await mounting.unmount(folder)
        if held := await _devices(image):
            await process.run(["mount", "-t", "ext4", device, str(folder)])
            raise ProcessError(["resize2fs", held[0]], f"{why}; it is done when no pod uses the volume any more")

    def _places(self, volume: Obj) -> tuple[Path, Path]:
        name = objects.name(volume)
        return self.root / name, self.root / f"{name}.img"

    async def _mount(self, volume: Obj, folder: Path, image: Path) -> None:
        fresh = not image.exists()
        if fresh:
            await self._format(image, volume)
        await _free_device()
        options = ",".join(("loop", *objects.get(volume, "spec", "mountOptions", default=())))
        await process.run(["mount", "-t", "ext4", "-o", options, str(image), str(folder)])
        if fresh and os.access(folder, os.W_OK):
            shutil.rmtree(folder / "lost+found", ignore_errors=True)
            folder.chmod(0o777)  # whoever the container runs as; fsGroup may narrow it

    async def _format(self, image: Path, volume: Obj) -> None:
        """Under another name until it is whole: an agent may end at any time."""
        unfinished = image.with_suffix(".new")
        unfinished.unlink(missing_ok=True)
        self._allot(unfinished, volume)
        journal = [] if _bytes(volume) >= _JOURNAL_BYTES_MIN else ["-O", "^has_journal"]
        await process.run(["mkfs.ext4", "-q", "-F", "-m", "0", *journal, str(unfinished)])
        unfinished.rename(image)

    def _allot(self, image: Path, volume: Obj) -> None:
        """A file as large as the volume; what is not written takes no room."""
        image.parent.mkdir(parents=True, exist_ok=True)
        with image.open("ab") as file:
            file.truncate(_bytes(volume))


def _unfinished_growth(image: Path) -> Path:
    """A file that is there while the image is larger than the file system in it."""
    return image.with_suffix(".grow")


async def _devices(image: Path) -> list[str]:
    """The loop devices that show an image."""
    return (await process.run(["losetup", "-n", "-O", "NAME", "-j", str(image)])).stdout.decode().split()


async def _free_device() -> None:
    """See that the next free loop device can be opened: where /dev is no devtmpfs nobody else makes its node."""
    found = Path((await process.run(["losetup", "-f"])).stdout.decode().strip())
    number = found.name.removeprefix("loop")
    if not found.exists() and number.isdigit():
        os.mknod(found, stat.S_IFBLK | 0o660, os.makedev(_LOOP_MAJOR, int(number)))


def _bytes(volume: Obj) -> int:
    return quantity.value(objects.get(volume, "spec", "capacity", "storage"))
