"""Warnings about pods and templates that are valid and yet surely not meant so (pkg/api/pod/warnings.go)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pybernetes.kinds.strategy import check
from pybernetes.meta import quantity
from pybernetes.meta.objects import Obj

_NODE_LABELS: Final[Mapping[str, str]] = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
}
_ANNOTATIONS: Final[Mapping[str, str]] = {
    "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
    "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
    "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
}
_VOLUMES: Final[Mapping[str, str]] = {
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "gitRepo": "deprecated in v1.11, and disabled by default in v1.33+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
}


def pod(obj: Obj, old: Obj | None) -> Sequence[str]:
    """Warnings of a pod at its creation; updates can change little and are not warned of."""
    if old is not None:
        return ()
    meta = obj.get("metadata") or {}
    return list(dict.fromkeys((*_annotations(meta, "metadata"), *_spec(obj.get("spec") or {}, "spec"))))


def template(obj: Obj | None, old: Obj | None, path: str) -> Sequence[str]:
    """Warnings of a pod template that is new or has changed."""
    if not obj or obj == old:
        return ()
    meta, spec = obj.get("metadata") or {}, obj.get("spec") or {}
    return list(dict.fromkeys((*_annotations(meta, f"{path}.metadata"), *_spec(spec, f"{path}.spec"))))


def _annotations(meta: Obj, path: str) -> Iterator[str]:
    for key in meta.get("annotations") or ():
        if key in _ANNOTATIONS:
            yield f"{path}.annotations[{key}]: {_ANNOTATIONS[key]}"


def _spec(spec: Obj, path: str) -> Iterator[str]:
    for key in spec.get("nodeSelector") or ():
        if key in _NODE_LABELS:
            yield f"{path}.nodeSelector[{key}]: {_NODE_LABELS[key]}"
    yield from _host_aliases(spec, path)
    yield from _volumes(spec, path)
    for ref, at in check.each(spec.get("imagePullSecrets"), f"{path}.imagePullSecrets"):
        if not ref.get("name"):
            yield f"{at}.name: invalid empty name {_quoted('')}"
    for key in ("initContainers", "containers"):
        for container, at in check.each(spec.get(key), f"{path}.{key}"):
            yield from _container(container, at)
    yield from _ports(spec, path)


def _quoted(text: str) -> str:
    return f'"{text}"'


def _host_aliases(spec: Obj, path: str) -> Iterator[str]:
    seen: dict[str, int] = {}
    for index, alias in enumerate(spec.get("hostAliases") or ()):
        address = alias.get("ip", "")
        if address in seen:
            first = f"{path}.hostAliases[{seen[address]}].ip"
            yield f"{path}.hostAliases[{index}].ip: duplicate ip {_quoted(address)}, also in {first}"
        seen.setdefault(address, index)


def _volumes(spec: Obj, path: str) -> Iterator[str]:
    for volume, at in check.each(spec.get("volumes"), f"{path}.volumes"):
        for key, text in _VOLUMES.items():
            if volume.get(key) is not None:
                yield f"{at}.{key}: {text}"


def _container(container: Obj, path: str) -> Iterator[str]:
    yield from _duplicate_env(container, path)
    resources = container.get("resources") or {}
    for side in ("limits", "requests"):
        for name in ("memory", "ephemeral-storage"):
            value = (resources.get(side) or {}).get(name)
            if value is not None and quantity.parse(value) % 1:
                shown = quantity.canonical(value)
                at = f"{path}.resources.{side}[{name}]"
                yield f"{at}: fractional byte value {_quoted(shown)} is invalid, must be an integer"


def _duplicate_env(container: Obj, path: str) -> Iterator[str]:
    seen: dict[str, str] = {}
    for variable, at in check.each(container.get("env"), f"{path}.env"):
        name, value = variable.get("name", ""), variable.get("value") or ""
        if name in seen and f"$({name})" not in value:
            yield f"{at}: hides previous definition of {_quoted(name)}, which may be dropped when using apply"
        seen[name] = at


def _ports(spec: Obj, path: str) -> Iterator[str]:
    seen: dict[tuple[object, ...], str] = {}
    for container, at in check.each(spec.get("containers"), f"{path}.containers"):
        for port, where in check.each(container.get("ports"), f"{at}.ports"):
            key = (container.get("name"), port.get("containerPort"), port.get("protocol"))
            if key in seen:
                yield f"{where}: duplicate port definition with {seen[key]}"
            seen.setdefault(key, where)
