"""NamespaceLifecycle: nothing is written into a namespace that is not there, and nothing new into one that ends.

Source: apiserver/pkg/admission/plugin/namespace/lifecycle. The watch cache knows every write that was acknowledged, so
upstream's wait for a namespace that its cache may not have seen yet has no counterpart here.
"""

from __future__ import annotations

from typing import Final

from pybernetes.meta import errors, objects
from pybernetes.server.admission.attributes import Attributes, forbidden
from pybernetes.server.admission.plugin import Plugin, World

IMMORTAL: Final = frozenset(("default", "kube-system", "kube-public"))


async def admit(world: World, a: Attributes) -> None:
    """Raises NotFound and Forbidden."""
    if a.kind.resource == "namespaces":
        if a.verb == "delete" and a.name in IMMORTAL:
            raise errors.forbidden("", "namespaces", a.name, "this namespace may not be deleted")
        return
    if not a.namespace or a.verb == "delete" or a.kind.resource == "localsubjectaccessreviews.authorization.k8s.io":
        return
    namespace = world.live.get("", "namespaces", "", a.namespace)
    if namespace is None:
        raise errors.not_found("", "namespaces", a.namespace)
    if a.verb == "create" and objects.get(namespace, "status", "phase") == "Terminating":
        raise forbidden(
            a,
            f"unable to create new content in namespace {a.namespace} because it is being terminated",
            [
                errors.Cause(
                    "NamespaceTerminating", f"namespace {a.namespace} is being terminated", "metadata.namespace"
                )
            ],
        )


PLUGIN: Final = Plugin(
    name="NamespaceLifecycle", verbs=("create", "update", "delete"), subresources=None, admit=admit
)  # fmt: skip
