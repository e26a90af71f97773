#!/usr/bin/env python3
"""A CSI driver in one file: volumes are folders below one that all nodes share, so pods on any node see the same data.

    driver.py --node node-1 --kubelet /path/of/that/node/kubelet --root /srv/shared [--attach]

It runs once for each node, where that node's mounts are made, and registers itself with the node's agent. With
``--attach`` volumes are attached to nodes before they are used there, as those of a disk would be.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable
from concurrent import futures
from functools import partial
from pathlib import Path
from typing import Any

import grpc

from pybernetes.meta.protobuf.codec import Codec
from pybernetes.node.csi.messages import MESSAGES

NAME = "shared.csi.pybernetes.io"
Message = dict[str, Any]
codec = Codec(MESSAGES)


class Driver:
    """A method for each call of the specification that is served; each gets the request and returns the answer."""

    def __init__(self, node: str, root: Path, endpoint: str, *, attach: bool) -> None:
        self.node, self.root, self.endpoint, self.attach = node, root, endpoint, attach

    # ── registration and identity ────────────────────────────────────────────────────────────────────────

    def GetInfo(self, request: Message) -> Message:
        return {"type": "CSIPlugin", "name": NAME, "endpoint": self.endpoint, "supported_versions": ["1.0.0"]}

    def NotifyRegistrationStatus(self, request: Message) -> Message:
        return {}

    def GetPluginInfo(self, request: Message) -> Message:
        return {"name": NAME, "vendor_version": "1"}

    def GetPluginCapabilities(self, request: Message) -> Message:
        return {"capabilities": [{"service": {"type": 1}}]}  # CONTROLLER_SERVICE

    # ── the controller: folders come, go and are given out ───────────────────────────────────────────────

    def ControllerGetCapabilities(self, request: Message) -> Message:
        types = [1, 9, *([2] if self.attach else [])]  # CREATE_DELETE_VOLUME, EXPAND_VOLUME, PUBLISH_UNPUBLISH_VOLUME
        return {"capabilities": [{"rpc": {"type": number}} for number in types]}

    def CreateVolume(self, request: Message) -> Message:
        (self.root / request["name"]).mkdir(parents=True, exist_ok=True)
        size = request.get("capacity_range", {}).get("required_bytes", 0)
        return {"volume": {"volume_id": request["name"], "capacity_bytes": size, "volume_context": {"by": self.node}}}

    def DeleteVolume(self, request: Message) -> Message:
        shutil.rmtree(self.root / request["volume_id"], ignore_errors=True)
        return {}

    def ControllerExpandVolume(self, request: Message) -> Message:
        return {"capacity_bytes": request["capacity_range"]["required_bytes"]}

    def ControllerPublishVolume(self, request: Message) -> Message:
        (self.root / f"{request['volume_id']}@{request['node_id']}").touch()
        return {"publish_context": {"attached": request["node_id"]}}

    def ControllerUnpublishVolume(self, request: Message) -> Message:
        (self.root / f"{request['volume_id']}@{request['node_id']}").unlink(missing_ok=True)
        return {}

    # ── the node: folders are shown to pods ──────────────────────────────────────────────────────────────

    def NodeGetInfo(self, request: Message) -> Message:
        return {"node_id": self.node}

    def NodeGetCapabilities(self, request: Message) -> Message:
        return {"capabilities": [{"rpc": {"type": 1}}]}  # STAGE_UNSTAGE_VOLUME

    def NodeStageVolume(self, request: Message) -> Message:
        if self.attach and request.get("publish_context", {}).get("attached") != self.node:
            raise RuntimeError("the volume is not attached to this node")
        _bind(self.root / request["volume_id"], Path(request["staging_target_path"]))
        return {}

    def NodePublishVolume(self, request: Message) -> Message:
        target = Path(request["target_path"])
        source = Path(request.get("staging_target_path", ""))
        if request.get("volume_context", {}).get("csi.storage.k8s.io/ephemeral") == "true":
            source = self.root / request["volume_id"]  # described by the pod itself: never created, never staged
            source.mkdir(parents=True, exist_ok=True)
        _bind(source, target)
        if request.get("readonly"):
            subprocess.run(["mount", "-o", "remount,bind,ro", str(target)], check=True)
        return {}

    def NodeUnpublishVolume(self, request: Message) -> Message:
        _unbind(Path(request["target_path"]))
        if request["volume_id"].startswith("csi-"):  # as volumes are called that end with their pod
            shutil.rmtree(self.root / request["volume_id"], ignore_errors=True)
        return {}

    def NodeUnstageVolume(self, request: Message) -> Message:
        _unbind(Path(request["staging_target_path"]))
        return {}


def _is_mounted(path: Path) -> bool:
    return any(line.split(" ")[4] == os.path.realpath(path) for line in open("/proc/self/mountinfo"))


def _bind(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    if not _is_mounted(target):
        subprocess.run(["mount", "--bind", str(source), str(target)], check=True)


def _unbind(target: Path) -> None:
    if _is_mounted(target):
        subprocess.run(["umount", str(target)], check=True)
    if target.is_dir():
        target.rmdir()


# ── serving ──────────────────────────────────────────────────────────────────────────────────────────────

_TYPES = {
    "GetInfo": ("InfoRequest", "PluginInfo"),
    "NotifyRegistrationStatus": ("RegistrationStatus", "RegistrationStatusResponse"),
}


class Handler(grpc.GenericRpcHandler):
    """Finds the method that a call names."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def service(self, details: Any) -> Any:
        method = details.method.rpartition("/")[2]
        function: Callable[[Message], Message] | None = getattr(self._driver, method, None)
        if function is None:
            return None
        sent, answered = _TYPES.get(method, (f"{method}Request", f"{method}Response"))
        return grpc.unary_unary_rpc_method_handler(
            partial(_answer, function),
            request_deserializer=partial(codec.decode, sent),
            response_serializer=partial(codec.encode, answered),
        )


def _answer(function: Callable[[Message], Message], request: Message, context: Any) -> Message:
    try:
        return function(request)
    except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
        context.abort(grpc.StatusCode.INTERNAL, str(error))
        raise


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--node", required=True, help="name of the node")
    arguments.add_argument("--kubelet", required=True, type=Path, help="root of the node's pod directories")
    arguments.add_argument("--root", required=True, type=Path, help="the folder that all nodes share")
    arguments.add_argument("--attach", action="store_true", help="attach volumes to nodes")
    given = arguments.parse_args()
    endpoint = given.kubelet / "plugins" / NAME / "csi.sock"
    registration = given.kubelet / "plugins_registry" / f"{NAME}-reg.sock"
    for path in (endpoint, registration):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
    server = grpc.server(futures.ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((Handler(Driver(given.node, given.root, str(endpoint), attach=given.attach)),))
    server.add_insecure_port(f"unix://{endpoint}")
    server.start()
    announcing = grpc.server(futures.ThreadPoolExecutor(1))
    announcing.add_generic_rpc_handlers((Handler(Driver(given.node, given.root, str(endpoint), attach=given.attach)),))
    announcing.add_insecure_port(f"unix://{registration}")
    announcing.start()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
    registration.unlink(missing_ok=True)
    server.stop(1)


if __name__ == "__main__":
    main()
