"""The Gateway API of this cluster: three definitions of custom resources, as upstream brings it, and our class.

Rule: the definitions are created once and left alone, so that whoever wants those of upstream's release may apply them.
They hold what our data plane serves; what it does not know is kept in objects and not judged.
Neighbours: ``network/ingress/gateway.py`` reads the objects; ``ingress.py`` creates what is here.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from pybernetes.client.client import Client
from pybernetes.cluster import bootstrap
from pybernetes.kinds import table
from pybernetes.kinds.kind import Kind, Subresource
from pybernetes.kinds.table import KindTable
from pybernetes.lib import log
from pybernetes.meta.objects import Obj
from pybernetes.network.ingress.gateway import CONTROLLER
from pybernetes.network.ingress.gatewaystatus import CLASSES, GROUP

VERSION: Final = "v1"
CLASS: Final = "pybernetes"
DEFINITIONS: Final = "customresourcedefinitions.apiextensions.k8s.io"
_HOST: Final = r"^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
_HEADER: Final = r"^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$"
SERVED_SECONDS: Final = 5.0
_log = log.Log("cluster.gatewayapi")


def _text(**more: Any) -> Obj:
    return {"type": "string", **more}


def _choice(*values: str, default: str = "") -> Obj:
    return _text(enum=[*values]) | ({"default": default} if default else {})


def _number(least: int, most: int, **more: Any) -> Obj:
    return {"type": "integer", "format": "int32", "minimum": least, "maximum": most, **more}


def _list(items: Obj, most: int, **more: Any) -> Obj:
    return {"type": "array", "items": items, "maxItems": most, **more}


def _open(required: tuple[str, ...] = (), /, **properties: Obj) -> Obj:
    """An object that keeps what it does not know."""
    made: Obj = {"type": "object", "properties": properties, "x-kubernetes-preserve-unknown-fields": True}
    return made | ({"required": [*required]} if required else {})


_CONDITION: Final = _open(
    ("type", "status"), type=_text(), status=_choice("True", "False", "Unknown"), reason=_text(), message=_text(),
    lastTransitionTime=_text(format="date-time"), observedGeneration={"type": "integer", "format": "int64"},
)  # fmt: skip
_CONDITIONS: Final = _list(_CONDITION, 8, **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]})
_STATUS: Final = _open(conditions=_CONDITIONS)
_PORT: Final = _number(1, 65535)
_LISTENER: Final = _open(
    ("name", "port", "protocol"), name=_text(minLength=1, maxLength=253), port=_PORT, protocol=_text(minLength=1),
    hostname=_text(pattern=_HOST, maxLength=253),
    tls=_open(mode=_choice("Terminate", "Passthrough", default="Terminate")),
    allowedRoutes=_open(namespaces=_open(**{"from": _choice("All", "Selector", "Same", default="Same")})),
)  # fmt: skip
_PATH: Final = _open(
    type=_choice("Exact", "PathPrefix", "RegularExpression", default="PathPrefix"),
    value=_text(default="/", maxLength=1024),
)
_TEST: Final = _open(
    ("name", "value"), name=_text(pattern=_HEADER), value=_text(minLength=1),
    type=_choice("Exact", "RegularExpression", default="Exact"),
)  # fmt: skip
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")
_MATCH: Final = _open(
    path=_PATH | {"default": {"type": "PathPrefix", "value": "/"}}, method=_choice(*_METHODS),
    headers=_list(_TEST, 16), queryParams=_list(_TEST, 16),
)  # fmt: skip
_FILTER: Final = _open(("type",), type=_text())
_BACKEND: Final = _open(
    ("name",), group=_text(default=""), kind=_text(default="Service"), name=_text(minLength=1), port=_PORT,
    weight=_number(0, 1_000_000, default=1), filters=_list(_FILTER, 16),
)  # fmt: skip
_RULE: Final = _open(
    matches=_list(_MATCH, 64, default=[{"path": {"type": "PathPrefix", "value": "/"}}]),
    filters=_list(_FILTER, 16), backendRefs=_list(_BACKEND, 16),
)  # fmt: skip
_PARENT: Final = _open(
    ("name",), group=_text(default=GROUP), kind=_text(default="Gateway"), name=_text(minLength=1), namespace=_text(),
    sectionName=_text(), port=_PORT,
)  # fmt: skip

_SPECS: Final[dict[str, Obj]] = {
    "GatewayClass": _open(("controllerName",), controllerName=_text(minLength=1, maxLength=253)),
    "Gateway": _open(("gatewayClassName", "listeners"), gatewayClassName=_text(), listeners=_list(_LISTENER, 64)),
    "HTTPRoute": _open(
        parentRefs=_list(_PARENT, 32), hostnames=_list(_text(pattern=_HOST), 16),
        rules=_list(_RULE, 16, default=[{"matches": [{"path": {"type": "PathPrefix", "value": "/"}}]}]),
    ),
}  # fmt: skip
_ROWS: Final = (
    ("GatewayClass", "gatewayclasses", "gc", "Cluster", (
        ("Controller", "string", ".spec.controllerName"),
        ("Accepted", "string", '.status.conditions[?(@.type=="Accepted")].status'),
    )),
    ("Gateway", "gateways", "gtw", "Namespaced", (
        ("Class", "string", ".spec.gatewayClassName"),
        ("Address", "string", ".status.addresses[*].value"),
        ("Programmed", "string", '.status.conditions[?(@.type=="Programmed")].status'),
    )),
    ("HTTPRoute", "httproutes", "", "Namespaced", (("Hostnames", "string", ".spec.hostnames"),)),
)  # fmt: skip


def definitions() -> list[tuple[str, Obj]]:
    """(resource, object) of each definition."""
    return [(DEFINITIONS, _definition(*row)) for row in _ROWS]


def _definition(kind: str, plural: str, short: str, scope: str, columns: tuple[tuple[str, str, str], ...]) -> Obj:
    printed = [{"name": name, "type": type_, "jsonPath": path} for name, type_, path in columns]
    printed.append({"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"})
    status = _STATUS if kind != "HTTPRoute" else _open()
    properties = {
        "apiVersion": _text(), "kind": _text(), "metadata": {"type": "object"}, "spec": _SPECS[kind], "status": status,
    }  # fmt: skip
    version = {
        "name": VERSION, "served": True, "storage": True, "subresources": {"status": {}},
        "additionalPrinterColumns": printed,
        "schema": {"openAPIV3Schema": {"type": "object", "required": ["spec"], "properties": properties}},
    }  # fmt: skip
    names = {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{GROUP}",
            "annotations": {"api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api"},
        },
        "spec": {
            "group": GROUP,
            "scope": scope,
            "names": names | {"categories": ["gateway-api"]} | ({"shortNames": [short]} if short else {}),
            "versions": [version],
        },
    }


async def create_class(client: Client) -> None:
    """Create our GatewayClass as soon as its definition is served."""
    obj = {
        "apiVersion": f"{GROUP}/{VERSION}", "kind": "GatewayClass", "metadata": {"name": CLASS},
        "spec": {"controllerName": CONTROLLER},
    }  # fmt: skip
    served = asyncio.Event()
    unsubscribe = client.kinds.subscribe(served.set)
    try:
        while client.kinds.by_resource(CLASSES) is None:
            await asyncio.wait_for(served.wait(), SERVED_SECONDS)
            served.clear()
    except TimeoutError:
        _log.warning("the Gateway API is not served; there is no GatewayClass")
        return
    finally:
        unsubscribe()
    await bootstrap.create_missing(client, CLASSES, obj)


def kinds() -> KindTable:
    """The built-in kinds and these: for a client that is to know them whether or not they are defined yet."""
    found = table.builtin()
    for kind, plural, _, scope, _ in _ROWS:
        found.add(
            Kind(
                group=GROUP, version=VERSION, kind=kind, plural=plural, singular=kind.lower(),
                namespaced=scope == "Namespaced", definition="", custom=True,
                subresources={"status": Subresource(kind, ("get", "patch", "update"))},
            )
        )  # fmt: skip
    return found
