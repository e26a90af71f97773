"""NodeRestriction: a node's agent writes about its own node, that node's pods and its lease, and nothing else.

Source: plugin/pkg/admission/noderestriction. Rule: whoever is of the group ``system:nodes`` and named
``system:node:<name>`` is the agent of that node; nobody else is concerned.
Neighbours: ``authz/roles.py`` says what agents may do at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from pybernetes.kinds.strategy.pod import MIRROR
from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj
from pybernetes.server.admission.attributes import Attributes, forbidden
from pybernetes.server.admission.plugin import Plugin, World

_GROUP: Final = "system:nodes"
_USER: Final = "system:node:"
_LEASES: Final = "kube-node-lease"
_RESTRICTED: Final = "node-restriction.kubernetes.io"
_AGENTS_LABELS: Final = frozenset(
    (
        "kubernetes.io/hostname", "kubernetes.io/arch", "kubernetes.io/os", "node.kubernetes.io/instance-type",
        "node.kubernetes.io/windows-build", "topology.kubernetes.io/zone", "topology.kubernetes.io/region",
        "beta.kubernetes.io/arch", "beta.kubernetes.io/os", "beta.kubernetes.io/instance-type",
        "failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region",
    )
)  # fmt: skip
_AGENTS_DOMAINS: Final = ("kubelet.kubernetes.io", "node.kubernetes.io")
_DOMAINS: Final = ("kubernetes.io", "k8s.io")
_REFERENCES: Final = ("persistentVolumeClaim", "secret", "configMap")


async def validate(world: World, a: Attributes) -> None:
    """Raises Forbidden and NotFound."""
    if a.user.name.startswith(_USER) and _GROUP in a.user.groups:
        _RULES[a.kind.resource, a.subresource](world, a, a.user.name.removeprefix(_USER))


# ── pods ─────────────────────────────────────────────────────────────────────────────────────────────────


def _pod(world: World, a: Attributes, node: str) -> None:
    if a.verb == "create" and a.obj is not None:
        _mirror(world, a, node, a.obj)
    elif a.verb == "delete":
        if _node_of(a.old) != node:
            raise forbidden(a, f'node "{node}" can only delete pods with spec.nodeName set to itself')
    else:
        verb = a.verb.upper()
        raise forbidden(a, f'unexpected operation "{verb}", node "{node}" can only create and delete mirror pods')


def _mirror(world: World, a: Attributes, node: str, pod: Obj) -> None:
    """A node tells us of a pod of its own: it belongs to the node, and refers to nothing of the API's."""
    if MIRROR not in objects.annotations(pod):
        raise forbidden(a, f'pod does not have "{MIRROR}" annotation, node "{node}" can only create mirror pods')
    if _node_of(pod) != node:
        raise forbidden(a, f'node "{node}" can only create pods with spec.nodeName set to itself')
    _owned_by_node(world, a, node, objects.owners(pod))
    spec = pod["spec"]
    if spec.get("serviceAccountName"):
        raise forbidden(a, f'node "{node}" can not create pods that reference a service account')
    for volume in spec.get("volumes") or ():
        for kind in _REFERENCES:
            if volume.get(kind) is not None:
                raise forbidden(a, f'node "{node}" can not create pods that reference {kind.lower()}s')


def _owned_by_node(world: World, a: Attributes, node: str, owners: list[Obj]) -> None:
    single = f'node "{node}" can only create pods with a single owner reference set to itself'
    if len(owners) != 1:
        raise forbidden(a, single if owners else single.replace("a single owner", "an owner"))
    owner = owners[0]
    if (owner.get("apiVersion"), owner.get("kind"), owner.get("name")) != ("v1", "Node", node):
        raise forbidden(a, single.replace("a single owner", "an owner"))
    if not owner.get("controller"):
        raise forbidden(a, single.replace("a single owner", "a controller owner"))
    if owner.get("blockOwnerDeletion"):
        raise forbidden(a, f'node "{node}" must not set blockOwnerDeletion on an owner reference')
    found = world.live.get("", "nodes", "", node)
    if found is None:
        raise errors.not_found("", "nodes", node)
    if objects.uid(found) != owner.get("uid"):
        raise forbidden(a, f"node {node} UID mismatch: expected {owner.get('uid')} got {objects.uid(found)}")


