"""MutatingAdmissionWebhook: webhooks one after the other, each seeing what the former have made of the object.

Source: apiserver/pkg/admission/plugin/webhook/mutating/dispatcher.go.
"""

from __future__ import annotations

from typing import Any, Final

from pybernetes.kinds.kind import Kind
from pybernetes.meta import errors, jsonpatch
from pybernetes.meta.objects import Obj
from pybernetes.server.admission.attributes import Attributes
from pybernetes.server.admission.dynamic import rounds
from pybernetes.server.admission.dynamic.question import Write, is_exempt
from pybernetes.server.admission.dynamic.webhooks import Unanswered, Webhook
from pybernetes.server.admission.plugin import Plugin, World

_SERVERS: Final = (
    "name",
    "namespace",
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "generation",
    "resourceVersion",
)
"""Of metadata what no webhook and no policy may choose."""


async def admit(world: World, a: Attributes) -> None:
    """Raises ApiError."""
    if is_exempt(a) or not (found := await world.mutating_webhooks.current()):
        return
    write = Write(world, a)
    turns = a.rounds = a.rounds or rounds.Rounds()
    turns.begin(rounds.WEBHOOKS, a.obj)
    for webhook in found:
        row = webhook.form(write)
        if row is not None and turns.is_due(rounds.WEBHOOKS, webhook.uid):
            changed = await _ask(write, row, webhook)
            turns.called(rounds.WEBHOOKS, webhook.uid, changed=changed, again=webhook.reinvoked)
    turns.end(rounds.WEBHOOKS, a.obj)


async def _ask(write: Write, row: Kind, webhook: Webhook) -> bool:
    """Has the webhook changed the object?"""
    try:
        answer = await webhook.ask(write, row, mutating=True)
    except Unanswered as error:
        if webhook.ignores_failure:
            return False
        raise webhook.failed(error) from error
    return answer.patch is not None and _patched(write, row, webhook, answer.patch)


def _patched(write: Write, row: Kind, webhook: Webhook, patch: Any) -> bool:
    obj = write.attributes.obj
    if obj is None:
        raise _internal(
            f'admission webhook "{webhook.name}" attempted to modify the object, which is not supported for this'
            " operation"
        )
    shown = write.shown(row, obj)
    try:
        changed = jsonpatch.apply(shown, patch)
    except errors.ApiError as error:
        raise _internal(error.message) from error
    return replace(write, row, changed)


def replace(write: Write, row: Kind, changed: Any) -> bool:
    """Take ``changed``, in the form of ``row``, for the object of the write: pruned and defaulted as a client's would
    be. Answers whether it differs. Raises InternalError for what is no such object."""
    a = write.attributes
    assert a.obj is not None
    if not isinstance(changed, dict) or not isinstance(changed.get("metadata"), dict):
        raise _internal("the changed object is no object with metadata")
    if changed.get("kind") == row.kind:
        report = write.world.schemas.inspect(row.definition, changed)
        if report.decode:
            raise _internal(report.decode[0])
        changed = write.world.schemas.drop_unknown(row.definition, changed)
        changed = write.taken(row, changed)
        _keep(changed["metadata"], a.obj["metadata"])
        a.kind.strategy.default(changed)
    if changed == a.obj:
        return False
    a.obj.clear()
    a.obj.update(changed)
    return True


def _keep(new: Obj, old: Obj) -> None:
    for key in _SERVERS:
        if key in old:
            new[key] = old[key]
        else:
            new.pop(key, None)


def _internal(why: str) -> errors.InternalError:
    return errors.InternalError(f"Internal error occurred: {why}")


PLUGIN: Final = Plugin(
    name="MutatingAdmissionWebhook", verbs=("create", "update", "delete", "connect"), subresources=None, admit=admit
)
