"""Static pods: those that a node has from files of its own, and their mirrors in the API. Pure.

Rule 1: a static pod's uid is a hash of its content and its file, so another content is another pod.
Rule 2: its mirror lets everybody see it; deleting the mirror ends nothing, and a mirror of something else is replaced.
Names, annotations and tolerations are the kubelet's.
Neighbours: ``manifests.py`` reads the files and keeps the mirrors.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj
from pybernetes.node import podspec

HASH: Final = "kubernetes.io/config.hash"
MIRROR: Final = "kubernetes.io/config.mirror"
_SEEN: Final = "kubernetes.io/config.seen"


class NoPod(ValueError):
    """A manifest that describes no pod."""


def pod_of(manifest: Any, node: str, path: str, content: bytes, now: float) -> Obj:
    """The static pod of a manifest. Raises NoPod."""
    if not isinstance(manifest, dict) or manifest.get("kind") != "Pod" or manifest.get("apiVersion") != "v1":
        raise NoPod("it is no v1 Pod")
    metadata, spec = manifest.get("metadata") or {}, manifest.get("spec") or {}
    if not metadata.get("name") or not spec.get("containers"):
        raise NoPod("it has no name or no containers")
    uid = hashlib.md5(b"\0".join((node.encode(), path.encode(), content)), usedforsecurity=False).hexdigest()
    annotations = {HASH: uid, podspec.SOURCE: "file", _SEEN: times.render(now)}
    forever = {"operator": "Exists", "effect": "NoExecute"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **metadata,
            "name": f"{metadata['name']}-{node.lower()}",
            "namespace": metadata.get("namespace") or "default",
            "uid": uid,
            "annotations": {**(metadata.get("annotations") or {}), **annotations},
        },
        "spec": {**spec, "nodeName": node, "tolerations": [*(spec.get("tolerations") or ()), forever]},
        "status": {"phase": "Pending"},
    }


def mirror_of(pod: Obj, node_uid: str) -> Obj:
    """What the API is given of a static pod."""
    metadata = {k: v for k, v in pod["metadata"].items() if k != "uid"}
    owner = {
        "apiVersion": "v1", "kind": "Node", "name": pod["spec"]["nodeName"], "uid": node_uid, "controller": True,
    }  # fmt: skip
    metadata["annotations"] = {**metadata["annotations"], MIRROR: objects.uid(pod)}
    return {**pod, "metadata": {**metadata, "ownerReferences": [owner]}}


def is_static(pod: Obj) -> bool:
    return objects.annotations(pod).get(podspec.SOURCE) == "file" and not is_mirror(pod)


def is_mirror(pod: Obj) -> bool:
    return MIRROR in objects.annotations(pod)


def full_name(pod: Obj) -> tuple[str, str]:
    """Namespace and name: what a static pod and its mirror have in common."""
    return objects.namespace(pod), objects.name(pod)


def mirrors(mirror: Obj, pod: Obj) -> bool:
    """Whether a mirror shows this pod, and not an earlier content of its file."""
    return objects.annotations(mirror).get(MIRROR) == objects.uid(pod) and not objects.is_deleting(mirror)


def runtime_uid(pod: Obj) -> str:
    """The uid by which the runtime knows a pod: a mirror's is its static pod's."""
    return objects.annotations(pod).get(MIRROR) or objects.uid(pod)
