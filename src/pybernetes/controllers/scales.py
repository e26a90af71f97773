"""Where an object tells how many replicas it has and shall have, whatever its kind: the path of its ``scale``."""

from __future__ import annotations

from typing import TypeAlias

from pybernetes.kinds.kind import Kind
from pybernetes.kinds.table import KindTable

Reference: TypeAlias = tuple[str, str, str]
"""(apiVersion, kind, name)"""


class NoScale(Exception):
    """There is no scale to ask; the text says why."""


def row_of(kinds: KindTable, reference: Reference) -> Kind:
    """The row of a kind that has a scale. Raises NoScale."""
    api_version, kind, _ = reference
    group, _, version = api_version.rpartition("/")
    row = kinds.by_kind(group, version, kind)
    if row is None:
        raise NoScale(f'no matches for kind "{kind}" in version "{api_version}"')
    if "scale" not in row.subresources:
        raise NoScale(f"{row.resource} does not implement the scale subresource")
    return row


def path(kinds: KindTable, namespace: str, reference: Reference) -> str:
    """Where the scale is told. Raises NoScale."""
    row = row_of(kinds, reference)
    root = f"/apis/{row.api_version}" if row.group else f"/api/{row.version}"
    return f"{root}/namespaces/{namespace}/{row.plural}/{reference[2]}/scale"
