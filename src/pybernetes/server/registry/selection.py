"""Which objects a list, a watch or a deletecollection is about: the selectors of its query as one predicate.

Rule: selectors look at the stored form. A field may be selected where its row names it; ``metadata.name`` and
``metadata.namespace`` always (apimachinery: DefaultMetaV1FieldSelectorConversion).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pybernetes.kinds.kind import Kind
from pybernetes.meta import errors, selectors
from pybernetes.meta.objects import Obj, meta
from pybernetes.meta.selectors import FieldSelector, LabelSelector
from pybernetes.server.registry.call import Call

_ALWAYS: Final = ("metadata.name", "metadata.namespace")
_NO_FIELDS: Final = FieldSelector()


@dataclass(frozen=True, slots=True)
class Selection:
    kind: Kind
    labels: LabelSelector = selectors.EVERYTHING
    fields: FieldSelector = _NO_FIELDS

    @property
    def name(self) -> str:
        """The one name that can match, if there is only one."""
        return self.fields.exact("metadata.name") or ""

    def __bool__(self) -> bool:
        """Does it restrict anything?"""
        return bool(self.labels) or bool(self.fields)

    def matches(self, obj: Obj) -> bool:
        """Is this stored object selected?"""
        if self.labels and not self.labels.matches(meta(obj).get("labels")):
            return False
        return not self.fields or all(
            (self._value(obj, field) == value) == (op == "=") for field, op, value in self.fields.requirements
        )

    def _value(self, obj: Obj, field: str) -> str:
        if field in _ALWAYS:
            return str(meta(obj).get(field[9:], ""))
        return self.kind.fields[field](obj)


def of(call: Call) -> Selection:
    """The selection that the query asks for. Raises BadRequest."""
    request = call.request
    if not request.query:
        return Selection(call.kind)
    labels = selectors.parse_labels(request.param("labelSelector"))
    fields = selectors.parse_fields(request.param("fieldSelector"))
    for field, _, _ in fields.requirements:
        if field not in _ALWAYS and field not in call.kind.fields:
            raise errors.BadRequest(_unsupported(call.kind, field))
    return Selection(call.kind, labels, fields)


def _unsupported(kind: Kind, field: str) -> str:
    if kind.fields:
        return f"field label not supported: {field}"
    return f'"{field}" is not a known field selector: only "metadata.name", "metadata.namespace"'
