"""Why a Service leads nowhere: its selector, its pods, its ports, policies in the way. Pure.

Rule: a near miss is a pod of the namespace that has most of the labels that the selector asks for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pybernetes.meta import objects, selectors
from pybernetes.meta.objects import Obj
from pybernetes.network.policy import model
from pybernetes.why import pods
from pybernetes.why.answer import Answer, some
from pybernetes.why.facts import Facts

SLICES = "endpointslices.discovery.k8s.io"
POLICIES = "networkpolicies.networking.k8s.io"


def answer(facts: Facts, service: Obj) -> Answer:
    name, spec = f"service/{objects.name(service)}", service.get("spec") or {}
    if spec.get("type") == "ExternalName":
        return Answer(f"{name} has no endpoints: it is only another name for {spec.get('externalName')}")
    ready = _endpoints(facts, service)
    selector: Mapping[str, str] = spec.get("selector") or {}
    if not selector:
        if ready:
            return Answer(f"{name} has no selector, and {len(ready)} endpoints that somebody made for it")
        return Answer(f"{name} has no endpoints: it has no selector, and nobody has made any for it",
                      helps=["give it a selector, or make an EndpointSlice for it"])  # fmt: skip
    chosen = _selected(facts, service, selector)
    if not chosen:
        return _nothing_selected(facts, service, selector, name)
    ports = [*_ports(service, chosen)]
    blocked = [*_policies(facts, chosen)]
    if ready and not ports:
        state = f"{name} leads to {len(ready)} of {len(chosen)} pods that it selects"
        return Answer(state, [*_unready(facts, chosen), *blocked])
    what = f"{name} has no endpoints that are ready" if not ready else f"{name} does not lead everywhere"
    return Answer(what, [*ports, *_unready(facts, chosen), *blocked, *_load_balancer(service)])


def has_endpoints(facts: Facts, service: Obj) -> bool:
    """Does it lead to anything that is ready?"""
    return objects.get(service, "spec", "type") == "ExternalName" or bool(_endpoints(facts, service))


def _endpoints(facts: Facts, service: Obj) -> list[Obj]:
    """Those that serve."""
    return [
        endpoint
        for each in facts.all(SLICES, objects.namespace(service))
        if objects.labels(each).get("kubernetes.io/service-name") == objects.name(service)
        for endpoint in each.get("endpoints") or ()
        if objects.get(endpoint, "conditions", "ready", default=True)
    ]


def _selected(facts: Facts, service: Obj, selector: Mapping[str, str]) -> list[Obj]:
    wanted = selectors.from_set(selector)
    return [pod for pod in facts.all("pods", objects.namespace(service)) if wanted.matches(objects.labels(pod))]


def _nothing_selected(facts: Facts, service: Obj, selector: Mapping[str, str], name: str) -> Answer:
    because = [f"no pod of namespace {objects.namespace(service)} has {selectors.set_as_text(selector)}"]
    helps = []
    for text, fix in _near_misses(facts, service, selector):
        because.append(text)
        helps.append(fix)
    elsewhere = [
        f"{objects.namespace(pod)}/{objects.name(pod)}"
        for pod in facts.all("pods")
        if selectors.from_set(selector).matches(objects.labels(pod))
    ]
    if elsewhere:
        because.append(f"pods of other namespaces do, and cannot be meant: {some(elsewhere)}")
    return Answer(f"{name} has no endpoints: it selects no pod", because, helps)


def _near_misses(facts: Facts, service: Obj, selector: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(what the nearest pods have instead, the selector that would mean them)."""
    near: dict[tuple[tuple[str, str | None], ...], list[str]] = {}
    for pod in facts.all("pods", objects.namespace(service)):
        labels = objects.labels(pod)
        wrong = tuple((key, labels.get(key)) for key, value in selector.items() if labels.get(key) != value)
        likely = len(wrong) < len(selector) or any(value is not None for _, value in wrong)
        likely = likely or bool(set(labels.values()) & set(selector.values()))
        if likely:
            near.setdefault(wrong, []).append(objects.name(pod))
    for wrong, names in sorted(near.items(), key=lambda item: len(item[0]))[:1]:
        have = ", ".join(f"{key}={value}" if value is not None else f"no label {key}" for key, value in wrong)
        fixed = {**selector, **{key: value for key, value in wrong if value is not None}}
        if any(value is None for _, value in wrong):
            missing = {key: selector[key] for key, value in wrong if value is None}
            fix = f"label the pods {selectors.set_as_text(missing)} (in their template), or select what they have"
        else:
            fix = f"select {selectors.set_as_text(fixed)}, or label the pods {selectors.set_as_text(selector)}"
        yield f"nearest: {some(names)}, which have {have}", fix


def _unready(facts: Facts, chosen: Sequence[Obj]) -> Iterator[str]:
    for pod in chosen:
        if not objects.condition_is(pod, "Ready") and objects.get(pod, "status", "phase") not in (
            "Succeeded",
            "Failed",
        ):
            yield str(pods.answer(facts, pod))
            return  # the others of one template mostly lack the same


def _ports(service: Obj, chosen: Sequence[Obj]) -> Iterator[str]:
    """Target ports that no container has by name, or that none declares while it declares others."""
    for port in objects.get(service, "spec", "ports", default=[]):
        target, label = port.get("targetPort", port["port"]), port.get("name") or port["port"]
        declared = [_declared(pod) for pod in chosen]
        if isinstance(target, str):
            lacking = [objects.name(pod) for pod, has in zip(chosen, declared, strict=True) if target not in dict(has)]
            if lacking:
                names = sorted({name for has in declared for name, _ in has if name}) or ["none"]
                known = ", ".join(names)
                yield f"port {label}: no container of {some(lacking)} has a port named {target} (named: {known})"
        elif all(has and target not in {number for _, number in has} for has in declared):
            numbers = sorted({number for has in declared for _, number in has})
            told = ", ".join(map(str, numbers))
            yield f"port {label}: targetPort {target} is none of the ports that the containers declare ({told})"


def _declared(pod: Obj) -> list[tuple[str, int]]:
    containers = objects.get(pod, "spec", "containers", default=[])
    return [(p.get("name", ""), p["containerPort"]) for each in containers for p in each.get("ports") or ()]


def _policies(facts: Facts, chosen: Sequence[Obj]) -> Iterator[str]:
    """Policies that let nobody, or only some, reach the pods."""
    for obj in facts.all(POLICIES, objects.namespace(chosen[0])):
        rules = model.policy(obj)
        seen = [pod for obj in chosen if (pod := model.pod(obj, "", "")) is not None]
        if any(rules.isolates(pod, "ingress") for pod in seen):
            some_may = rules.rules["ingress"]
            who = "lets only some in" if some_may else "lets nobody in"
            yield f"NetworkPolicy {objects.name(obj)} isolates its pods and {who}"


def _load_balancer(service: Obj) -> Iterator[str]:
    if objects.get(service, "spec", "type") == "LoadBalancer" and not objects.get(
        service, "status", "loadBalancer", "ingress", default=[]
    ):
        yield "nobody has given it an external address yet; 'pybernetes up --load-balancer-pool' says which there are"
