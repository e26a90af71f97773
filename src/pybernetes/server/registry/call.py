"""One request for a resource with everything that its path means: what the verbs pass on instead of a dozen arguments.

``kind`` is the row that was asked for, ``row`` the one that stores it; they differ for ``storage_of`` rows only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from pybernetes.kinds.kind import Kind
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj
from pybernetes.server.admission.attributes import Attributes, Verb
from pybernetes.server.context import Info, Request, User
from pybernetes.server.registry.context import Context
from pybernetes.storage import codec

ANONYMOUS: Final = User("system:anonymous", groups=("system:unauthenticated",))
_AGENT_CHARS_MAX: Final = 128


@dataclass(slots=True)
class Call:
    context: Context
    request: Request
    info: Info
    kind: Kind
    row: Kind
    namespace: str
    """Empty for cluster-scoped kinds, and for lists over all namespaces."""
    name: str
    subresource: str = ""
    dry_run: bool = False

    @property
    def user(self) -> User:
        return self.request.user or ANONYMOUS

    @property
    def key(self) -> str:
        return codec.key(self.row.group, self.row.plural, self.namespace, self.name)

    @property
    def prefix(self) -> str:
        """Where the objects lie that a list of this path shows."""
        return codec.prefix(self.row.group, self.row.plural, self.namespace)

    @property
    def manager(self) -> str:
        """The field manager: as asked, else who the User-Agent says (managerOrUserAgent)."""
        asked = self.request.param("fieldManager")
        return asked or self.request.headers.get("user-agent", "").partition("/")[0][:_AGENT_CHARS_MAX]

    def asked_form(self, stored: Obj) -> Obj:
        """A stored object in the form of the row that was asked for."""
        return stored if self.kind.convert is None else self.kind.convert[1](stored)

    def stored_form(self, asked: Obj) -> Obj:
        """An object of the asked form as it is stored."""
        return asked if self.kind.convert is None else self.kind.convert[0](asked)

    def warn(self, text: str) -> None:
        """Tell the client by a ``Warning`` header; the same text once."""
        if text and text not in self.request.warnings:
            self.request.warnings.append(text)

    def attributes(self, verb: Verb, obj: Obj | None, old: Obj | None, options: Obj | None = None) -> Attributes:
        """What admission is asked."""
        return Attributes(
            verb, self.row, self.subresource, self.namespace, self.name, obj, old, self.user, self.dry_run,
            options or {}, self.warn, annotations=self.request.annotations,
            requested=self.kind,
        )  # fmt: skip

    # ── refusals ─────────────────────────────────────────────────────────────────────────────────────────

    def not_found(self) -> errors.NotFound:
        return errors.not_found(self.kind.group, self.kind.plural, self.name)

    def conflict(self, why: str = errors.MODIFIED) -> errors.Conflict:
        return errors.conflict(self.kind.group, self.kind.plural, self.name, why)

    def invalid(self, found: Any) -> errors.Invalid:
        return errors.invalid_object(self.kind.group, self.kind.kind, self.name, list(found))
