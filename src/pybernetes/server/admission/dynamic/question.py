"""A write as webhooks and policies see it: in the version they know, and as an AdmissionRequest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

from pybernetes.kinds.kind import Kind
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.meta.selectors import LabelSelector
from pybernetes.server.admission.attributes import Attributes

if TYPE_CHECKING:
    from pybernetes.server.admission.plugin import World

_GROUP: Final = "admissionregistration.k8s.io"
_OPTIONS: Final[Mapping[str, str]] = {"create": "CreateOptions", "update": "UpdateOptions", "delete": "DeleteOptions"}


def is_exempt(a: Attributes) -> bool:
    """Is it a write of what itself says what is intercepted?"""
    return a.kind.group == _GROUP


class Write:
    """One write, with what several hooks would ask for again and again."""

    def __init__(self, world: World, a: Attributes) -> None:
        self.world, self.attributes = world, a
        self.row = a.requested or a.kind
        self.operation = a.verb.upper()
        self.is_namespaced = bool(a.namespace) and a.kind.resource != "namespaces"

    @cached_property
    def others(self) -> Sequence[Kind]:
        """The other versions in which the same object is served."""
        return [row for row in self.world.kinds if row is not self.row and self._is_same(row)]

    def _is_same(self, row: Kind) -> bool:
        """Are objects of ``row`` stored where this one is?"""
        stored = self.attributes.kind
        if row.custom or not row.storage_of:
            return (row.group, row.plural) == (stored.group, stored.plural)
        return self.world.kinds.stored(row) is stored

    @cached_property
    def namespace(self) -> Obj | None:
        """The namespace of what is written; None for what lies in none."""
        return self.world.live.get("", "namespaces", "", self.attributes.namespace) if self.is_namespaced else None

    def namespace_matches(self, selector: LabelSelector) -> bool:
        """What lies in no namespace matches any selector; a namespace matches by its own labels."""
        a = self.attributes
        if a.kind.resource == "namespaces":
            own = a.obj if a.obj is not None and not a.subresource and a.verb in ("create", "update") else a.old
            return selector.matches(objects.labels(own or {}))
        return not self.is_namespaced or selector.matches(objects.labels(self.namespace or {}))

    def shown(self, row: Kind, obj: Obj | None) -> Obj | None:
        """An object of the write in the form of ``row``."""
        return row.convert[1](obj) if obj is not None and row.convert is not None else obj

    def taken(self, row: Kind, obj: Obj) -> Obj:
        """What came back in the form of ``row``, as it is stored."""
        return row.convert[0](obj) if row.convert is not None else obj

    def request(self, row: Kind, uid: str = "") -> Obj:
        """The AdmissionRequest without its objects."""
        a, asked = self.attributes, self.row
        found: Obj = {
            "uid": uid,
            "kind": self._kind(row),
            "resource": {"group": row.group, "version": row.version, "resource": row.plural},
            "requestKind": self._kind(asked),
            "requestResource": {"group": asked.group, "version": asked.version, "resource": asked.plural},
            "name": a.name,
            "namespace": a.name if a.kind.resource == "namespaces" else a.namespace,
            "operation": self.operation,
            "userInfo": _user(a),
            "dryRun": a.dry_run,
        }
        if a.subresource:
            found["subResource"] = found["requestSubResource"] = a.subresource
        if a.verb in _OPTIONS:
            found["options"] = {**a.options, "kind": _OPTIONS[a.verb], "apiVersion": "meta.k8s.io/v1"}
        return found

    def _kind(self, row: Kind) -> Obj:
        """What the objects are: of a subresource with a kind of its own (Binding, PodExecOptions …) that kind."""
        obj = self.attributes.obj
        if self.attributes.subresource and obj is not None and obj.get("kind") not in (None, self.attributes.kind.kind):
            group, _, version = str(obj.get("apiVersion") or "v1").rpartition("/")
            return {"group": group, "version": version, "kind": obj["kind"]}
        return {"group": row.group, "version": row.version, "kind": row.kind}


def _user(a: Attributes) -> Obj:
    user = a.user
    found: Obj = {"username": user.name, "groups": list(user.groups)}
    if user.uid:
        found["uid"] = user.uid
    if user.extra:
        found["extra"] = {key: list(values) for key, values in user.extra.items()}
    return found
