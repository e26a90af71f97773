"""The runtime port on containerd: CRI v1 for the work, containerd's own event stream to be woken.

Rule: this file alone of the node speaks gRPC. Messages are encoded by table (``messages.py``), so no generated
code is needed; dicts are turned into the port's rows by ``observed.py``.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

# gRPC would watch over forks and log that it cannot; the processes started here all become other programs at once.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")

import grpc
from grpc import aio

from pybernetes.meta.objects import Obj
from pybernetes.meta.protobuf.codec import Codec
from pybernetes.node.runtime import observed
from pybernetes.node.runtime.messages import MESSAGES
from pybernetes.node.runtime.port import (
    POD_UID,
    Condition,
    Container,
    ContainerStats,
    Event,
    ExecResult,
    Image,
    RuntimeFailure,
    Sandbox,
    Version,
)

_RUNTIME: Final = "/runtime.v1.RuntimeService/"
_IMAGE: Final = "/runtime.v1.ImageService/"
_SUBSCRIBE: Final = "/containerd.services.events.v1.Events/Subscribe"
# CRI learns of an exit, then deletes the task: from then on its status tells the exit, so that is when to look.
_FILTERS: Final = ('namespace==k8s.io,topic=="/tasks/delete"',)
_CALL_SECONDS: Final = 120.0
_PULL_SECONDS: Final = 3600.0
_STATE_SECONDS: Final = 15.0
"""For what the node's signs of life ask: a runtime that hangs must not keep the Lease (40 s) from being renewed."""
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", 16 << 20),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
)


