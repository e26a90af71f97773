"""Does a FlowSchema match a request? Pure.

Source: apiserver/pkg/util/flowcontrol/rule.go. Rule: a rule matches with one of its subjects and one of its rules for
what is asked.
"""

from __future__ import annotations

from typing import Final

from pybernetes.meta.objects import Obj
from pybernetes.server.context import Info, User

_ALL: Final = "*"
_ACCOUNT: Final = "system:serviceaccount:"


def matches(schema: Obj, user: User, info: Info) -> bool:
    rules = (schema.get("spec") or {}).get("rules") or ()
    return any(_is_subject(rule, user) and _is_asked(rule, info) for rule in rules)


def _is_subject(rule: Obj, user: User) -> bool:
    return any(_is(subject, user) for subject in rule.get("subjects") or ())


def _is(subject: Obj, user: User) -> bool:
    match subject.get("kind"):
        case "User":
            return (subject.get("user") or {}).get("name") in (_ALL, user.name)
        case "Group":
            name = (subject.get("group") or {}).get("name")
            return name == _ALL or name in user.groups
        case "ServiceAccount":
            account = subject.get("serviceAccount") or {}
            prefix = f"{_ACCOUNT}{account.get('namespace')}:"
            return user.name.startswith(prefix) and account.get("name") in (_ALL, user.name.removeprefix(prefix))
    return False


def _is_asked(rule: Obj, info: Info) -> bool:
    if info.is_resource:
        return any(_is_resource(one, info) for one in rule.get("resourceRules") or ())
    return any(_is_path(one, info) for one in rule.get("nonResourceRules") or ())


def _is_resource(rule: Obj, info: Info) -> bool:
    resource = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    if not (
        _has(rule, "verbs", info.verb) and _has(rule, "apiGroups", info.group) and _has(rule, "resources", resource)
    ):
        return False
    return _has(rule, "namespaces", info.namespace) if info.namespace else bool(rule.get("clusterScope"))


def _is_path(rule: Obj, info: Info) -> bool:
    if not _has(rule, "verbs", info.verb):
        return False
    urls = rule.get("nonResourceURLs") or ()
    return any(
        url in (_ALL, info.path) or (url.endswith("/*") and info.path.startswith(url.removesuffix("*"))) for url in urls
    )


def _has(rule: Obj, key: str, value: str) -> bool:
    values = rule.get(key) or ()
    return _ALL in values or value in values
