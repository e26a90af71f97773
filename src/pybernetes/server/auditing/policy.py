"""An audit policy: how much is told of a request. Pure.

Source: apiserver/pkg/audit/policy/{reader,checker}.go. Rule: the first rule that matches decides; what none matches is
not told at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from pybernetes.meta.objects import Obj
from pybernetes.server.context import Info, User

STAGES: Final = ("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic")
_ALL: Final = "*"
_VERSIONS: Final = ("audit.k8s.io/v1",)


class Level(IntEnum):
    NONE = 0
    METADATA = 1
    REQUEST = 2
    REQUEST_RESPONSE = 3

    @property
    def shown(self) -> str:
        return _SHOWN[self]


_SHOWN: Final = {
    Level.NONE: "None", Level.METADATA: "Metadata", Level.REQUEST: "Request",
    Level.REQUEST_RESPONSE: "RequestResponse",
}  # fmt: skip
_LEVELS: Final = {shown: level for level, shown in _SHOWN.items()}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What shall be told of a request, and at which stages."""

    level: Level
    omitted: frozenset[str] = frozenset()
    without_managed_fields: bool = False


_NOTHING: Final = Wanted(Level.NONE)


class Policy:
    """Made by ``parse``."""

    def __init__(self, obj: Obj) -> None:
        self._rules = [(rule, _wanted(obj, rule)) for rule in obj["rules"]]

    def of(self, user: User, info: Info) -> Wanted:
        for rule, wanted in self._rules:
            if _matches(rule, user, info):
                return wanted
        return _NOTHING


def parse(obj: Any) -> Policy:
    """A policy out of its manifest. Raises ValueError that tells what is wrong."""
    if not isinstance(obj, dict) or obj.get("kind") != "Policy" or obj.get("apiVersion") not in _VERSIONS:
        raise ValueError("it must hold a Policy of audit.k8s.io/v1")
    rules = obj.get("rules")
    if not isinstance(rules, list) or not rules:
        raise ValueError("it has no rules")
    for number, rule in enumerate(rules):
        if not isinstance(rule, dict) or rule.get("level") not in _LEVELS:
            raise ValueError(f"rules[{number}].level: must be one of {', '.join(_LEVELS)}")
        if rule.get("nonResourceURLs") and (rule.get("resources") or rule.get("namespaces")):
            raise ValueError(f"rules[{number}]: rules cannot apply to both regular resources and non-resource URLs")
    for stage in [*(obj.get("omitStages") or ()), *(s for rule in rules for s in rule.get("omitStages") or ())]:
        if stage not in STAGES:
            raise ValueError(f"omitStages: {stage!r} is none of {', '.join(STAGES)}")
    return Policy(obj)


def _wanted(obj: Obj, rule: Obj) -> Wanted:
    omitted = frozenset((*(obj.get("omitStages") or ()), *(rule.get("omitStages") or ())))
    fields = rule.get("omitManagedFields")
    return Wanted(_LEVELS[rule["level"]], omitted, bool(obj.get("omitManagedFields") if fields is None else fields))


def _matches(rule: Obj, user: User, info: Info) -> bool:
    users, groups, verbs = (rule.get(key) or () for key in ("users", "userGroups", "verbs"))
    if (users and user.name not in users) or (groups and not set(groups) & set(user.groups)):
        return False
    if verbs and info.verb not in verbs and _ALL not in verbs:
        return False
    if rule.get("namespaces") or rule.get("resources"):
        return info.is_resource and _is_resource(rule, info)
    if rule.get("nonResourceURLs"):
        return not info.is_resource and any(_is_path(url, info.path) for url in rule["nonResourceURLs"])
    return True


def _is_resource(rule: Obj, info: Info) -> bool:
    namespaces: Sequence[str] = rule.get("namespaces") or ()
    if namespaces and info.namespace not in namespaces:
        return False
    resources: Sequence[Obj] = rule.get("resources") or ()
    return not resources or any(_is_one_of(one, info) for one in resources)


def _is_one_of(wanted: Obj, info: Info) -> bool:
    if (wanted.get("group") or "") != info.group:
        return False
    names, resources = wanted.get("resourceNames") or (), wanted.get("resources") or ()
    if names and info.name not in names:
        return False
    whole = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    parts = {_ALL, whole, f"{info.resource}/*", f"*/{info.subresource}" if info.subresource else whole}
    return not resources or any(resource in parts for resource in resources)


def _is_path(url: str, path: str) -> bool:
    return url in (_ALL, path) or (url.endswith("*") and path.startswith(url[:-1]))
