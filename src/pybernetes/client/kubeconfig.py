"""kubeconfig files: read, written whole or not at all, and merged into a user's own.

Rule: whatever a file holds besides what we touch stays; key material is written for its owner's eyes only.
Neighbours: ``http.py`` opens a client from one.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pybernetes.meta.objects import Obj


class KubeconfigError(Exception):
    """A file that cannot be used; the message names the file, what is wrong, and the remedy."""


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach a cluster: what the current context of a kubeconfig comes to."""

    server: str
    ca: bytes | None = None
    verify: bool = True
    certificate: bytes | None = None
    key: bytes | None = None
    token: str = ""


@dataclass(slots=True)
class Kubeconfig:
    """``document`` is the file's content; ``path`` is where it came from, for messages and relative paths."""

    document: Obj = field(default_factory=dict)
    path: Path | None = None

    @classmethod
    def with_certificate(
        cls, *, cluster: str, user: str, server: str, ca: bytes, certificate: bytes, key: bytes
    ) -> Kubeconfig:
        """One cluster, one user with a client certificate (all PEM), and one context named as the cluster."""
        return cls(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [_row(cluster, "cluster", {"certificate-authority-data": _data(ca), "server": server})],
                "contexts": [_row(cluster, "context", {"cluster": cluster, "user": user})],
                "current-context": cluster,
                "preferences": {},
                "users": [
                    _row(user, "user", {"client-certificate-data": _data(certificate), "client-key-data": _data(key)})
                ],
            }
        )

    def access(self, context: str = "") -> Access:
        """What ``context`` (the current one) leads to. Raises KubeconfigError."""
        name = context or str(self.document.get("current-context") or "")
        if not name:
            raise self._error("has no current-context; 'kubectl config use-context NAME' sets one")
        chosen = self._named("contexts", "context", name)
        cluster = self._named("clusters", "cluster", str(chosen.get("cluster") or ""))
        user = self._named("users", "user", str(chosen.get("user") or "")) if chosen.get("user") else {}
        if not cluster.get("server"):
            raise self._error(
                f"the cluster {chosen.get('cluster')!r} has no server; add its address, https://host:port"
            )
        return Access(
            server=str(cluster["server"]),
            ca=self._bytes(cluster, "certificate-authority"),
            verify=not cluster.get("insecure-skip-tls-verify"),
            certificate=self._bytes(user, "client-certificate"),
            key=self._bytes(user, "client-key"),
            token=self._token(user),
        )

    def authority(self, cluster: str) -> bytes:
        """The CA of a cluster (PEM); empty where the file names none. Raises KubeconfigError."""
        return self._bytes(self._named("clusters", "cluster", cluster), "certificate-authority") or b""

    def _named(self, section: str, what: str, name: str) -> Obj:
        rows = self.document.get(section) or []
        for row in rows:
            if row.get("name") == name:
                found = row.get(what)
                return found if isinstance(found, dict) else {}
        names = ", ".join(sorted(str(r.get("name")) for r in rows)) or "none"
        raise self._error(f"there is no {what} {name!r} (there is: {names}); correct {section} or current-context")

    def _bytes(self, row: Obj, field_name: str) -> bytes | None:
        """``<field>-data`` in base64, or the file that ``<field>`` names."""
        data, path = row.get(f"{field_name}-data"), row.get(field_name)
        if data:
            try:
                return base64.b64decode(data, validate=True)
            except (binascii.Error, TypeError, ValueError) as error:
                raise self._error(f"{field_name}-data is no base64 ({error}); write the file anew") from error
        return self._read(field_name, str(path)) if path else None

    def _token(self, user: Obj) -> str:
        if user.get("token"):
            return str(user["token"])
        return self._read("tokenFile", str(user["tokenFile"])).decode().strip() if user.get("tokenFile") else ""

    def _read(self, field_name: str, name: str) -> bytes:
        path = Path(name) if self.path is None else self.path.parent / name
        try:
            return path.read_bytes()
        except OSError as error:
            raise self._error(f"{field_name} names {path}, which cannot be read: {error.strerror}") from error

    def _error(self, what: str) -> KubeconfigError:
        return KubeconfigError(f"{self.path or 'kubeconfig'}: {what}")


def load(path: Path) -> Kubeconfig:
    """Raises KubeconfigError."""
    import yaml

    try:
        text = path.read_text()
    except FileNotFoundError as error:
        raise KubeconfigError(f"{path}: no such file; 'pybernetes up' writes that of a cluster") from error
    except (OSError, UnicodeDecodeError) as error:
        raise KubeconfigError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    try:
        document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" at line {where.line + 1}" if where is not None else ""
        raise KubeconfigError(f"{path}: is no YAML{line}; correct it, or move it away") from error
    return Kubeconfig(_checked(path, {} if document is None else document), path)


def write(path: Path, kubeconfig: Kubeconfig) -> None:
    """Replace ``path`` at once; only its owner may read it. Raises KubeconfigError."""
    import yaml

    text = yaml.safe_dump(kubeconfig.document, sort_keys=False)
    target = path.resolve()  # a link stays a link
    temporary = target.with_name(f"{target.name}.{os.getpid()}.new")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            os.fchmod(descriptor, 0o600)
            file.write(text)
        temporary.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise KubeconfigError(f"{path}: cannot be written: {error.strerror}; make its folder writable") from error


def merge(path: Path, kubeconfig: Kubeconfig) -> None:
    """Add or replace the clusters, users and contexts of ``kubeconfig`` in the file, and make its current context
    the file's. Everything else in the file stays. Raises KubeconfigError."""
    document: Obj = load(path).document if path.exists() else {"apiVersion": "v1", "kind": "Config"}
    for section in ("clusters", "contexts", "users"):
        new = kubeconfig.document.get(section) or []
        names = {row["name"] for row in new}
        document[section] = [r for r in document.get(section) or [] if r.get("name") not in names] + new
    document["current-context"] = kubeconfig.document.get("current-context", "")
    write(path, Kubeconfig(document, path))


def _checked(path: Path, document: Any) -> Obj:
    """A mapping whose sections are lists of mappings, so that nobody behind has to ask again."""
    if not isinstance(document, dict):
        raise KubeconfigError(f"{path}: is no kubeconfig but a {type(document).__name__}; name another file")
    for section in ("clusters", "contexts", "users"):
        rows = document.get(section) or []
        if not isinstance(rows, list) or not all(isinstance(row, dict) and "name" in row for row in rows):
            raise KubeconfigError(f"{path}: {section} is no list of named entries; correct it, or move the file away")
    return document


def _row(name: str, what: str, value: Obj) -> Obj:
    return {"name": name, what: value}


def _data(pem: bytes) -> str:
    return base64.b64encode(pem).decode()
