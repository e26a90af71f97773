"""What a path and a method mean: the first thing that the chain finds out.

Source: apiserver/pkg/endpoints/request/requestinfo.go. Rule: whatever does not lie at least three steps below ``/api``
or ``/apis`` (four with a group) is no resource; its verb is the method in small letters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Final

from pybernetes.meta import errors, names, selectors
from pybernetes.server.context import Info, Request

_VERBS: Final[Mapping[str, str]] = {
    "POST": "create", "GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete",
}  # fmt: skip
_NAMESPACE_PARTS: Final = ("status", "finalize")
"""Subresources of a namespace; anything else behind its name is a resource in it."""


def of(request: Request) -> Info:
    """The Info of a request. Raises BadRequest for a watch path that names nothing to watch."""
    info = _of_path(request.method, request.path)
    if info.is_resource and info.verb in ("list", "watch") and request.query:
        return _asked(request, info)
    return info


def _asked(request: Request, info: Info) -> Info:
    """Whether a list is a watch, and whether it is about one object only, is said in the query."""
    verb = "watch" if info.verb == "watch" or request.flag("watch") else "list"
    name = info.name or _only_name(request.param("fieldSelector"))
    return info if (verb, name) == (info.verb, info.name) else replace(info, verb=verb, name=name)


def _only_name(text: str) -> str:
    """The one name that a field selector lets through: rules with resourceNames are about it."""
    if "metadata.name" not in text:
        return ""
    try:
        name = selectors.parse_fields(text).exact("metadata.name") or ""
    except errors.ApiError:
        return ""  # whoever lists will refuse the selector with its reason
    return "" if names.path_segment(name) else name


@lru_cache(maxsize=4096)
def _of_path(method: str, path: str) -> Info:
    parts = path.strip("/").split("/")
    steps = {"api": 1, "apis": 2}.get(parts[0], 0)
    if not steps or len(parts) < steps + 2:
        return Info(is_resource=False, verb=method.lower(), path=path)
    group = parts[1] if steps == 2 else ""
    verb, rest = _VERBS.get(method, ""), parts[steps + 1 :]
    if rest[0] == "watch":
        verb, rest = "watch", rest[1:]
        if not rest:
            raise errors.BadRequest(f"unable to determine kind and namespace from url: {path}")
    return _of_resource(path, verb, group, parts[steps], rest)


def _of_resource(path: str, verb: str, group: str, version: str, rest: list[str]) -> Info:
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
        if len(rest) > 2 and rest[2] not in _NAMESPACE_PARTS:
            rest = rest[2:]
    resource, name, subresource = (*rest, "", "")[:3]
    tail = "/".join(rest[3:])
    if tail and path.endswith("/"):
        tail += "/"  # a proxied server tells ``docs`` from ``docs/``
    if not name:
        verb = {"get": "list", "delete": "deletecollection"}.get(verb, verb)
    return Info(
        is_resource=True, verb=verb, path=path, group=group, version=version, namespace=namespace,
        resource=resource, subresource=subresource, name=name, tail=tail,
    )  # fmt: skip
