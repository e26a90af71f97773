"""What volumes are made from besides the pod, and how one that cannot be made says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from pybernetes.meta.objects import Obj
from pybernetes.node.environment import Sources


class VolumeError(Exception):
    """``volume`` cannot be set up; the text becomes the end of the FailedMount event's message."""

    def __init__(self, volume: str, why: str) -> None:
        super().__init__(f'MountVolume.SetUp failed for volume "{volume}" : {why}')
        self.volume, self.why = volume, why


TokenKey: TypeAlias = tuple[str, int]
"""(audience, expiration seconds) of a serviceAccountToken source."""


@dataclass(frozen=True, slots=True)
class Persistent:
    """A claim and the volume that it is bound to."""

    claim: Obj
    volume: Obj


@dataclass(frozen=True, slots=True)
class Material:
    sources: Sources
    tokens: Mapping[TokenKey, str] = field(default_factory=dict)
    persistent: Mapping[str, Persistent] = field(default_factory=dict)
    """By the name of the pod's volume."""


def token_key(source: Obj) -> TokenKey:
    """Of a ``serviceAccountToken`` projection."""
    return source.get("audience", ""), int(source.get("expirationSeconds") or 3600)


def token_sources(pod: Obj) -> list[tuple[str, Obj]]:
    """Every serviceAccountToken projection of a pod, with the name of its volume."""
    volumes = (pod.get("spec") or {}).get("volumes") or ()
    projected = ((v["name"], s) for v in volumes for s in (v.get("projected") or {}).get("sources") or ())
    return [(name, s["serviceAccountToken"]) for name, s in projected if "serviceAccountToken" in s]
