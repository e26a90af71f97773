"""ValidatingAdmissionWebhook: all webhooks at once about the final object; the first refusal in their order counts.

Source: apiserver/pkg/admission/plugin/webhook/validating/dispatcher.go.
"""

from __future__ import annotations

import asyncio
from typing import Final

from pybernetes.kinds.kind import Kind
from pybernetes.meta import errors
from pybernetes.server.admission.attributes import Attributes
from pybernetes.server.admission.dynamic.question import Write, is_exempt
from pybernetes.server.admission.dynamic.webhooks import Unanswered, Webhook
from pybernetes.server.admission.plugin import Plugin, World


async def validate(world: World, a: Attributes) -> None:
    """Raises ApiError."""
    if is_exempt(a) or not (found := await world.validating_webhooks.current()):
        return
    write = Write(world, a)
    asked = [(webhook, row) for webhook in found if (row := webhook.form(write)) is not None]
    if not asked:
        return
    for refusal in await asyncio.gather(*(_ask(write, row, webhook) for webhook, row in asked)):
        if refusal is not None:
            raise refusal


async def _ask(write: Write, row: Kind, webhook: Webhook) -> errors.ApiError | None:
    try:
        await webhook.ask(write, row, mutating=False)
    except Unanswered as error:
        return None if webhook.ignores_failure else webhook.failed(error)
    except errors.ApiError as refusal:
        return refusal
    return None


PLUGIN: Final = Plugin(
    name="ValidatingAdmissionWebhook", verbs=("create", "update", "delete", "connect"), subresources=None,
    validate=validate,
)  # fmt: skip
