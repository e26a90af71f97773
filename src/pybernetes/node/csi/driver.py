"""One CSI driver, spoken to over its socket. Each call of the specification is a method's name and a dict.

Rule: this file alone of the node speaks gRPC to drivers; what a driver refuses becomes a ``CsiError`` in its words.
Neighbours: ``messages.py`` is the table by which dicts become bytes; ``drivers.py`` knows which drivers there are.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from pybernetes.meta.objects import Obj
from pybernetes.meta.protobuf.codec import Codec
from pybernetes.node.csi.messages import MESSAGES

CALL_SECONDS: Final = 120.0
REGISTRATION: Final = "/pluginregistration.Registration/"
IDENTITY, CONTROLLER, NODE = "/csi.v1.Identity/", "/csi.v1.Controller/", "/csi.v1.Node/"
CONTROLLER_SERVICE: Final = 1
"""Of the plugin's capabilities."""
CREATE_DELETE, PUBLISH_UNPUBLISH, EXPAND = 1, 2, 9
"""Of the controller's."""
STAGE_UNSTAGE, NODE_EXPAND = 1, 3
"""Of the node's."""


class CsiError(Exception):
    """``code`` is gRPC's, in Go's spelling."""

    def __init__(self, code: str, details: str) -> None:
        super().__init__(f"rpc error: code = {code} desc = {details}")
        self.code, self.details = code, details


class Connection:
    """To a socket: of a driver, or of its registration."""

    def __init__(self, socket: str) -> None:
        from grpc import aio

        self._channel = aio.insecure_channel(f"unix://{socket}")
        self._codec = Codec(MESSAGES)

    async def call(
        self, service: str, method: str, request: Obj, *, types: tuple[str, str] | None = None,
        seconds: float = CALL_SECONDS,
    ) -> Obj:  # fmt: skip
        """``types``: the messages' names, where they do not follow from the method's. Raises CsiError."""
        import grpc

        sent, answered = types or (f"{method}Request", f"{method}Response")
        call = self._channel.unary_unary(
            service + method,
            request_serializer=partial(self._codec.encode, sent),
            response_deserializer=partial(self._codec.decode, answered),
        )
        try:
            answer: Obj = await call(request, timeout=seconds)
        except grpc.RpcError as error:
            raise _failure(error) from error
        return answer

    async def close(self) -> None:
        await self._channel.close()


class Driver(Connection):
    """``name`` is what StorageClasses and volumes call it."""

    def __init__(self, name: str, socket: str) -> None:
        super().__init__(socket)
        self.name = name
        self.node_id, self.volumes_max = "", 0
        self.topology: dict[str, str] = {}
        self.node_can: frozenset[int] = frozenset()
        self.controller_can: frozenset[int] = frozenset()

    async def learn(self) -> None:
        """Ask what it is and can. Raises CsiError."""
        info = await self.call(NODE, "NodeGetInfo", {})
        self.node_id, self.volumes_max = info.get("node_id", ""), info.get("max_volumes_per_node", 0)
        self.topology = info.get("accessible_topology", {}).get("segments", {})
        self.node_can = _types(await self.call(NODE, "NodeGetCapabilities", {}))
        plugin = await self.call(IDENTITY, "GetPluginCapabilities", {})
        services = {c.get("service", {}).get("type", 0) for c in plugin.get("capabilities", ())}
        if CONTROLLER_SERVICE in services:
            self.controller_can = _types(await self.call(CONTROLLER, "ControllerGetCapabilities", {}))


def _types(answer: Obj) -> frozenset[int]:
    return frozenset(c.get("rpc", {}).get("type", 0) for c in answer.get("capabilities", ()))


def _failure(error: Any) -> CsiError:
    name = "".join(word.capitalize() for word in error.code().name.split("_"))
    return CsiError({"Ok": "OK", "Cancelled": "Canceled"}.get(name, name), error.details() or "")
