"""Why an Ingress does not lead where it should: its class, its backends, their ports, its certificates. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pybernetes.meta import objects
from pybernetes.meta.objects import Obj
from pybernetes.why import services
from pybernetes.why.answer import Answer
from pybernetes.why.facts import Facts

CLASSES: Final = "ingressclasses.networking.k8s.io"
_OLD_CLASS: Final = "kubernetes.io/ingress.class"


def answer(facts: Facts, ingress: Obj) -> Answer:
    name = f"ingress/{objects.name(ingress)}"
    found = [*_class(facts, ingress), *_certificates(facts, ingress)]
    for where, backend in _backends(ingress):
        found += _backend(facts, ingress, where, backend)
    if found:
        return Answer(f"{name} does not do all that it says", list(dict.fromkeys(found)))
    address = objects.get(ingress, "status", "loadBalancer", "ingress", default=[])
    at = f" at {address[0].get('ip') or address[0].get('hostname')}" if address else ", and has no address yet"
    return Answer(f"{name} leads to services that have endpoints{at}")


def _class(facts: Facts, ingress: Obj) -> Iterator[str]:
    named = objects.get(ingress, "spec", "ingressClassName") or objects.annotations(ingress).get(_OLD_CLASS)
    known = ", ".join(sorted(map(objects.name, facts.all(CLASSES)))) or "none"
    if not named:
        yield f"it names no ingressClassName, and there is no default class, so nobody serves it (there is: {known})"
    elif facts.get(CLASSES, str(named)) is None:
        yield f"IngressClass {named} does not exist, so nobody serves it (there is: {known})"


def _certificates(facts: Facts, ingress: Obj) -> Iterator[str]:
    for entry in objects.get(ingress, "spec", "tls", default=[]):
        name = entry.get("secretName")
        if not name:
            continue
        secret = facts.get("secrets", name, objects.namespace(ingress))
        hosts = ", ".join(entry.get("hosts") or ["every host"])
        if secret is None:
            yield f"tls of {hosts}: Secret {name} does not exist"
        elif lacking := [key for key in ("tls.crt", "tls.key") if key not in (secret.get("data") or {})]:
            yield f"tls of {hosts}: Secret {name} has no {' and no '.join(lacking)}"


def _backends(ingress: Obj) -> Iterator[tuple[str, Obj]]:
    """(where, its backend.service)."""
    spec = ingress.get("spec") or {}
    if default := objects.get(spec, "defaultBackend", "service"):
        yield "default backend", default
    for rule in spec.get("rules") or ():
        for path in objects.get(rule, "http", "paths", default=[]):
            if service := objects.get(path, "backend", "service"):
                yield f"{rule.get('host') or '*'}{path.get('path') or '/'}", service


def _backend(facts: Facts, ingress: Obj, where: str, backend: Obj) -> Iterator[str]:
    namespace, name = objects.namespace(ingress), backend["name"]
    service = facts.get("services", name, namespace)
    if service is None:
        known = ", ".join(sorted(map(objects.name, facts.all("services", namespace)))) or "none"
        yield f"{where}: Service {name} does not exist (there is: {known})"
        return
    ports = objects.get(service, "spec", "ports", default=[])
    wanted = objects.get(backend, "port", "name") or objects.get(backend, "port", "number")
    if not any(wanted in (port.get("name"), port["port"]) for port in ports):
        has = ", ".join(str(p["port"]) + (f" ({p['name']})" if p.get("name") else "") for p in ports) or "none"
        yield f"{where}: Service {name} has no port {wanted} (it has: {has})"
    if not services.has_endpoints(facts, service):
        yield f"{where}: {services.answer(facts, service)}"
