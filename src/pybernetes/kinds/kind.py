"""What a kind is: one ``Kind`` row, and the ``Strategy`` with the few functions in which kinds differ.

Rule 1: no class per type. Objects are plain dicts; a row plus schema data is all the server needs.
Rule 2: everything here is pure. What needs the world (a free ClusterIP, the caller's name) is done by
        ``server/registry`` and ``server/admission`` and reaches a strategy as an argument or not at all.
Rule 3: a strategy function that changes an object gets one it owns and changes it in place;
        a function that judges returns ``FieldError``s and changes nothing.
Neighbours: ``kinds/table.py`` lists all rows, ``server/registry`` runs them, ``meta/schema.py`` does the
generic part (types, required, unknown fields, schema defaults).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from pybernetes.meta.errors import FieldError
from pybernetes.meta.objects import Obj

Convert: TypeAlias = tuple[Callable[[Obj], Obj], Callable[[Obj], Obj]]
"""(to the stored form, from the stored form): both pure, both answer a new object."""
Verb: TypeAlias = Literal["create", "get", "list", "watch", "update", "patch", "delete", "deletecollection"]
ALL_VERBS: Final[tuple[Verb, ...]] = (
    "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch",
)  # fmt: skip


def _nothing(obj: Obj) -> None:
    return None


def _nothing2(obj: Obj, old: Obj) -> None:
    return None


def _no_errors(obj: Obj) -> Sequence[FieldError]:
    return ()


def _no_errors2(obj: Obj, old: Obj) -> Sequence[FieldError]:
    return ()


def _no_warnings(obj: Obj, old: Obj | None) -> Sequence[str]:
    return ()


def _at_once(obj: Obj, grace_period_seconds: int | None) -> int | None:
    return None


def valid_name_default(name: str, is_prefix: bool) -> Sequence[str]:
    from pybernetes.meta import names

    return names.dns1123_subdomain(name, is_prefix=is_prefix)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """How a kind is defaulted, prepared, judged and deleted (registry/rest.RESTCreateStrategy and friends).

    Order on create: schema → ``default`` → mutating admission → ``prepare_create`` → ``validate``
    → validating admission.
    Order on update: schema → ``default`` → mutating admission → ``prepare_update`` → ``validate`` + ``validate_update``
    → validating admission.
    """

    default: Callable[[Obj], None] = _nothing
    """Fill in defaults that schema data cannot say (pkg/apis/*/defaults.go)."""
    prepare_create: Callable[[Obj], None] = _nothing
    """Clear or set what a client may not choose at creation (status is cleared by the registry already)."""
    prepare_update: Callable[[Obj, Obj], None] = _nothing2
    """(new, old): as above for an update; status is restored by the registry already."""
    validate_name: Callable[[str, bool], Sequence[str]] = valid_name_default
    """(name, is_prefix) → complaints; the registry puts them under metadata.name."""
    validate: Callable[[Obj], Sequence[FieldError]] = _no_errors
    validate_update: Callable[[Obj, Obj], Sequence[FieldError]] = _no_errors2
    """(new, old): rules about change only, immutability above all; ``validate`` runs on updates too."""
    validate_status_update: Callable[[Obj, Obj], Sequence[FieldError]] = _no_errors2
    warnings: Callable[[Obj, Obj | None], Sequence[str]] = _no_warnings
    """Texts for ``Warning:`` headers."""
    graceful: Callable[[Obj, int | None], int | None] = _at_once
    """(obj, asked seconds) → seconds of grace, or None where the kind is deleted at once. Only pods are graceful."""
    generation: Callable[[Obj, Obj], bool] | None = None
    """(new, old) → does ``metadata.generation`` grow? None: by any change of ``spec`` when ``has_generation``."""
    has_generation: bool = True
    allow_create_on_update: bool = False
    """May PUT create the object (leases, endpoints, events and a few more)?"""
    unconditional_update: bool = True
    """May PUT leave out resourceVersion?"""
    judges_changes: bool = False
    """True: on updates ``validate_update`` judges the whole object by itself, and ``validate`` creations only."""
    keep_status: bool = True
    """False where the main resource may write ``status`` (kinds without a status subresource)."""
    create_with_status: bool = False
    """True where a client creates the object together with its status: the registry clears it for all others."""
    default_propagation: Literal["Background", "Foreground", "Orphan"] = "Background"


@dataclass(frozen=True, slots=True)
class Subresource:
    """``pods/log``, ``deployments/scale`` …; ``kind``/``group``/``version`` differ from the parent's at times."""

    kind: str
    verbs: tuple[str, ...]
    group: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class ScalePaths:
    """Where a kind keeps what its ``scale`` subresource tells; an empty selector: it tells none."""

    wanted: tuple[str, ...]
    actual: tuple[str, ...]
    selector: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """A printer column (printers/internalversion/printers.go). ``value`` gets the object and ``now``.

    ``now`` is Unix seconds (ages are told by the server). ``priority`` 0 is always shown, 1 with ``-o wide``.
    """

    name: str
    value: Callable[[Obj, float], Any]
    type: Literal["string", "integer", "number", "boolean", "date"] = "string"
    format: str = ""
    description: str = ""
    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One row of the API: everything the server must know to serve a kind."""

    group: str
    version: str
    kind: str
    plural: str
    singular: str
    namespaced: bool
    definition: str
    """Name of its schema in ``kinds/schemas`` (``io.k8s.api.core.v1.Pod``)."""
    list_kind: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[Verb, ...] = ALL_VERBS
    subresources: Mapping[str, Subresource] = field(default_factory=dict)
    strategy: Strategy = Strategy()
    columns: tuple[Column, ...] = ()
    """Empty: NAME and AGE, upstream's fallback."""
    fields: Mapping[str, Callable[[Obj], str]] = field(default_factory=dict)
    """Field selectors besides metadata.name and metadata.namespace: ``spec.nodeName`` → value."""
    storage_of: str = ""
    """``apiVersion plural`` of the row that stores it (``v1 events``, ``autoscaling/v2 horizontalpodautoscalers``).
    Empty: stored as it is. ``KindTable.stored`` finds that row."""
    convert: Convert | None = None
    """With ``storage_of``: how an object goes into the stored form and comes back. The registry keeps only the stored
    form under the stored row's key, defaults and validates it there, and answers a request in the form it was asked
    in; a patch is applied to the asked form."""

    custom: bool = False
    """Made of a CustomResourceDefinition: it has no protobuf form and no strategic merge patch."""
    scale: ScalePaths | None = None
    """None: ``spec.replicas``, ``status.replicas`` and ``spec.selector``, if it scales at all."""

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """``deployments.apps``; ``pods`` for the core group: the name by which caches and controllers ask."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def list_name(self) -> str:
        return self.list_kind or f"{self.kind}List"
