"""ServiceAccount: every pod acts as an account, and finds that account's token where clients look for it.

Source: plugin/pkg/admission/serviceaccount. One thing is ours: a young namespace may get a pod before the controller
has made its ``default`` account; upstream refuses such a pod, we wait a moment for the account.
"""

from __future__ import annotations

from typing import Final

from pybernetes.meta import objects, times
from pybernetes.meta.objects import Obj
from pybernetes.server.admission.attributes import Attributes, forbidden
from pybernetes.server.admission.plugin import Plugin, World
from pybernetes.storage import codec

DEFAULT: Final = "default"
MOUNT_PATH: Final = "/var/run/secrets/kubernetes.io/serviceaccount"
VOLUME_PREFIX: Final = "kube-api-access-"
TOKEN_SECONDS: Final = 3607
"""Upstream's odd number marks tokens of this volume; ``authn/tokens.py`` knows it."""
_MIRROR: Final = "kubernetes.io/config.mirror"
_YOUNG_SECONDS: Final = 10.0
_WAIT_SECONDS: Final = 2.0


async def admit(world: World, a: Attributes) -> None:
    """Name the account, mount its token, pass on its pull secrets. Raises Forbidden."""
    if a.obj is None or _is_mirror(a.obj):
        return
    spec: Obj = a.obj.setdefault("spec", {})
    name = spec.get("serviceAccountName") or spec.get("serviceAccount") or DEFAULT
    spec["serviceAccountName"] = spec["serviceAccount"] = name
    account = await _account(world, a, name)
    if _automounts(account, spec):
        _mount(world, spec)
    if not spec.get("imagePullSecrets") and (secrets := account.get("imagePullSecrets")):
        spec["imagePullSecrets"] = [dict(secret) for secret in secrets]


async def validate(world: World, a: Attributes) -> None:
    """A mirror pod is told to us by a node: it gets nothing of the API's. Raises Forbidden."""
    if a.obj is None or not _is_mirror(a.obj):
        return
    spec = a.obj.get("spec") or {}
    if spec.get("serviceAccountName"):
        raise forbidden(a, "a mirror pod may not reference service accounts")
    for volume in spec.get("volumes") or ():
        if volume.get("secret"):
            raise forbidden(a, "a mirror pod may not reference secrets")
        for source in objects.get(volume, "projected", "sources", default=()):
            if source.get("serviceAccountToken"):
                raise forbidden(a, "a mirror pod may not use ServiceAccountToken volume projections")


def _is_mirror(pod: Obj) -> bool:
    return _MIRROR in objects.annotations(pod)


async def _account(world: World, a: Attributes, name: str) -> Obj:
    found = world.live.get("", "serviceaccounts", a.namespace, name)
    if found is None and name == DEFAULT and _is_young(world, a.namespace):
        key = codec.key("", "serviceaccounts", a.namespace, name)
        await world.live.appearance(key, world.clock, _WAIT_SECONDS)
        found = world.live.get("", "serviceaccounts", a.namespace, name)
    if found is None:
        why = f'error looking up service account {a.namespace}/{name}: serviceaccount "{name}" not found'
        raise forbidden(a, why)
    return found


def _is_young(world: World, namespace: str) -> bool:
    made = str(objects.meta(world.live.get("", "namespaces", "", namespace) or {}).get("creationTimestamp") or "")
    return bool(made) and world.clock.time() - times.parse(made) < _YOUNG_SECONDS


def _automounts(account: Obj, spec: Obj) -> bool:
    """The pod's word counts before the account's; silence means yes."""
    said = spec.get("automountServiceAccountToken")
    if said is None:
        said = account.get("automountServiceAccountToken")
    return said is None or bool(said)


def _mount(world: World, spec: Obj) -> None:
    lacking = [
        container
        for key in ("initContainers", "containers")
        for container in spec.get(key) or ()
        if not any(m.get("mountPath") == MOUNT_PATH for m in container.get("volumeMounts") or ())
    ]
    if not lacking:
        return
    volumes: list[Obj] = spec.get("volumes") or []
    there = next((v["name"] for v in volumes if str(v.get("name", "")).startswith(VOLUME_PREFIX)), None)
    name = there or VOLUME_PREFIX + world.entropy.suffix()
    if there is None:
        spec["volumes"] = [*volumes, _volume(name)]
    for container in lacking:
        mount = {"name": name, "readOnly": True, "mountPath": MOUNT_PATH}
        container["volumeMounts"] = [*(container.get("volumeMounts") or ()), mount]


def _volume(name: str) -> Obj:
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    sources: list[Obj] = [
        {"serviceAccountToken": {"expirationSeconds": TOKEN_SECONDS, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [namespace]}},
    ]
    return {"name": name, "projected": {"sources": sources, "defaultMode": 0o644}}


PLUGIN: Final = Plugin(
    name="ServiceAccount", verbs=("create",), resources=("pods",), admit=admit, validate=validate
)  # fmt: skip
