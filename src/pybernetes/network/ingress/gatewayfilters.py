"""The filters of an HTTPRoute's rule as ``model.Handling``. Pure.

Neighbours: ``gateway.py`` refuses a route with a filter that is not ``KNOWN``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final, Literal

from pybernetes.meta.objects import Obj
from pybernetes.network.ingress.model import Handling, Header, Redirect

KNOWN: Final = ("RequestHeaderModifier", "ResponseHeaderModifier", "RequestRedirect", "URLRewrite")
REDIRECT_CODE: Final = 302


def handling(filters: Iterable[Obj], path: Obj) -> Handling:
    """What the filters ask for; ``path`` is the match by whose prefix a path is replaced."""
    made = Handling()
    for each in filters:
        if header := each.get("requestHeaderModifier"):
            made = replace(made, headers=(*made.headers, *_headers("request", header)))
        if header := each.get("responseHeaderModifier"):
            made = replace(made, headers=(*made.headers, *_headers("response", header)))
        if redirect := each.get("requestRedirect"):
            made = replace(made, redirect=_redirect(redirect), rewrite=_rewrite(redirect.get("path"), path))
        if url := each.get("urlRewrite"):
            made = replace(made, host=url.get("hostname") or "", rewrite=_rewrite(url.get("path"), path))
    return made


def _headers(direction: Literal["request", "response"], change: Obj) -> Iterator[Header]:
    actions: tuple[tuple[Literal["set", "add"], str], ...] = (("set", "set"), ("add", "add"))
    for action, key in actions:
        for header in change.get(key) or ():
            yield Header(direction, action, header["name"], header["value"])
    for name in change.get("remove") or ():
        yield Header(direction, "del", name)


def _redirect(asked: Obj) -> Redirect:
    return Redirect(
        asked.get("statusCode") or REDIRECT_CODE, "",
        asked.get("scheme") or "", asked.get("hostname") or "", asked.get("port") or 0,
    )  # fmt: skip


def _rewrite(change: Obj | None, match: Obj) -> tuple[str, str] | None:
    if not change:
        return None
    if change.get("type") == "ReplaceFullPath":
        return "^.*$", _literal(change.get("replaceFullPath") or "/")
    prefix, value = (match.get("value") or "/").rstrip("/"), (change.get("replacePrefixMatch") or "/").rstrip("/")
    if not value:
        return f"^{re.escape(prefix)}/?(.*)$", "/\\1"
    return f"^{re.escape(prefix)}(/.*)?$", f"{_literal(value)}\\1"


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\")
