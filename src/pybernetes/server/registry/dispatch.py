"""From a request for a resource to the verb that answers it: the registry's front door.

Rule: the table of kinds says what exists; a path that names nothing is a 404, a verb that a row does not have a 405.
Neighbours: one file per verb beside this one, ``subresources.py`` for what hangs below an object,
``server/watchstream.py`` for watches.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pybernetes.kinds.kind import Kind
from pybernetes.meta import errors
from pybernetes.server import watchstream
from pybernetes.server.context import Info, Request, Response
from pybernetes.server.registry import binding, connecting, create, decode, deletion, encode, patch, read, update
from pybernetes.server.registry.call import Call
from pybernetes.server.registry.context import Context
from pybernetes.server.registry.subresources import SUBRESOURCES, Verb
from pybernetes.storage.port import WriteFailed

_VERBS: Final[Mapping[str, Verb]] = {
    "create": create.create,
    "get": read.get,
    "list": read.list_,
    "watch": watchstream.watch,
    "update": update.update,
    "patch": patch.patch,
    "delete": deletion.delete,
    "deletecollection": deletion.delete_collection,
}
_WRITES: Final = frozenset(("create", "update", "patch", "delete", "deletecollection"))


class Registry:
    def __init__(self, context: Context) -> None:
        self.context = context

    def start(self) -> None:
        """Take up what is stored; the watch cache is full."""
        self.context.expiry.start()

    async def stop(self) -> None:
        await self.context.expiry.stop()

    async def handle(self, request: Request) -> Response:
        """Answer a request whose ``info`` says that it is for a resource. Raises ApiError."""
        info = request.info
        assert info is not None
        kind = self._kind(info)
        if info.subresource and info.subresource not in SUBRESOURCES:
            return await self._connect(request, info, kind)
        verb = _verb(info, kind)
        call = self._call(request, info, kind)
        try:
            return await verb(call)
        except WriteFailed as error:
            raise errors.InternalError(str(error)) from error

    def _kind(self, info: Info) -> Kind:
        kind = self.context.kinds.by_path(info.group, info.version, info.resource)
        if kind is None or (info.subresource and info.subresource not in kind.subresources):
            raise errors.NotFound("the server could not find the requested resource")
        if kind.namespaced and not info.namespace and info.verb not in ("list", "watch"):
            raise _not_supported(info, kind)
        return kind

    async def _connect(self, request: Request, info: Info, kind: Kind) -> Response:
        if info.verb not in kind.subresources[info.subresource].verbs:
            raise _not_supported(info, kind)
        await connecting.admitted(self._call(request, info, kind))
        return await self.context.connect(request, kind)

    def _call(self, request: Request, info: Info, kind: Kind) -> Call:
        row = self.context.kinds.stored(kind) if kind.storage_of else kind
        namespace = info.namespace if kind.namespaced else ""
        call = Call(self.context, request, info, kind, row, namespace, info.name, info.subresource)
        if request.query and info.verb in _WRITES and (values := request.query.get("dryRun")):
            if list(values) != ["All"]:
                wrong = errors.not_supported("dryRun", list(values), ("All",))
                raise errors.invalid_object("meta.k8s.io", "Options", "", [wrong])
            call.dry_run = True
        return call


def _verb(info: Info, kind: Kind) -> Verb:
    """Raises MethodNotAllowed."""
    if info.subresource:
        verb = SUBRESOURCES[info.subresource].get(info.verb)
        if verb is None or info.verb not in kind.subresources[info.subresource].verbs:
            raise _not_supported(info, kind)
        return verb
    if info.verb not in kind.verbs:
        raise _not_supported(info, kind)
    if info.verb == "create" and "get" not in kind.verbs:
        return binding.bind if kind.resource == "bindings" else _review
    return _VERBS[info.verb]


def _not_supported(info: Info, kind: Kind) -> errors.MethodNotAllowed:
    return errors.MethodNotAllowed("the server does not allow this method on the requested resource")


async def _review(call: Call) -> Response:
    """A question that is answered and never stored."""
    obj = decode.body(call)
    create.placed(call, obj)
    return encode.plain(call, await call.context.reviews[call.kind.resource](call.request, obj), 201)
