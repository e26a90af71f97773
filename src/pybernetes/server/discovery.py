"""What this server serves, as it tells clients: ``/api``, ``/apis`` and below, plain and aggregated.

Rule: everything follows from the kind table; groups come in its order, a group's first version is the preferred one,
resources are sorted by name. A client that asks for ``as=APIGroupDiscoveryList`` at ``/api`` or ``/apis`` gets the
whole tree at once, in v2 or v2beta1. Groups of servers behind this one are told with ours.
Neighbours: ``derived.py`` keeps the answers; ``chain.py`` sends paths for which ``serves`` is true here.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from pybernetes.kinds.kind import Kind, Subresource
from pybernetes.kinds.table import KindTable
from pybernetes.lib.http.message import HttpRequest
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj
from pybernetes.meta.versions import order
from pybernetes.server import derived, negotiate
from pybernetes.server.aggregation import merged
from pybernetes.server.aggregation.remote import Remote
from pybernetes.server.aggregation.remotes import Remotes
from pybernetes.server.context import Response

GROUP: Final = "apidiscovery.k8s.io"
AGGREGATED: Final = "APIGroupDiscoveryList"
_Key: TypeAlias = tuple[tuple[str, ...], str, negotiate.Answer]
"""(path, version of the whole tree or empty, form)."""
_DEPTHS: Final = {"api": 2, "apis": 3}


def serves(path: str) -> bool:
    """Is this a discovery path? (``/apis/apps/v1/deployments`` is not.)"""
    parts = path.strip("/").split("/")
    return len(parts) <= _DEPTHS.get(parts[0], 0)


class Discovery:
    """``server_address``: ``host:port`` under which ``/api`` says that this server is reached."""

    def __init__(self, kinds: KindTable, server_address: str = "", remotes: Remotes | None = None) -> None:
        self._kinds, self._address, self._remotes = kinds, server_address, remotes
        self._documents = derived.Derived(kinds, self._build, lambda: remotes.generation if remotes else 0)

    def respond(self, request: HttpRequest) -> Response:
        """The answer for a path that ``serves`` names. Raises NotFound and NotAcceptable."""
        if request.method not in ("GET", "HEAD"):
            raise errors.MethodNotAllowed("the server does not allow this method on the requested resource")
        path = tuple(request.path.strip("/").split("/"))
        version = _aggregated_version(request) if len(path) == 1 else ""
        if version:
            body, tag = self._documents.get((path, version, negotiate.Answer()))
            media = f"{negotiate.JSON};g={GROUP};v={version};as={AGGREGATED}"
            return derived.document(request, body, tag, media)
        answer = negotiate.accepted(request)
        body, tag = self._documents.get((path, "", answer))
        return derived.document(request, body, tag, answer.media)

    def _build(self, key: _Key) -> tuple[bytes, str]:
        path, version, answer = key
        obj = self._whole(path == ("apis",), version) if version else self._plain(path)
        body = negotiate.encode(obj, answer)
        return body, derived.etag(body)

    def _whole(self, named_groups: bool, version: str) -> Obj:
        whole = aggregated(self._kinds, named_groups, version)
        others = self._others()
        return {**whole, "items": merged.aggregated(whole["items"], others)} if named_groups and others else whole

    def _others(self) -> Sequence[Remote]:
        return tuple(self._remotes.all()) if self._remotes is not None else ()

    def _groups(self) -> Obj:
        own, others = group_list(self._kinds), self._others()
        return {**own, "groups": merged.groups(own["groups"], others)} if others else own

    def _plain(self, path: tuple[str, ...]) -> Obj:
        match path:
            case ("api",):
                return api_versions(self._address)
            case ("apis",):
                return self._groups()
            case ("apis", group):
                found = next((one for one in self._groups()["groups"] if one["name"] == group), None)
                if found is None:
                    raise missing()
                return {"kind": "APIGroup", "apiVersion": "v1", **found}
            case ("api", version):
                return resource_list(self._kinds, "", version)
            case ("apis", group, version):
                return resource_list(self._kinds, group, version)
        raise missing()


def missing() -> errors.NotFound:
    return errors.NotFound("the server could not find the requested resource")


def _aggregated_version(request: HttpRequest) -> str:
    """The version of apidiscovery.k8s.io in which the caller would rather have the whole tree; empty: not at all."""
    for clause in negotiate.clauses(request.headers.get("accept", "")):
        version = clause.params.get("v", "")
        if clause.params.get("as") == AGGREGATED:
            if clause.matches(negotiate.JSON) and clause.params.get("g") == GROUP and version in ("v2", "v2beta1"):
                return version
        elif clause.media in (*negotiate.FORMATS, "*/*", "application/*"):
            return ""
    return ""


# ── plain ────────────────────────────────────────────────────────────────────────────────────────────────


def api_versions(address: str) -> Obj:
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    }


def versions(kinds: Iterable[Kind]) -> dict[str, dict[str, list[Kind]]]:
    """Group → version → rows, all in the order of the table; versions of groups with custom resources, which come in
    any order, by what they are called."""
    out: dict[str, dict[str, list[Kind]]] = {}
    custom: set[str] = set()
    for row in kinds:
        out.setdefault(row.group, {}).setdefault(row.version, []).append(row)
        if row.custom:
            custom.add(row.group)
    for group in custom:
        out[group] = dict(sorted(out[group].items(), key=lambda of: order(of[0])))
    return out


def group_list(kinds: Iterable[Kind]) -> Obj:
    groups = [_group(name, list(by)) for name, by in versions(kinds).items() if name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def _group(name: str, served: list[str]) -> Obj:
    told = [{"groupVersion": f"{name}/{version}", "version": version} for version in served]
    return {"name": name, "versions": told, "preferredVersion": told[0]}


def resource_list(kinds: Iterable[Kind], group: str, version: str) -> Obj:
    rows = versions(kinds).get(group, {}).get(version)
    if rows is None:
        raise missing()
    entries = [entry for row in rows for entry in _resources(row)]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": rows[0].api_version,
        "resources": sorted(entries, key=lambda entry: str(entry["name"])),
    }


def _resources(row: Kind) -> list[Obj]:
    main: Obj = {
        "name": row.plural,
        "singularName": row.singular,
        "namespaced": row.namespaced,
        "kind": row.kind,
        "verbs": list(row.verbs),
    }
    if row.short_names:
        main["shortNames"] = list(row.short_names)
    if row.categories:
        main["categories"] = list(row.categories)
    if "list" in row.verbs:
        main["storageVersionHash"] = storage_version_hash(row)
    return [main, *(_subresource(row, name, sub) for name, sub in row.subresources.items())]


def _subresource(row: Kind, name: str, sub: Subresource) -> Obj:
    out: Obj = {"name": f"{row.plural}/{name}", "singularName": "", "namespaced": row.namespaced}
    if sub.group is not None:
        out |= {"group": sub.group, "version": sub.version or row.version}
    return out | {"kind": sub.kind, "verbs": list(sub.verbs)}


def storage_version_hash(row: Kind) -> str:
    """Tells clients when the form in which objects are stored has changed (discovery.StorageVersionHash)."""
    digest = hashlib.sha256(f"{row.group}/{row.version}/{row.kind}".encode()).digest()
    return base64.b64encode(digest[:8]).decode()


# ── aggregated ───────────────────────────────────────────────────────────────────────────────────────────


def aggregated(kinds: Iterable[Kind], named_groups: bool, version: str) -> Obj:
    """The whole tree: of all named groups (``/apis``), or of the core group (``/api``)."""
    items = [
        {
            "metadata": {"name": name, "creationTimestamp": None},
            "versions": [
                {"version": v, "resources": [_discovered(row) for row in _sorted(rows)], "freshness": "Current"}
                for v, rows in by.items()
            ],
        }
        for name, by in versions(kinds).items()
        if bool(name) is named_groups
    ]
    return {"kind": AGGREGATED, "apiVersion": f"{GROUP}/{version}", "metadata": {}, "items": items}


def _sorted(rows: Iterable[Kind]) -> list[Kind]:
    return sorted(rows, key=lambda row: row.plural)


def _discovered(row: Kind) -> Obj:
    out: Obj = {
        "resource": row.plural,
        "responseKind": {"group": row.group, "version": row.version, "kind": row.kind},
        "scope": "Namespaced" if row.namespaced else "Cluster",
        "singularResource": row.singular,
        "verbs": list(row.verbs),
    }
    if row.short_names:
        out["shortNames"] = list(row.short_names)
    if row.categories:
        out["categories"] = list(row.categories)
    if row.subresources:
        out["subresources"] = [_discovered_part(row, name, sub) for name, sub in sorted(row.subresources.items())]
    return out


def _discovered_part(row: Kind, name: str, sub: Subresource) -> Obj:
    group = row.group if sub.group is None else sub.group
    kind = {"group": group, "version": sub.version or row.version, "kind": sub.kind}
    return {"subresource": name, "responseKind": kind, "verbs": list(sub.verbs)}
