"""What travels along the chain: a Request going in, a Response coming out.

A Request is filled in as it passes: ``requestinfo`` sets ``info``, ``authn`` sets ``user``; the registry reads
both. In-process clients hand over ``obj`` instead of ``body`` and take ``Response.obj``, so nothing is encoded.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pybernetes.lib.http.message import HttpRequest, HttpResponse
from pybernetes.meta.objects import Obj


@dataclass(frozen=True, slots=True)
class User:
    """authentication.k8s.io UserInfo."""

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Info:
    """What a path and method mean (apiserver/pkg/endpoints/request.RequestInfo)."""

    is_resource: bool
    verb: str
    path: str
    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    tail: str = ""
    """What follows the subresource in the path (``proxy/…``)."""


@dataclass(slots=True)
class Request(HttpRequest):
    obj: Any = None
    """An already decoded body, from an in-process client that hands it over for good."""
    in_process: bool = False
    """True: the caller takes ``Response.obj``/``events``; do not encode."""
    info: Info | None = None
    user: User | None = None
    warnings: list[str] = field(default_factory=list)
    """Texts that leave as ``Warning: 299`` headers."""
    told: tuple[tuple[str, str], ...] = ()
    """Headers that the answer gets, whatever it is."""
    impersonator: User | None = None
    """Who asks as ``user`` without being it."""
    audit_id: str = ""
    annotations: dict[str, str] = field(default_factory=dict)
    """What the audit log shall be told besides."""


@dataclass(slots=True)
class Response(HttpResponse):
    obj: Any = None
    events: AsyncIterator[Sequence[tuple[str, Obj]]] | None = None
    """Watch answers for in-process clients: batches of (type, object)."""


Handler: TypeAlias = Callable[[Request], Awaitable[Response]]
Filter: TypeAlias = Callable[[Request, Handler], Awaitable[Response]]
