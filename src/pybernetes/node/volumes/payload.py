"""The files of volumes that are made from objects: configMap, secret, downwardAPI, projected. Pure.

Rule: a source row turns its part of the spec into path → File; a volume of one source and a projected one with many
are the same thing. Paths are relative; validation has seen to it that none leads outside.
Neighbours: ``atomic.py`` writes the answer, ``table.py`` knows the volumes, ``environment.py`` reads the same objects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.node import downward, environment
from pybernetes.node.environment import ConfigError
from pybernetes.node.volumes.material import Material, token_key

DEFAULT_MODE: Final = 0o644
_TOKEN_MODE: Final = 0o600


@dataclass(frozen=True, slots=True)
class File:
    content: bytes
    mode: int
    owner: int | None = None
    """A user id, where the file is not root's."""


Payload: TypeAlias = dict[str, File]
Source: TypeAlias = Callable[[Obj, Obj, Material, int], Payload]
"""(pod, the source's part of the spec, material, default mode) → files. Raises ConfigError."""


def of_volume(pod: Obj, volume: Obj, material: Material) -> Payload:
    """All files of a volume of one of these kinds. Raises ConfigError in the kubelet's words."""
    if "projected" in volume:
        projected = volume["projected"]
        mode = projected.get("defaultMode", DEFAULT_MODE)
        out: Payload = {}
        for source in projected.get("sources") or ():
            out |= _of_source(pod, source, material, mode)
        return out
    kind = next(k for k in SOURCES if k in volume)
    source = volume[kind]
    if kind == "secret":  # the volume and the projection differ in how they spell the name
        source = {**source, "name": source.get("secretName", "")}
    return SOURCES[kind](pod, source, material, source.get("defaultMode", DEFAULT_MODE))


def _of_source(pod: Obj, source: Obj, material: Material, mode: int) -> Payload:
    kind = next((k for k in SOURCES if k in source), None)
    return SOURCES[kind](pod, source[kind], material, mode) if kind else {}


def _config_map(pod: Obj, source: Obj, material: Material, mode: int) -> Payload:
    data = environment.config_map_data(material.sources, source)
    return _keys(source, data, mode, "configmap")


def _secret(pod: Obj, source: Obj, material: Material, mode: int) -> Payload:
    data = environment.secret_data(material.sources, source)
    return _keys(source, data, mode, "secret")


def _keys(source: Obj, data: Mapping[str, bytes] | None, mode: int, kind: str) -> Payload:
    """All keys, or those that ``items`` names."""
    items = source.get("items")
    if not items:
        return {key: File(content, mode) for key, content in (data or {}).items()}
    out: Payload = {}
    for item in items:
        content = (data or {}).get(item["key"])
        if content is not None:
            out[item["path"]] = File(content, item.get("mode", mode))
        elif not source.get("optional"):
            raise ConfigError(f"{kind} references non-existent key: {item['key']}")
    return out


def _downward_api(pod: Obj, source: Obj, material: Material, mode: int) -> Payload:
    out: Payload = {}
    for item in source.get("items") or ():
        try:
            text = _downward_item(pod, item, material)
        except downward.Unresolvable as error:
            raise ConfigError(str(error)) from error
        out[item["path"]] = File(text.encode(), item.get("mode", mode))
    return out


def _downward_item(pod: Obj, item: Obj, material: Material) -> str:
    node = material.sources.node
    if "fieldRef" in item:
        return downward.field(pod, item["fieldRef"]["fieldPath"], node, material.sources.pod_ips)
    return downward.resource(pod, item["resourceFieldRef"], None, node)


def _token(pod: Obj, source: Obj, material: Material, mode: int) -> Payload:
    """The token is its reader's only, where the pod says who that is."""
    token = material.tokens[token_key(source)].encode()
    user, group = _user(pod), objects.get(pod, "spec", "securityContext", "fsGroup")
    return {source["path"]: File(token, mode if user is group is None else _TOKEN_MODE, user)}


def _user(pod: Obj) -> int | None:
    """The user that all containers run as, if the spec tells one."""
    outer = objects.get(pod, "spec", "securityContext", "runAsUser")
    containers = [*objects.get(pod, "spec", "initContainers", default=[]), *pod["spec"]["containers"]]
    users = {objects.get(c, "securityContext", "runAsUser", default=outer) for c in containers}
    return next(iter(users)) if len(users) == 1 else None


SOURCES: Final[Mapping[str, Source]] = {
    "configMap": _config_map,
    "secret": _secret,
    "downwardAPI": _downward_api,
    "serviceAccountToken": _token,
}
