"""A webhook of a test's own: a real HTTPS server that notes what it is asked and answers by a function."""

from __future__ import annotations

import base64
import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson

from pybernetes.cluster import pki
from pybernetes.lib import tls
from pybernetes.lib.clock import SystemClock
from pybernetes.lib.http.message import HttpRequest, HttpResponse
from pybernetes.lib.http.serve import serve
from pybernetes.meta.objects import Obj

GROUP = "admissionregistration.k8s.io"
MUTATING = f"mutatingwebhookconfigurations.{GROUP}"
VALIDATING = f"validatingwebhookconfigurations.{GROUP}"
MAPS = {"operations": ["*"], "apiGroups": [""], "apiVersions": ["*"], "resources": ["configmaps"]}
Says = Callable[[Obj], Any]
"""From an AdmissionRequest to the response without its uid; a coroutine may wait first."""


class Hook:
    """``asked`` holds the requests, ``targets`` the paths with their queries."""

    def __init__(self, says: Says, files: pki.Pki) -> None:
        self.says, self._files = says, files
        self.port = 0
        self.asked: list[Obj] = []
        self.targets: list[str] = []

    async def handle(self, request: HttpRequest) -> HttpResponse:
        review = orjson.loads(request.body)
        self.asked.append(review["request"])
        self.targets.append(request.raw_target)
        said = self.says(review["request"])
        if inspect.isawaitable(said):
            said = await said
        if isinstance(said, HttpResponse):
            return said
        response = {"uid": review["request"]["uid"], **said}
        body = {"kind": "AdmissionReview", "apiVersion": review["apiVersion"], "response": response}
        return HttpResponse(body=orjson.dumps(body))

    @property
    def bundle(self) -> str:
        return base64.b64encode(self._files.certificate("ca").read_bytes()).decode()

    def webhook(self, name: str = "hook.example.com", **more: Any) -> Obj:
        """A webhook of a configuration that leads here."""
        return {
            "name": name, "admissionReviewVersions": ["v1"], "sideEffects": "None", "rules": [MAPS],
            "clientConfig": {"url": f"https://127.0.0.1:{self.port}/ask", "caBundle": self.bundle}, **more,
        }  # fmt: skip


@asynccontextmanager
async def hook(files: pki.Pki, says: Says) -> AsyncIterator[Hook]:
    made = Hook(says, files)
    context = tls.server_context(files.certificate("apiserver"), files.key("apiserver"))
    server = await serve(made.handle, clock=SystemClock(), ssl_context=context)
    made.port = server.port
    try:
        yield made
    finally:
        await server.stop(0.1)


def configuration(*webhooks: Obj, name: str = "hooks") -> Obj:
    return {"metadata": {"name": name}, "webhooks": list(webhooks)}


def patch(*operations: Obj) -> Obj:
    """An answer that allows and changes."""
    encoded = base64.b64encode(orjson.dumps(operations)).decode()
    return {"allowed": True, "patchType": "JSONPatch", "patch": encoded}


def entry(name: str, value: str = "yes") -> Obj:
    """Set ``data.<name>`` of a ConfigMap that has data."""
    return {"op": "add", "path": f"/data/{name}", "value": value}
