"""What an admission plugin is asked about: one write, before it is judged and stored.

Neighbours: ``table.py`` runs the plugins; the registry makes the Attributes and goes on with ``obj``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from pybernetes.kinds.kind import Kind
from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj
from pybernetes.server.admission.dynamic.rounds import Rounds
from pybernetes.server.context import User

Verb: TypeAlias = Literal["create", "update", "delete", "connect"]


@dataclass(slots=True)
class Attributes:
    """admission.Attributes. ``obj`` belongs to the write and may be changed in place; ``old`` is shared."""

    verb: Verb
    kind: Kind
    subresource: str
    namespace: str
    name: str
    obj: Obj | None
    old: Obj | None
    user: User
    dry_run: bool
    options: Obj
    """CreateOptions, UpdateOptions or DeleteOptions; for ``connect`` the subresource's own."""
    warn: Callable[[str], None]
    """Tell the client a text by a ``Warning`` header."""
    held: list[Callable[[], None]] = field(default_factory=list)
    """What plugins hold for the write until it has ended: how to let go of each thing."""
    annotations: dict[str, str] = field(default_factory=dict)
    """What the audit log shall be told."""
    requested: Kind | None = None
    """The row that was asked for, where ``kind``, which stores it, is another one."""
    rounds: Rounds | None = None
    """Made by webhooks and policies that may change the object."""

    def release(self) -> None:
        """The write has ended, well or not."""
        for let_go in self.held:
            let_go()
        self.held.clear()


def forbidden(a: Attributes, why: str, causes: Sequence[errors.Cause] = ()) -> errors.Forbidden:
    """admission.NewForbidden: an object that has no name yet goes by its generateName."""
    name = a.name or objects.name(a.obj or {}) or str(objects.meta(a.obj or {}).get("generateName") or "Unknown")
    error = errors.forbidden(a.kind.group, a.kind.plural, name, why)
    error.causes = tuple(causes)
    return error
