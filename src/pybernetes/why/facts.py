"""What is known of a cluster at one moment: objects by resource, and the last lines of containers' logs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj


@dataclass(frozen=True, slots=True)
class Facts:
    found: Mapping[str, Sequence[Obj]]
    """By ``plural.group``; what was not asked for, or may not be read, is not there."""
    logs: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)
    """By (pod, container): the last lines of its last run."""

    def all(self, resource: str, namespace: str = "") -> Iterator[Obj]:
        """The objects of a namespace, or of the cluster."""
        return (each for each in self.found.get(resource, ()) if not namespace or objects.namespace(each) == namespace)

    def get(self, resource: str, name: str, namespace: str = "") -> Obj | None:
        return next((each for each in self.all(resource, namespace) if objects.name(each) == name), None)

    def warnings(self, obj: Obj, *reasons: str) -> list[str]:
        """Messages of the warnings about an object, the newest first; of certain reasons only where they are given."""
        mine = [
            event
            for event in self.all("events", objects.namespace(obj))
            if objects.get(event, "involvedObject", "uid") == objects.uid(obj)
            and event.get("type") == "Warning"
            and (not reasons or event.get("reason") in reasons)
        ]
        mine.sort(key=objects.resource_version, reverse=True)
        return list(dict.fromkeys(str(event.get("message", "")).strip() for event in mine))
