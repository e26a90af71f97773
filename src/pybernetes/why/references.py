"""What a pod names that is not there: ConfigMaps, Secrets, their keys, claims, an account. Pure.

Rule: what is marked as optional may be missing. A claim that is there and not bound is explained too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pybernetes.meta import objects, volumes
from pybernetes.meta.objects import Obj
from pybernetes.why.facts import Facts

RESOURCES: Final = ("configmaps", "secrets", "serviceaccounts", volumes.CLAIMS, volumes.VOLUMES, volumes.CLASSES)
_KINDS: Final = {"configmaps": "ConfigMap", "secrets": "Secret"}


def missing(facts: Facts, pod: Obj) -> list[str]:
    """One line for each thing that is lacking."""
    return list(dict.fromkeys([*_named(facts, pod), *_claims(facts, pod)]))


def _named(facts: Facts, pod: Obj) -> Iterator[str]:
    for resource, name, key, where in _references(pod):
        found = facts.get(resource, name, objects.namespace(pod))
        if resource not in facts.found:
            continue
        if found is None:
            yield f"{_KINDS[resource]} {name} does not exist; {where} names it"
        elif key and key not in {**(found.get("data") or {}), **(found.get("binaryData") or {})}:
            has = ", ".join(sorted(found.get("data") or {})) or "none"
            yield f"{_KINDS[resource]} {name} has no key {key} (its keys: {has}); {where} names it"


def _references(pod: Obj) -> Iterator[tuple[str, str, str, str]]:
    """(resource, name, key or nothing, who names it) of what has to be there."""
    spec = objects.get(pod, "spec", default={})
    for container in [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]:
        yield from _of_container(container)
    for volume in spec.get("volumes") or ():
        where = f"volume {volume['name']}"
        for source in [volume, *objects.get(volume, "projected", "sources", default=())]:
            yield from _of_volume(source, where)


def _of_container(container: Obj) -> Iterator[tuple[str, str, str, str]]:
    where = f"container {container['name']}"
    for source in container.get("envFrom") or ():
        for field, resource in (("configMapRef", "configmaps"), ("secretRef", "secrets")):
            if (ref := source.get(field)) and not ref.get("optional"):
                yield resource, ref["name"], "", where
    for variable in container.get("env") or ():
        for field, resource in (("configMapKeyRef", "configmaps"), ("secretKeyRef", "secrets")):
            ref = objects.get(variable, "valueFrom", field)
            if ref and not ref.get("optional"):
                yield resource, ref["name"], ref["key"], where


def _of_volume(source: Obj, where: str) -> Iterator[tuple[str, str, str, str]]:
    for field, resource, name in (("configMap", "configmaps", "name"), ("secret", "secrets", "secretName")):
        ref = source.get(field)
        if not ref or ref.get("optional"):
            continue
        named = ref.get(name) or ref.get("name", "")
        yield from ((resource, named, item["key"], where) for item in ref.get("items") or ({"key": ""},))


def _claims(facts: Facts, pod: Obj) -> Iterator[str]:
    for name in dict.fromkeys(volumes.claims_of(pod).values()):
        claim = facts.get(volumes.CLAIMS, name, objects.namespace(pod))
        if claim is None:
            if name not in volumes.ephemeral_claims(pod):
                yield f"PersistentVolumeClaim {name} does not exist"
        elif volumes.phase(claim) == "Lost":
            yield f"PersistentVolumeClaim {name} has lost its volume {objects.get(claim, 'spec', 'volumeName')}"
        elif not objects.get(claim, "spec", "volumeName"):
            yield from _unbound(facts, claim)


def _unbound(facts: Facts, claim: Obj) -> Iterator[str]:
    name, class_name = objects.name(claim), volumes.class_of(claim)
    its_class = facts.get(volumes.CLASSES, class_name)
    if class_name and its_class is None:
        known = ", ".join(sorted(map(objects.name, facts.all(volumes.CLASSES)))) or "none"
        yield f"PersistentVolumeClaim {name} is of StorageClass {class_name}, which does not exist (there is: {known})"
    elif not volumes.waits_for_consumer(its_class):
        told = next(iter(facts.warnings(claim)), "")
        why = f": {told}" if told else "" if class_name else "; it names no class, and no volume there is fits it"
        yield f"PersistentVolumeClaim {name} is not bound{why}"