def _pod_status(world: World, a: Attributes, node: str) -> None:
    if _node_of(a.old) != node:
        raise forbidden(a, f'node "{node}" can only update pod status for pods with spec.nodeName set to itself')
    if objects.labels(a.obj or {}) != objects.labels(a.old or {}):
        raise forbidden(a, f'node "{node}" cannot update labels through pod status')
    claims = [objects.get(pod, "status", "resourceClaimStatuses", default=[]) for pod in (a.obj, a.old)]
    if claims[0] != claims[1]:
        raise forbidden(a, f'node "{node}" cannot update resource claim statuses')


def _eviction(world: World, a: Attributes, node: str) -> None:
    pod = world.live.get("", "pods", a.namespace, a.name)
    if pod is None:
        raise errors.not_found("", "pods", a.name)
    if _node_of(pod) != node:
        raise forbidden(a, f"node {node} can only evict pods with spec.nodeName set to itself")


def _node_of(pod: Obj | None) -> str:
    return str(objects.get(pod, "spec", "nodeName", default=""))


def _token(world: World, a: Attributes, node: str) -> None:
    """A token for a pod of the node's."""
    reference = objects.get(a.obj, "spec", "boundObjectRef", default={})
    if (reference.get("apiVersion"), reference.get("kind")) != ("v1", "Pod") or not reference.get("name"):
        raise forbidden(a, "node requested token not bound to a pod")
    if not reference.get("uid"):
        raise forbidden(a, "node requested token with a pod binding without a uid")
    pod = world.live.get("", "pods", a.namespace, reference["name"])
    if pod is None:
        raise errors.not_found("", "pods", reference["name"])
    if objects.uid(pod) != reference["uid"]:
        raise forbidden(
            a,
            f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record."
            " The object might have been deleted and then recreated",
        )
    if _node_of(pod) != node:
        raise forbidden(a, "node requested token bound to a pod scheduled on a different node")


# ── nodes ────────────────────────────────────────────────────────────────────────────────────────────────


def _node(world: World, a: Attributes, node: str) -> None:
    if a.name != node:
        raise forbidden(a, f'node "{node}" is not allowed to modify node "{a.name}"')
    if a.obj is None:
        return
    if a.old is not None and (a.obj.get("spec") or {}).get("taints") != (a.old.get("spec") or {}).get("taints"):
        raise forbidden(a, f'node "{node}" is not allowed to modify taints')
    new, old = objects.labels(a.obj), objects.labels(a.old or {})
    wrong = sorted(key for key in {*new, *old} if new.get(key) != old.get(key) and not _may_label(key))
    if wrong and a.old is None:
        raise forbidden(a, f'node "{node}" is not allowed to set the following labels: {", ".join(wrong)}')
    if wrong:
        raise forbidden(a, f"is not allowed to modify labels: {', '.join(wrong)}")


def _may_label(key: str) -> bool:
    """May an agent give its node this label? A domain of Kubernetes' is not its to use, but for a few labels."""
    domain = key.partition("/")[0] if "/" in key else ""
    if _in_domain(domain, (_RESTRICTED,)):
        return False
    return not _in_domain(domain, _DOMAINS) or key in _AGENTS_LABELS or _in_domain(domain, _AGENTS_DOMAINS)


def _in_domain(domain: str, domains: tuple[str, ...]) -> bool:
    return domain in domains or domain.endswith(tuple(f".{parent}" for parent in domains))


def _lease(world: World, a: Attributes, node: str) -> None:
    if a.namespace != _LEASES:
        raise forbidden(a, f'can only access leases in the "{_LEASES}" system namespace')
    if a.name != node:
        raise forbidden(a, "can only access node lease with the same name as the requesting node")


def _csi_node(world: World, a: Attributes, node: str) -> None:
    if a.name != node:
        raise forbidden(a, "can only access CSINode with the same name as the requesting node")


_Rule: TypeAlias = Callable[[World, Attributes, str], None]
_RULES: Final[Mapping[tuple[str, str], _Rule]] = {
    ("pods", ""): _pod,
    ("pods", "status"): _pod_status,
    ("pods", "eviction"): _eviction,
    ("serviceaccounts", "token"): _token,
    ("nodes", ""): _node,
    ("nodes", "status"): _node,
    ("leases.coordination.k8s.io", ""): _lease,
    ("csinodes.storage.k8s.io", ""): _csi_node,
}
PLUGINS: Final = tuple(
    Plugin(
        name="NodeRestriction", verbs=("create", "update", "delete"), resources=(resource,),
        subresources=(subresource,), validate=validate,
    )
    for resource, subresource in _RULES
)  # fmt: skip
