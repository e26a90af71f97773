"""What tests of the server put into a watch cache, and the requests that they make of it."""

from __future__ import annotations

from typing import Any

from pybernetes.kinds import schemas, table
from pybernetes.lib.clock import VirtualClock
from pybernetes.lib.entropy import SeededEntropy
from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj
from pybernetes.meta.schema import Schemas
from pybernetes.server.admission.attributes import Attributes, Verb
from pybernetes.server.admission.plugin import World
from pybernetes.server.authz import bootstrap
from pybernetes.server.authz.authorizer import Authorizer
from pybernetes.server.context import User
from pybernetes.server.live import Live
from pybernetes.storage import codec
from pybernetes.storage.memory import MemoryStore
from pybernetes.storage.watchcache import WatchCache

KINDS = table.builtin()
SCHEMAS = Schemas(schemas.definitions())
RBAC = "rbac.authorization.k8s.io"
JANE = User("jane", groups=("developers", "system:authenticated"))
ADMIN = User("kubernetes-admin", groups=("system:masters", "system:authenticated"))


class Cluster:
    """A watch cache over a store in memory, and what the chain makes of it."""

    def __init__(self) -> None:
        self.clock, self.entropy = VirtualClock(), SeededEntropy(1)
        self.cache = WatchCache(MemoryStore(self.clock), self.clock)
        self.live, self.authorizer = Live(self.cache), Authorizer(self.cache)
        self.world = World(self.live, self.clock, self.entropy, self.authorizer, KINDS, SCHEMAS)

    async def put(self, resource: str, *objs: Obj) -> None:
        kind = KINDS.by_resource(resource)
        assert kind is not None
        for obj in objs:
            key = codec.key(kind.group, kind.plural, objects.namespace(obj), objects.name(obj))
            metadata = {"uid": f"uid-of-{objects.name(obj)}", **objects.meta(obj)}
            await self.cache.write(key, codec.encode({"apiVersion": kind.api_version, "kind": kind.kind, **obj,
                                                      "metadata": metadata}))  # fmt: skip

    async def remove(self, resource: str, namespace: str, name: str) -> None:
        kind = KINDS.by_resource(resource)
        assert kind is not None
        await self.cache.delete(codec.key(kind.group, kind.plural, namespace, name))

    async def namespace(self, name: str, **status: Any) -> None:
        """A namespace that is older than the moment."""
        made = times.render(self.clock.time() - 3600)
        await self.put("namespaces", {"metadata": {"name": name, "creationTimestamp": made}, "status": status})

    async def bootstrap(self) -> None:
        for resource, obj in bootstrap.objects():
            await self.put(resource, obj)

    def write(
        self, verb: Verb, resource: str, obj: Obj | None, *, old: Obj | None = None, user: User = JANE,
        namespace: str = "", name: str = "", subresource: str = "",
    ) -> Attributes:  # fmt: skip
        """What admission is asked about a write."""
        kind = KINDS.by_resource(resource)
        assert kind is not None
        return Attributes(
            verb, kind, subresource, namespace or objects.namespace(obj or {}), name or objects.name(obj or {}),
            obj, old, user, False, {}, lambda text: None,
        )  # fmt: skip


def named(name: str, namespace: str = "", **rest: Any) -> Obj:
    metadata: Obj = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    return {"metadata": metadata, **rest}


def role(name: str, *rules: Obj, namespace: str = "", **rest: Any) -> Obj:
    return named(name, namespace, rules=list(rules), **rest)


def rule(verbs: str, resources: str, group: str = "", names: str = "") -> Obj:
    found: Obj = {"verbs": verbs.split(), "apiGroups": [group], "resources": resources.split()}
    return {**found, "resourceNames": names.split()} if names else found


def binding(name: str, role: str, *subjects: str, namespace: str = "") -> Obj:
    """``subjects``: ``User jane``, ``ServiceAccount ns/name``; ``role``: ``ClusterRole view``."""
    kind, role_name = role.split()
    ref = {"apiGroup": RBAC, "kind": kind, "name": role_name}
    return named(name, namespace, roleRef=ref, subjects=[_subject(text) for text in subjects])


def _subject(text: str) -> Obj:
    kind, name = text.split()
    home, slash, account = name.partition("/")
    return {"kind": kind, "name": account, "namespace": home} if slash else {"kind": kind, "name": name}
