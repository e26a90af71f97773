"""Having the image of a container on the node: pull policies, and what the kubelet says about each outcome.

Rule: the answer is a note, never an exception: the image is there, or why not and when to try again.
Neighbours: ``podnotes.py`` (the notes), ``podplan.py`` (waits for them), ``imagename.py``, ``registryauth.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from pybernetes.lib.clock import Clock
from pybernetes.meta.objects import Obj
from pybernetes.node import imagename, registryauth
from pybernetes.node.podevents import Voice
from pybernetes.node.podnotes import ERR_IMAGE_PULL, Failure, ImageNote, Present, failed
from pybernetes.node.runtime.port import Image, Runtime, RuntimeFailure

_FIRST_SECONDS: Final = 10.0
_MOST_SECONDS: Final = 300.0
_PULLS_MAX: Final = 4


class Images:
    """One for the node: it bounds how many pulls go on at once."""

    def __init__(self, runtime: Runtime, clock: Clock) -> None:
        self._runtime, self._clock = runtime, clock
        self._pulls = asyncio.Semaphore(_PULLS_MAX)

    async def ensure(
        self, container: Obj, before: ImageNote | None, secrets: Iterable[Obj], sandbox_config: Obj, voice: Voice
    ) -> Present | Failure:
        """Have the image of ``container``, pulling it where its policy says so."""
        attempt = _Attempt(self, container, before if isinstance(before, Failure) else None, voice)
        try:
            return await attempt.run(secrets, sandbox_config)
        except RuntimeFailure as failure:
            return attempt.refused("InspectFailed", "ImageInspectError", _inspect_message(container, failure))

    async def find(self, name: str) -> Image | None:
        return await self._runtime.image(name)

    async def pull(self, name: str, secrets: Iterable[Obj], sandbox_config: Obj) -> str:
        """Try the credentials that fit the registry in turn, or none."""
        known = registryauth.for_image(imagename.normalise(name), secrets)
        async with self._pulls:
            for auth in known[:-1]:
                try:
                    return await self._runtime.pull(name, auth, sandbox_config)
                except RuntimeFailure:
                    continue  # the next credentials may be the right ones; the last refusal is the one told
            return await self._runtime.pull(name, known[-1] if known else None, sandbox_config)

    def now(self) -> float:
        return self._clock.time()


def pull_policy(container: Obj) -> str:
    """``imagePullPolicy`` or its default: Always for a ``latest`` tag."""
    given = container.get("imagePullPolicy")
    if given:
        return str(given)
    return (
        "Always"
        if container.get("image", "").rpartition(":")[2] in ("latest", container.get("image"))
        else ("IfNotPresent")
    )


def _inspect_message(container: Obj, failure: RuntimeFailure) -> str:
    return f'Failed to inspect image "{container.get("image", "")}": {failure}'


class _Attempt:
    def __init__(self, images: Images, container: Obj, before: Failure | None, voice: Voice) -> None:
        self._images, self._container, self._before, self._voice = images, container, before, voice
        self._shown = container.get("image", "")

    async def run(self, secrets: Iterable[Obj], sandbox_config: Obj) -> Present | Failure:
        try:
            name = imagename.with_default_tag(self._shown)
        except ValueError as error:
            parsing = f'couldn\'t parse image name "{self._shown}": {error}'
            why = f'Failed to apply default image tag "{self._shown}": {parsing}'
            return self.refused("InspectFailed", "InvalidImageName", why)
        policy, image = pull_policy(self._container), await self._images.find(name)
        if image is not None and policy != "Always":
            self._voice.say("Normal", "Pulled", f'Container image "{self._shown}" already present on machine')
            return _present(image)
        if policy == "Never":
            why = f'Container image "{self._shown}" is not present with pull policy of Never'
            return self.refused("ErrImageNeverPull", "ErrImageNeverPull", why)
        return await self._pull(name, secrets, sandbox_config)

    async def _pull(self, name: str, secrets: Iterable[Obj], sandbox_config: Obj) -> Present | Failure:
        self._voice.say("Normal", "Pulling", f'Pulling image "{self._shown}"')
        began = self._images.now()
        try:
            await self._images.pull(name, secrets, sandbox_config)
        except RuntimeFailure as failure:
            self._voice.say("Warning", "Failed", f'Failed to pull image "{self._shown}": {failure}')
            self._voice.say("Warning", "Failed", f"Error: {ERR_IMAGE_PULL}")
            return self._failure(ERR_IMAGE_PULL, str(failure))
        image = await self._images.find(name)
        if image is None:
            return self._failure(ERR_IMAGE_PULL, f'image "{name}" is gone right after it was pulled')
        took = f"{self._images.now() - began:.3f}".rstrip("0").rstrip(".") + "s"
        self._voice.say(
            "Normal", "Pulled",
            f'Successfully pulled image "{self._shown}" in {took} ({took} including waiting). '
            f"Image size: {image.size_bytes} bytes.",
        )  # fmt: skip
        return _present(image)

    def refused(self, event: str, reason: str, message: str) -> Failure:
        """A refusal that no pull was needed for."""
        self._voice.say("Warning", event, message)
        self._voice.say("Warning", "Failed", f"Error: {reason}")
        return self._failure(reason, message)

    def _failure(self, reason: str, message: str) -> Failure:
        return failed(
            self._before, reason, message, self._images.now(), first_seconds=_FIRST_SECONDS, most_seconds=_MOST_SECONDS
        )


def _present(image: Image) -> Present:
    return Present(image.id, image.user)
