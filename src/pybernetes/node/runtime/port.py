"""What the node asks of a container runtime: a narrow port, spoken in the shapes of the CRI.

Rule: configurations go down as plain dicts with the field names of the CRI's own messages (``PodSandboxConfig``,
``ContainerConfig``; see ``messages.py``); what is observed comes up as the small frozen rows below.
Neighbours: ``cri.py`` is the adapter for containerd, ``node/podplan.py`` decides over the rows.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol, TypeAlias

from pybernetes.meta.objects import Obj

# The labels by which a restarted agent finds its own again; the same as the kubelet's, so tools know them.
POD_NAME: Final = "io.kubernetes.pod.name"
POD_NAMESPACE: Final = "io.kubernetes.pod.namespace"
POD_UID: Final = "io.kubernetes.pod.uid"
CONTAINER_NAME: Final = "io.kubernetes.container.name"
CONTAINER_HASH: Final = "io.kubernetes.container.hash"
RESTART_COUNT: Final = "io.kubernetes.container.restartCount"
TERMINATION_MESSAGE_PATH: Final = "io.kubernetes.container.terminationMessagePath"
TERMINATION_MESSAGE_POLICY: Final = "io.kubernetes.container.terminationMessagePolicy"
GRACE_PERIOD: Final = "io.kubernetes.pod.terminationGracePeriod"

State: TypeAlias = Literal["created", "running", "exited", "unknown"]


class RuntimeFailure(Exception):
    """The runtime refused or could not be reached. ``code`` is the gRPC status in Go's spelling (``NotFound``)."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(f"rpc error: code = {code} desc = {description}")
        self.code, self.description = code, description


@dataclass(frozen=True, slots=True)
class Version:
    name: str
    version: str
    api_version: str

    def __str__(self) -> str:
        """As ``status.nodeInfo.containerRuntimeVersion`` has it: ``containerd://1.6.20``."""
        return f"{self.name}://{self.version}"


@dataclass(frozen=True, slots=True)
class Condition:
    """``RuntimeReady`` or ``NetworkReady``."""

    type: str
    status: bool
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Sandbox:
    id: str
    name: str
    namespace: str
    uid: str
    attempt: int = 0
    ready: bool = True
    created_at: float = 0.0
    """Unix seconds."""
    ips: tuple[str, ...] = ()
    """Known only after ``Runtime.sandbox``; a list does not carry them."""


@dataclass(frozen=True, slots=True)
class Container:
    id: str
    sandbox_id: str
    name: str
    attempt: int = 0
    state: State = "running"
    created_at: float = 0.0
    started_at: float = 0.0
    finished_at: float = 0.0
    exit_code: int = 0
    reason: str = ""
    message: str = ""
    image: str = ""
    """The name it was asked for with."""
    image_id: str = ""
    """What it resolved to."""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    log_path: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    id: str
    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    size_bytes: int = 0
    user: str = ""
    """The user the image runs as: a number or a name, empty where it does not say (root)."""


@dataclass(frozen=True, slots=True)
class ContainerStats:
    id: str
    labels: Mapping[str, str]
    at: float
    cpu_core_nanoseconds: int
    memory_working_set_bytes: int
    memory_usage_bytes: int
    memory_rss_bytes: int
    writable_layer_bytes: int


@dataclass(frozen=True, slots=True)
class Event:
    """The process of a container or a sandbox has ended."""

    container_id: str


@dataclass(frozen=True, slots=True)
class ExecResult:
    exit_code: int
    stdout: bytes
    stderr: bytes


class Runtime(Protocol):
    """Every call raises :class:`RuntimeFailure`. Stopping and removing what is gone is not a failure."""

    async def version(self) -> Version: ...

    async def conditions(self) -> Sequence[Condition]: ...

    async def sandboxes(self, pod_uid: str = "") -> list[Sandbox]:
        """All sandboxes (of one pod), without their addresses."""
        ...

    async def sandbox(self, id: str) -> Sandbox: ...

    async def run_sandbox(self, config: Obj, handler: str = "") -> str:
        """Start a ``PodSandboxConfig`` by a runtime handler ("" is the default one); its id."""
        ...

    async def stop_sandbox(self, id: str) -> None: ...

    async def remove_sandbox(self, id: str) -> None: ...

    async def containers(self, pod_uid: str = "") -> list[Container]:
        """All containers (of one pod): what a list tells, without times and exit codes."""
        ...

    async def container(self, id: str) -> Container: ...

    async def create_container(self, sandbox_id: str, config: Obj, sandbox_config: Obj) -> str:
        """Create a ``ContainerConfig`` in a sandbox; its id."""
        ...

    async def start_container(self, id: str) -> None: ...

    async def stop_container(self, id: str, grace_seconds: int) -> None:
        """SIGTERM (or the image's stop signal), SIGKILL after the grace; returns when it is dead."""
        ...

    async def update_resources(self, id: str, resources: Obj) -> None:
        """Give a running container other ``LinuxContainerResources``."""
        ...

    async def remove_container(self, id: str) -> None: ...

    async def reopen_log(self, id: str) -> None: ...

    async def exec_sync(self, id: str, command: Sequence[str], timeout_seconds: int = 0) -> ExecResult:
        """Run a command to its end; 0 is no time limit, and past it is the failure ``DeadlineExceeded``."""
        ...

    async def exec_url(self, id: str, command: Sequence[str], *, tty: bool, streams: Mapping[str, bool]) -> str:
        """Where the runtime's streaming server waits for this exec; ``streams`` has stdin, stdout, stderr."""
        ...

    async def attach_url(self, id: str, *, tty: bool, streams: Mapping[str, bool]) -> str: ...

    async def port_forward_url(self, sandbox_id: str, ports: Sequence[int]) -> str: ...

    async def images(self) -> list[Image]: ...

    async def image(self, name: str) -> Image | None:
        """None where it is not on this node."""
        ...

    async def pull(self, name: str, auth: Mapping[str, str] | None, sandbox_config: Obj) -> str:
        """Pull an image; what the runtime knows it by."""
        ...

    async def remove_image(self, name: str) -> None: ...

    async def stats(self) -> list[ContainerStats]: ...

    def events(self) -> AsyncIterator[Event]:
        """Ends of containers and sandboxes as they happen. Ends with RuntimeFailure when the runtime goes."""
        ...

    async def close(self) -> None: ...
