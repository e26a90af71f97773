"""A definition to try things on, and how it gets established."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pybernetes.meta.objects import Obj

from .server import Server

CRDS = "customresourcedefinitions.apiextensions.k8s.io"
BASE = "/apis/stable.example.com/v1/namespaces/default/crontabs"
SPEC: Obj = {
    "type": "object",
    "x-kubernetes-validations": [
        {"rule": "!has(self.mode) || self.mode != 'a' || self.replicas < 5", "message": "mode a has few replicas"}
    ],
    "properties": {
        "image": {
            "type": "string",
            "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "the image stays"}],
        },
        "cronSpec": {"type": "string", "pattern": r"^\S+$"},
        "mode": {"type": "string", "enum": ["a", "b"]},
        "replicas": {"type": "integer", "minimum": 0, "maximum": 10, "default": 1},
        "ports": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["port"],
            "items": {
                "type": "object",
                "required": ["port"],
                "properties": {"port": {"type": "integer"}, "name": {"type": "string"}},
            },
        },
    },
}
STATUS: Obj = {
    "type": "object",
    "properties": {"replicas": {"type": "integer"}, "labelSelector": {"type": "string"}},
}


def definition(
    plural: str = "crontabs", kind: str = "CronTab", short: Sequence[str] = ("ct",), versions: Sequence[str] = ("v1",)
) -> Obj:
    """The definition; the first version is the one that is stored."""
    return {
        "metadata": {"name": f"{plural}.stable.example.com"},
        "spec": {
            "group": "stable.example.com",
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind, "shortNames": list(short)},
            "versions": [_version(name, storage=name == versions[0]) for name in versions],
        },
    }


def _version(name: str, *, storage: bool) -> Obj:
    return {
        "name": name,
        "served": True,
        "storage": storage,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": SPEC, "status": STATUS}}},
        "subresources": {
            "status": {},
            "scale": {
                "specReplicasPath": ".spec.replicas",
                "statusReplicasPath": ".status.replicas",
                "labelSelectorPath": ".status.labelSelector",
            },
        },
        "selectableFields": [{"jsonPath": ".spec.mode"}],
        "additionalPrinterColumns": [
            {"name": "Mode", "type": "string", "jsonPath": ".spec.mode"},
            {"name": "Replicas", "type": "integer", "jsonPath": ".spec.replicas"},
            {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
        ],
    }


def crontab(name: str, **spec: Any) -> Obj:
    return {
        "apiVersion": "stable.example.com/v1",
        "kind": "CronTab",
        "metadata": {"name": name},
        "spec": spec,
    }


async def established(server: Server, crd: Obj) -> Obj:
    """The definition once it is established."""
    await server.client.create(CRDS, crd)
    return await seen(server, crd["metadata"]["name"], lambda found: condition(found, "Established") == "True")


def condition(crd: Obj, type_: str) -> str:
    """The status of a condition; empty where there is none."""
    found = crd["status"].get("conditions") or ()
    return next((str(one["status"]) for one in found if one["type"] == type_), "")


async def seen(server: Server, name: str, fits: Callable[[Obj], bool]) -> Obj:
    """A definition as soon as it is as it should be."""
    async for batch in server.client.watch(CRDS, resource_version=""):
        for _, found in batch:
            if found["metadata"]["name"] == name and fits(found):
                return found
    raise AssertionError("the watch has ended")


async def gone(server: Server, crd: Obj) -> None:
    """Return when a definition, as it was once seen, is no more."""
    async for batch in server.client.watch(CRDS, resource_version=crd["metadata"]["resourceVersion"]):
        if any(type_ == "DELETED" and was["metadata"]["uid"] == crd["metadata"]["uid"] for type_, was in batch):
            return
