"""PodSecurity: a namespace's labels say which pods are refused there, and of which its users are warned.

Sources: plugin/pkg/admission/security/podsecurity, pod-security-admission/admission. Rule: pods are refused, templates
only warned of; an update of a pod is looked at when an image changes, which is all that may change.
Neighbours: ``kinds/podsecurity`` has the profiles and their checks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pybernetes.kinds.podsecurity import policy
from pybernetes.kinds.podsecurity.check import containers
from pybernetes.kinds.podsecurity.policy import PRIVILEGED, Level, Policy
from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj
from pybernetes.server.admission.attributes import Attributes, forbidden
from pybernetes.server.admission.plugin import Plugin, World

_TEMPLATES: Final = {
    "podtemplates": ("template",),
    "replicationcontrollers": ("spec", "template"),
    "replicasets.apps": ("spec", "template"),
    "deployments.apps": ("spec", "template"),
    "statefulsets.apps": ("spec", "template"),
    "daemonsets.apps": ("spec", "template"),
    "jobs.batch": ("spec", "template"),
    "cronjobs.batch": ("spec", "jobTemplate", "spec", "template"),
}
"""Where in a workload its pods' template lies."""
_PODS_MAX: Final = 3000
"""Of a namespace's pods so many are looked at when its labels change."""
_NONE: Final = Policy()


async def validate_pod(world: World, a: Attributes) -> None:
    """Raises Forbidden; warns."""
    found = _policy(world, a)
    if found is _NONE or a.obj is None or (a.old is not None and not _has_new_images(a.obj, a.old)):
        return
    wrong = policy.violations(found.enforce, objects.meta(a.obj), a.obj["spec"])
    if wrong:
        raise forbidden(a, f'violates PodSecurity "{found.enforce}": {policy.told(wrong)}')
    _tell(a, found, objects.meta(a.obj), a.obj["spec"])


async def validate_template(world: World, a: Attributes) -> None:
    """Warns of pods that would be refused or warned of."""
    found = _policy(world, a)
    template = objects.get(a.obj, *_TEMPLATES[a.kind.resource]) if found is not _NONE else None
    if template:
        _tell(a, found, objects.meta(template), template.get("spec") or {})


async def validate_namespace(world: World, a: Attributes) -> None:
    """Raises Invalid for labels that cannot be read; warns of pods that a new level would refuse."""
    if a.obj is None:
        return
    new, wrong = policy.of(objects.labels(a.obj))
    old, wrong_before = policy.of(objects.labels(a.old or {}))
    if wrong and (a.old is None or wrong != wrong_before):
        raise errors.invalid_object("", "Namespace", a.name, wrong)
    if a.old is None or new.enforce == old.enforce:
        return
    is_looser = new.enforce.minor == old.enforce.minor and new.enforce.strictness <= old.enforce.strictness
    if new.enforce.name != PRIVILEGED and not is_looser:
        for text in _of_pods(a.name, new.enforce, world.live.list("", "pods", a.name)):
            a.warn(text)


def _policy(world: World, a: Attributes) -> Policy:
    """The policy of the write's namespace; ``_NONE`` where it allows everything."""
    namespace = world.live.get("", "namespaces", "", a.namespace)
    labels = objects.labels(namespace or {})
    if not any(policy.PREFIX + mode in labels for mode in policy.MODES):
        return _NONE
    found, _ = policy.of(labels)
    return found


def _tell(a: Attributes, found: Policy, meta: Obj, spec: Obj) -> None:
    for mode, level in (("audit", found.audit), ("warn", found.warn)):
        wrong = policy.violations(level, meta, spec)
        if not wrong:
            continue
        text = f'would violate PodSecurity "{level}": {policy.told(wrong)}'
        if mode == "warn":
            a.warn(text)
        else:
            a.annotations[f"{policy.PREFIX}audit-violations"] = text


def _has_new_images(new: Obj, old: Obj) -> bool:
    before = {container["name"]: container.get("image") for container in containers(old["spec"])}
    return any(before.get(c["name"], "") != c.get("image") for c in containers(new["spec"]))


# ── a namespace's pods ───────────────────────────────────────────────────────────────────────────────────


def _of_pods(namespace: str, level: Level, pods: Sequence[Obj]) -> Iterator[str]:
    """Warnings of pods that are there already: those alike are told together, under the first one's name."""
    if len(pods) > _PODS_MAX:
        yield (f"new PodSecurity enforce level only checked against the first {_PODS_MAX} of {len(pods)} existing pods")
    alike: dict[str, list[str]] = {}
    for pod in pods[:_PODS_MAX]:
        if wrong := policy.violations(level, objects.meta(pod), pod["spec"]):
            alike.setdefault(policy.reasons(wrong), []).append(objects.name(pod))
    if alike:
        yield f'existing pods in namespace "{namespace}" violate the new PodSecurity enforce level "{level}"'
    yield from sorted(f"{_named(names)}: {why}" for why, names in alike.items())


def _named(names: Sequence[str]) -> str:
    more = len(names) - 1
    others = f" (and {more} other pod{'s' if more > 1 else ''})" if more else ""
    return min(names) + others


PODS: Final = Plugin(
    name="PodSecurity", verbs=("create", "update"), resources=("pods",), validate=validate_pod,
    subresources=("", "ephemeralcontainers", "resize"),
)  # fmt: skip
TEMPLATES: Final = Plugin(
    name="PodSecurity", verbs=("create", "update"), resources=tuple(_TEMPLATES), validate=validate_template
)
NAMESPACES: Final = Plugin(
    name="PodSecurity", verbs=("create", "update"), resources=("namespaces",), validate=validate_namespace
)
