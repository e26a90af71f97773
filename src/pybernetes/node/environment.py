"""A container's environment from everything that may speak in it. Pure.

Order, as in the kubelet: ``envFrom`` in turn, then ``env`` in turn, each seeing what came before; service variables
fill what is left. ``$(NAME)`` is replaced where NAME is known and left alone where not; ``$$`` is a dollar.
Neighbours: ``serviceenv.py`` (variables of services), ``downward.py`` (fields), ``references.py`` (fetches objects).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.node import downward
from pybernetes.node.downward import NodeFacts

_EXPANSION: Final = re.compile(r"\$(?:\$|\(([^)]*)\))")


class ConfigError(Exception):
    """A container cannot be configured; the text becomes the message of CreateContainerConfigError."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What the environment is made from besides the pod. An object that does not exist is missing from its map."""

    config_maps: Mapping[str, Obj]
    secrets: Mapping[str, Obj]
    services: Mapping[str, str]
    node: NodeFacts
    pod_ips: tuple[str, ...] = ()


def of_container(pod: Obj, container: Obj, sources: Sources) -> dict[str, str]:
    """Name → value, in order. Raises ConfigError."""
    out: dict[str, str] = {}
    for source in container.get("envFrom") or ():
        out |= _from_whole(source, sources)
    for entry in container.get("env") or ():
        if entry.get("valueFrom"):
            value = _value_from(pod, container, entry["valueFrom"], sources)
            if value is None:
                continue
        else:
            value = expand(entry.get("value", ""), {**sources.services, **out})
        out[entry["name"]] = value
    return out | {k: v for k, v in sources.services.items() if k not in out}


def expand(text: str, known: Mapping[str, str]) -> str:
    """``$(NAME)`` replaced where known."""

    def replace(match: re.Match[str]) -> str:
        name = match[1]
        return "$" if name is None else known.get(name, match[0])

    return _EXPANSION.sub(replace, text)


def _from_whole(source: Obj, sources: Sources) -> dict[str, str]:
    """All keys of a ConfigMap or Secret, those left out that cannot be names of variables."""
    prefix = source.get("prefix", "")
    for field, read in (("configMapRef", config_map_data), ("secretRef", secret_data)):
        ref = source.get(field)
        if ref is not None:
            data = read(sources, ref)
            named = {prefix + key: value.decode(errors="replace") for key, value in (data or {}).items()}
            return {k: v for k, v in named.items() if k and "=" not in k and k.isprintable()}
    return {}


def _value_from(pod: Obj, container: Obj, source: Obj, sources: Sources) -> str | None:
    try:
        if "fieldRef" in source:
            return downward.field(pod, source["fieldRef"]["fieldPath"], sources.node, sources.pod_ips)
        if "resourceFieldRef" in source:
            return downward.resource(pod, source["resourceFieldRef"], container, sources.node)
    except downward.Unresolvable as error:
        raise ConfigError(str(error)) from error
    for field, kind, read in (
        ("configMapKeyRef", "ConfigMap", config_map_data),
        ("secretKeyRef", "Secret", secret_data),
    ):
        ref = source.get(field)
        if ref is not None:
            data = read(sources, ref)
            if data is not None and ref["key"] in data:
                return data[ref["key"]].decode(errors="replace")
            if ref.get("optional"):
                return None
            raise ConfigError(
                f"couldn't find key {ref['key']} in {kind} {objects.namespace(pod)}/{ref.get('name', '')}"
            )
    return ""


def config_map_data(sources: Sources, ref: Obj) -> dict[str, bytes] | None:
    """All content of a ConfigMap; None for an optional one that is not there. Raises ConfigError."""
    found = sources.config_maps.get(ref.get("name", ""))
    if found is None:
        _check_optional("configmap", ref)
        return None
    return config_map_bytes(found)


def secret_data(sources: Sources, ref: Obj) -> dict[str, bytes] | None:
    """As ``config_map_data``, for a Secret."""
    found = sources.secrets.get(ref.get("name", ""))
    if found is None:
        _check_optional("secret", ref)
        return None
    return secret_bytes(found)


def config_map_bytes(config_map: Obj) -> dict[str, bytes]:
    text = {k: v.encode() for k, v in (config_map.get("data") or {}).items()}
    return text | {k: base64.b64decode(v) for k, v in (config_map.get("binaryData") or {}).items()}


def secret_bytes(secret: Obj) -> dict[str, bytes]:
    return {k: base64.b64decode(v) for k, v in (secret.get("data") or {}).items()}


def _check_optional(kind: str, ref: Obj) -> None:
    if not ref.get("optional"):
        raise ConfigError(f'{kind} "{ref.get("name", "")}" not found')
