"""What servers behind this one tell, joined to what this one tells: discovery and documents. Pure.

Rule: groups come by their priority, then by name; versions of a group by theirs. One that does not answer is listed
all the same, as stale where the form can say so: its users shall see that something is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pybernetes.meta import versions
from pybernetes.meta.objects import Obj
from pybernetes.server.aggregation import local
from pybernetes.server.aggregation.remote import Remote


def groups(own: Iterable[Obj], remotes: Iterable[Remote]) -> list[Obj]:
    """APIGroups of all."""
    found = {group["name"]: [v["version"] for v in group["versions"]] for group in own}
    others = list(remotes)
    for remote in others:
        listed = found.setdefault(remote.group, [])
        if remote.version not in listed:
            listed.append(remote.version)
    return [_group(name, _sorted_versions(name, found[name], others)) for name in _sorted_groups(found, others)]


def _group(name: str, served: list[str]) -> Obj:
    told = [{"groupVersion": f"{name}/{version}", "version": version} for version in served]
    return {"name": name, "versions": told, "preferredVersion": told[0]}


def _sorted_groups(names: Iterable[str], remotes: list[Remote]) -> list[str]:
    def priority(name: str) -> int:
        theirs = [int(r.spec["groupPriorityMinimum"]) for r in remotes if r.group == name]
        return max(theirs, default=local.group_priority(name))

    return sorted(names, key=lambda name: (-priority(name), name))


def _sorted_versions(group: str, served: Iterable[str], remotes: list[Remote]) -> list[str]:
    theirs = {r.version: int(r.spec["versionPriority"]) for r in remotes if r.group == group}

    def place(version: str) -> Any:
        return -theirs.get(version, local.version_priority(group, version)), versions.order(version)

    return sorted(served, key=place)


def aggregated(own: Iterable[Obj], remotes: Iterable[Remote]) -> list[Obj]:
    """APIGroupDiscovery of all."""
    others = list(remotes)
    found = {item["metadata"]["name"]: {v["version"]: v for v in item["versions"]} for item in own}
    for remote in others:
        found.setdefault(remote.group, {})[remote.version] = _discovered(remote)
    return [
        {
            "metadata": {"name": name, "creationTimestamp": None},
            "versions": [found[name][version] for version in _sorted_versions(name, found[name], others)],
        }
        for name in _sorted_groups(found, others)
    ]


def _discovered(remote: Remote) -> Obj:
    if remote.told is None:
        return {"version": remote.version, "freshness": "Stale"}
    resources: dict[str, Obj] = {}
    parts: dict[str, list[Obj]] = {}
    for entry in remote.told.resources:
        plural, _, part = str(entry["name"]).partition("/")
        kind = {
            "group": entry.get("group") or remote.group, "version": entry.get("version") or remote.version,
            "kind": entry.get("kind", ""),
        }  # fmt: skip
        if part:
            told = {"subresource": part, "responseKind": kind, "verbs": entry.get("verbs") or []}
            parts.setdefault(plural, []).append(told)
        else:
            resources[plural] = _resource(entry, plural, kind)
    whole = [{**one, "subresources": parts[name]} if name in parts else one for name, one in resources.items()]
    return {"version": remote.version, "resources": whole, "freshness": "Current"}


def _resource(entry: Obj, plural: str, kind: Obj) -> Obj:
    optional = {key: entry[key] for key in ("shortNames", "categories") if entry.get(key)}
    return {
        "resource": plural,
        "responseKind": kind,
        "scope": "Namespaced" if entry.get("namespaced") else "Cluster",
        "singularResource": entry.get("singularName", ""),
        "verbs": entry.get("verbs") or [],
        **optional,
    }


def v2(own: Mapping[str, Any], remotes: Iterable[Remote]) -> Obj:
    """The one document of everything; of a name that two servers use, ours stays."""
    out: Obj = dict(own)
    for remote in remotes:
        told = remote.told.v2 if remote.told is not None else {}
        paths = {path: item for path, item in (told.get("paths") or {}).items() if path.startswith(remote.path)}
        out["paths"] = {**paths, **out["paths"]}
        out["definitions"] = {**(told.get("definitions") or {}), **out["definitions"]}
    return out
