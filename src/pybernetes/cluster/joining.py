"""What a cluster holds for machines that join it, as kubeadm has it: bootstrap tokens, ``cluster-info``, their rights.

Rule 1: a token lets its bearer ask for a node's certificate, and for nothing else; it expires.
Rule 2: ``kube-public/cluster-info`` may be read by anybody; whoever holds a token knows by the signature for it (a JWS
without its payload, HMAC-SHA256 by the token's secret) that nobody has put another cluster's CA there.
Neighbours: ``server/authn/bootstraptokens.py`` recognizes the tokens, ``joined.py`` is the machine that joins.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final

import orjson

from pybernetes.client import kubeconfig
from pybernetes.client.client import Client
from pybernetes.cluster import bootstrap, pki
from pybernetes.cluster.config import Config, Paths
from pybernetes.lib.clock import Clock
from pybernetes.lib.entropy import Entropy
from pybernetes.meta import times
from pybernetes.meta.objects import Obj

CLUSTER_INFO: Final = "cluster-info"
PUBLIC: Final = "kube-public"
SETTINGS: Final = "pybernetes"
"""Name of the kubeconfig's extension that tells a joining machine how the cluster's network is."""
NODE_GROUP: Final = "system:bootstrappers:kubeadm:default-node-token"
TTL_SECONDS: Final = 24 * 3600.0
_RBAC: Final = "rbac.authorization.k8s.io"
_REQUESTS: Final = "system:certificates.k8s.io:certificatesigningrequests"
_ALPHABET: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


async def create_token(
    client: Client, paths: Paths, config: Config, clock: Clock, entropy: Entropy, *, ttl_seconds: float = TTL_SECONDS
) -> str:
    """A new token, with all that a machine needs to join by it. ``ttl_seconds`` 0: it does not expire."""
    token = f"{_letters(entropy, 6)}.{_letters(entropy, 16)}"
    for resource, obj in _rights():
        await bootstrap.create_missing(client, resource, obj)
    await client.create("secrets", secret(token, clock.time() + ttl_seconds if ttl_seconds else None))
    await _sign(client, cluster_info(paths, config), token)
    return token


def ca_hash(ca: bytes) -> str:
    """``sha256:…`` of a PEM certificate's public key, as kubeadm pins it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    key = x509.load_pem_x509_certificate(ca).public_key()
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"sha256:{hashlib.sha256(der).hexdigest()}"


def signature(content: str, token: str) -> str:
    """The JWS of ``content`` (compact, its payload left out) by a token."""
    token_id, _, token_secret = token.partition(".")
    header = _encoded(orjson.dumps({"alg": "HS256", "kid": token_id}))
    signed = f"{header}.{_encoded(content.encode())}".encode()
    return f"{header}..{_encoded(hmac.digest(token_secret.encode(), signed, 'sha256'))}"


def secret(token: str, expires: float | None) -> Obj:
    """``expires`` in Unix seconds."""
    token_id, _, token_secret = token.partition(".")
    data = {
        "token-id": token_id, "token-secret": token_secret, "auth-extra-groups": NODE_GROUP,
        "usage-bootstrap-authentication": "true", "usage-bootstrap-signing": "true",
    } | ({"expiration": times.render(expires)} if expires is not None else {})  # fmt: skip
    return {
        "apiVersion": "v1", "kind": "Secret", "type": "bootstrap.kubernetes.io/token",
        "metadata": {"name": f"bootstrap-token-{token_id}", "namespace": "kube-system"},
        "stringData": data,
    }  # fmt: skip


def cluster_info(paths: Paths, config: Config) -> str:
    """The kubeconfig that tells where the cluster is, and by which CA it is known."""
    import yaml

    document = kubeconfig.Kubeconfig.with_certificate(
        cluster="", user="", server=f"https://{config.address}:{config.port}",
        ca=pki.Pki(paths.pki, 0).certificate("ca").read_bytes(), certificate=b"", key=b"",
    ).document  # fmt: skip
    settings = {"clusterDomain": config.cluster_domain, "vxlan": config.vxlan}
    document["clusters"][0]["cluster"]["extensions"] = [{"name": SETTINGS, "extension": settings}]
    return yaml.safe_dump(document | {"contexts": [], "users": [], "current-context": ""})


async def _sign(client: Client, content: str, token: str) -> None:
    """Put the signature for ``token`` beside the content; other content is signed for nobody any more."""
    name = f"jws-kubeconfig-{token.partition('.')[0]}"
    data = {"kubeconfig": content, name: signature(content, token)}
    metadata = {"name": CLUSTER_INFO, "namespace": PUBLIC}
    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
    await bootstrap.create_missing(client, "configmaps", made)
    old = await client.get("configmaps", CLUSTER_INFO, PUBLIC)
    if old["data"].get("kubeconfig") == content:
        data = {**old["data"], **data}
    await client.update("configmaps", {**old, "data": data})


def _rights() -> list[tuple[str, Obj]]:
    """(resource, object), under kubeadm's names."""
    nodes = {"kind": "Group", "apiGroup": _RBAC, "name": "system:nodes"}
    joining = {**nodes, "name": NODE_GROUP}
    anybody = {"kind": "User", "apiGroup": _RBAC, "name": "system:anonymous"}
    read = {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": [CLUSTER_INFO], "verbs": ["get"]}
    name = "kubeadm:bootstrap-signer-clusterinfo"
    return [
        (f"roles.{_RBAC}", _made("Role", name, PUBLIC) | {"rules": [read]}),
        (f"rolebindings.{_RBAC}", _bound("Role", name, name, anybody, PUBLIC)),
        *(
            (f"clusterrolebindings.{_RBAC}", _bound("ClusterRole", binding, role, subject))
            for binding, role, subject in (
                ("kubeadm:kubelet-bootstrap", "system:node-bootstrapper", joining),
                ("kubeadm:node-autoapprove-bootstrap", f"{_REQUESTS}:nodeclient", joining),
                ("kubeadm:node-autoapprove-certificate-rotation", f"{_REQUESTS}:selfnodeclient", nodes),
            )
        ),
    ]


def _bound(kind: str, name: str, role: str, subject: Obj, namespace: str = "") -> Obj:
    """The binding of a role (``kind``) to one subject."""
    return _made(f"{kind}Binding", name, namespace) | {
        "roleRef": {"apiGroup": _RBAC, "kind": kind, "name": role}, "subjects": [subject],
    }  # fmt: skip


def _made(kind: str, name: str, namespace: str = "") -> Obj:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": f"{_RBAC}/v1", "kind": kind, "metadata": metadata}


def _letters(entropy: Entropy, length: int) -> str:
    """By bytes of which each letter has as many."""
    fair = 256 - 256 % len(_ALPHABET)
    found = ""
    while len(found) < length:
        found += "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in entropy.token(2 * length) if byte < fair)
    return found[:length]


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
