"""Small pods and runtime rows for the tests of the node's deciding code."""

from __future__ import annotations

from typing import Any

from pybernetes.meta.objects import Obj
from pybernetes.node.podactions import Observed, observe
from pybernetes.node.podnotes import Notes, Present
from pybernetes.node.runtime.port import Container, Sandbox

NOW = 1_700_000_000.0


def pod(
    *containers: Obj, inits: tuple[Obj, ...] = (), policy: str = "Always", status: Obj | None = None, **spec: Any
) -> Obj:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "ns", "uid": "u"},
        "spec": {
            "containers": list(containers or (main(),)),
            "restartPolicy": policy,
            **({"initContainers": list(inits)} if inits else {}),
            **spec,
        },
        "status": status or {"phase": "Pending", "qosClass": "BestEffort"},
    }


def main(name: str = "c", image: str = "i:1", **more: Any) -> Obj:
    return {"name": name, "image": image, **more}


def deleted(obj: Obj, grace: int = 30, at: str = "2023-11-14T22:13:50Z") -> Obj:
    return obj | {"metadata": obj["metadata"] | {"deletionTimestamp": at, "deletionGracePeriodSeconds": grace}}


def sandbox(id: str = "s0", **more: Any) -> Sandbox:
    return Sandbox(**{"id": id, "name": "p", "namespace": "ns", "uid": "u", "ips": ("10.0.0.9",), **more})


def running(name: str = "c", attempt: int = 0, **more: Any) -> Container:
    return Container(
        **{
            "id": f"{name}{attempt}",
            "sandbox_id": "s0",
            "name": name,
            "attempt": attempt,
            "started_at": NOW - 60,
            **more,
        }
    )


def exited(name: str = "c", attempt: int = 0, code: int = 0, ago: float = 1.0, **more: Any) -> Container:
    return running(name, attempt, **{"state": "exited", "exit_code": code, "finished_at": NOW - ago, **more})


def seen(*containers: Container, sandboxes: tuple[Sandbox, ...] | None = None) -> Observed:
    return observe((sandbox(),) if sandboxes is None else sandboxes, containers)


def noted(*present: str, **more: Any) -> Notes:
    """Notes of a prepared pod; the images of these containers are on the node."""
    images = {n: Present("sha256:1") for n in present} | more.pop("images", {})
    return Notes(**{"prepared": True, "started_at": NOW - 100, "images": images, **more})
