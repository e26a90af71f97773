"""Comparing all that the runtime has with what the workers know. Pure.

Neighbours: ``agent.py`` looks now and then; what a worker knows is ``podactions.Observed``.
"""

from __future__ import annotations

from collections.abc import Container as Holder
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from pybernetes.meta.objects import Obj
from pybernetes.node.podactions import Observed
from pybernetes.node.podspec import DEFAULT_GRACE_SECONDS
from pybernetes.node.runtime import port
from pybernetes.node.runtime.port import Container, Sandbox

Found: TypeAlias = Mapping[str, tuple[list[Sandbox], list[Container]]]
"""By pod uid."""


def by_pod(sandboxes: Iterable[Sandbox], containers: Iterable[Container]) -> Found:
    found: dict[str, tuple[list[Sandbox], list[Container]]] = {}
    for sandbox in sandboxes:
        found.setdefault(sandbox.uid, ([], []))[0].append(sandbox)
    for container in containers:
        found.setdefault(container.labels.get(port.POD_UID, ""), ([], []))[1].append(container)
    found.pop("", None)  # nobody's pod
    return found


def differs(known: Observed, found: tuple[list[Sandbox], list[Container]] | None) -> bool:
    """Whether the runtime has something else of a pod than its worker last saw."""
    sandboxes, containers = found or ([], [])
    return {(s.id, s.ready) for s in known.sandboxes} != {(s.id, s.ready) for s in sandboxes} or (
        {(c.id, c.state) for c in known.containers} != {(c.id, c.state) for c in containers}
    )


def orphans(found: Found, leftovers: Iterable[str], known: Holder[str]) -> Iterator[Obj]:
    """A Pod, as far as it can be told, for everything here that belongs to none that is ``known`` by its uid: in the
    runtime, or in a directory of the node (``leftovers``, uids)."""
    for uid in {*found, *leftovers}:
        if uid not in known:
            sandboxes, containers = found.get(uid, ([], []))
            yield _pod(uid, sandboxes, containers)


def _pod(uid: str, sandboxes: list[Sandbox], containers: list[Container]) -> Obj:
    named = {(s.namespace, s.name) for s in sandboxes}
    named |= {(c.labels.get(port.POD_NAMESPACE, ""), c.labels.get(port.POD_NAME, "")) for c in containers}
    namespace, name = next(iter(named), ("", ""))
    grace = max((_grace(c) for c in containers), default=DEFAULT_GRACE_SECONDS)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "uid": uid},
        "spec": {"containers": [], "terminationGracePeriodSeconds": grace},
    }


def _grace(container: Container) -> int:
    text = container.annotations.get(port.GRACE_PERIOD, "")
    return int(text) if text.isdigit() else DEFAULT_GRACE_SECONDS