class Cri:
    """``socket`` is containerd's; the channel connects when first used and again whenever containerd returns."""

    def __init__(self, socket: str) -> None:
        self._codec = Codec(MESSAGES)
        self._channel = aio.insecure_channel(f"unix://{socket}", options=_OPTIONS)
        self._methods: dict[str, Callable[..., Any]] = {}

    async def version(self) -> Version:
        answer = await self._call("Version", {"version": "v1"}, seconds=_STATE_SECONDS)
        return Version(answer["runtime_name"], answer["runtime_version"], answer["runtime_api_version"])

    async def conditions(self) -> Sequence[Condition]:
        answer = await self._call("Status", {}, seconds=_STATE_SECONDS)
        return [observed.condition(c) for c in answer.get("status", {}).get("conditions", ())]

    # ── sandboxes ────────────────────────────────────────────────────────────────────────────────────────

    async def sandboxes(self, pod_uid: str = "") -> list[Sandbox]:
        answer = await self._call("ListPodSandbox", {"filter": _of_pod(pod_uid)})
        return [observed.sandbox(s) for s in answer.get("items", ())]

    async def sandbox(self, id: str) -> Sandbox:
        answer = await self._call("PodSandboxStatus", {"pod_sandbox_id": id})
        return observed.sandbox(answer["status"])

    async def run_sandbox(self, config: Obj, handler: str = "") -> str:
        answer = await self._call("RunPodSandbox", {"config": config, "runtime_handler": handler})
        return str(answer["pod_sandbox_id"])

    async def stop_sandbox(self, id: str) -> None:
        await self._end("StopPodSandbox", {"pod_sandbox_id": id})

    async def remove_sandbox(self, id: str) -> None:
        await self._end("RemovePodSandbox", {"pod_sandbox_id": id})

    # ── containers ───────────────────────────────────────────────────────────────────────────────────────

    async def containers(self, pod_uid: str = "") -> list[Container]:
        answer = await self._call("ListContainers", {"filter": _of_pod(pod_uid)})
        return [observed.container(c) for c in answer.get("containers", ())]

    async def container(self, id: str) -> Container:
        answer = await self._call("ContainerStatus", {"container_id": id})
        return observed.container(answer["status"])

    async def create_container(self, sandbox_id: str, config: Obj, sandbox_config: Obj) -> str:
        request = {"pod_sandbox_id": sandbox_id, "config": config, "sandbox_config": sandbox_config}
        return str((await self._call("CreateContainer", request))["container_id"])

    async def start_container(self, id: str) -> None:
        await self._call("StartContainer", {"container_id": id})

    async def stop_container(self, id: str, grace_seconds: int) -> None:
        await self._end(
            "StopContainer", {"container_id": id, "timeout": grace_seconds}, seconds=_CALL_SECONDS + grace_seconds
        )

    async def update_resources(self, id: str, resources: Obj) -> None:
        await self._call("UpdateContainerResources", {"container_id": id, "linux": resources})

    async def remove_container(self, id: str) -> None:
        await self._end("RemoveContainer", {"container_id": id})

    async def reopen_log(self, id: str) -> None:
        await self._call("ReopenContainerLog", {"container_id": id})

    # ── commands and streams ─────────────────────────────────────────────────────────────────────────────

    async def exec_sync(self, id: str, command: Sequence[str], timeout_seconds: int = 0) -> ExecResult:
        request = {"container_id": id, "cmd": command, "timeout": timeout_seconds}
        seconds = _CALL_SECONDS + timeout_seconds if timeout_seconds else None
        answer = await self._call("ExecSync", request, seconds=seconds)
        return ExecResult(answer.get("exit_code", 0), answer.get("stdout", b""), answer.get("stderr", b""))

    async def exec_url(self, id: str, command: Sequence[str], *, tty: bool, streams: Mapping[str, bool]) -> str:
        return str((await self._call("Exec", {"container_id": id, "cmd": command, "tty": tty, **streams}))["url"])

    async def attach_url(self, id: str, *, tty: bool, streams: Mapping[str, bool]) -> str:
        return str((await self._call("Attach", {"container_id": id, "tty": tty, **streams}))["url"])

    async def port_forward_url(self, sandbox_id: str, ports: Sequence[int]) -> str:
        return str((await self._call("PortForward", {"pod_sandbox_id": sandbox_id, "port": ports}))["url"])

    # ── images ───────────────────────────────────────────────────────────────────────────────────────────

    async def images(self) -> list[Image]:
        answer = await self._call("ListImages", {}, service=_IMAGE, seconds=_STATE_SECONDS)
        return [observed.image(i) for i in answer.get("images", ())]

    async def image(self, name: str) -> Image | None:
        answer = await self._call("ImageStatus", {"image": {"image": name}}, service=_IMAGE)
        return observed.image(answer["image"]) if "image" in answer else None

    async def pull(self, name: str, auth: Mapping[str, str] | None, sandbox_config: Obj) -> str:
        request = {"image": {"image": name}, "auth": auth, "sandbox_config": sandbox_config}
        answer = await self._call("PullImage", request, service=_IMAGE, seconds=_PULL_SECONDS)
        return str(answer["image_ref"])

    async def remove_image(self, name: str) -> None:
        await self._call("RemoveImage", {"image": {"image": name}}, service=_IMAGE)

    async def stats(self) -> list[ContainerStats]:
        answer = await self._call("ListContainerStats", {})
        return [observed.stats(s) for s in answer.get("stats", ())]

    # ── events ───────────────────────────────────────────────────────────────────────────────────────────

    async def events(self) -> AsyncIterator[Event]:
        subscribe = self._channel.unary_stream(
            _SUBSCRIBE,
            request_serializer=partial(self._codec.encode, "SubscribeRequest"),
            response_deserializer=partial(self._codec.decode, "Envelope"),
        )
        stream = subscribe({"filters": _FILTERS})
        try:
            async for envelope in stream:
                task = self._codec.decode("TaskDelete", envelope.get("event", {}).get("value", b""))
                yield Event(task.get("container_id", ""))
        except grpc.RpcError as error:
            raise _failure(error) from error
        finally:
            stream.cancel()

    async def close(self) -> None:
        await self._channel.close()

    async def _end(self, method: str, request: Obj, *, seconds: float = _CALL_SECONDS) -> None:
        """Stop or remove something; what is gone already is what was wanted."""
        try:
            await self._call(method, request, seconds=seconds)
        except RuntimeFailure as failure:
            if failure.code != "NotFound":
                raise

    async def _call(
        self, method: str, request: Obj, *, service: str = _RUNTIME, seconds: float | None = _CALL_SECONDS
    ) -> Obj:
        call = self._methods.get(method)
        if call is None:
            call = self._methods[method] = self._channel.unary_unary(
                service + method,
                request_serializer=partial(self._codec.encode, f"{method}Request"),
                response_deserializer=partial(self._codec.decode, f"{method}Response"),
            )
        try:
            answer: Obj = await call(request, timeout=seconds)
        except grpc.RpcError as error:
            raise _failure(error) from error
        return answer


def _of_pod(uid: str) -> Obj:
    return {"label_selector": {POD_UID: uid}} if uid else {}


def _failure(error: Any) -> RuntimeFailure:
    """A gRPC error in Go's spelling of its code, as clients have come to know the messages."""
    name = "".join(word.capitalize() for word in error.code().name.split("_"))
    return RuntimeFailure({"Ok": "OK", "Cancelled": "Canceled"}.get(name, name), error.details() or "")
