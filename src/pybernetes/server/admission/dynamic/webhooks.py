"""The webhooks of all configurations, compiled, and the asking of one of them.

Sources: apiserver/pkg/admission/plugin/webhook/{generic,mutating,validating}.
Neighbours: ``mutating.py`` and ``validating.py`` ask them in order or all at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pybernetes import cel
from pybernetes.kinds.kind import Kind
from pybernetes.kinds.strategy.expressions import WEBHOOK
from pybernetes.meta import errors, objects
from pybernetes.meta.objects import Obj
from pybernetes.server.admission.attributes import forbidden
from pybernetes.server.admission.dynamic import expressions, matching, review
from pybernetes.server.admission.dynamic.calls import NoAnswer
from pybernetes.server.admission.dynamic.expressions import Budget, Conditions
from pybernetes.server.admission.dynamic.matching import Matching
from pybernetes.server.admission.dynamic.question import Write
from pybernetes.server.admission.dynamic.review import Answer, BadAnswer

_NO_SIDE_EFFECTS: Final = ("None", "NoneOnDryRun")


class Unanswered(Exception):
    """A webhook gave no answer that counts, and ``failurePolicy`` has to decide."""


@dataclass(frozen=True, slots=True)
class Webhook:
    uid: str
    """Of the configuration and the webhook in it: who has been asked already."""
    name: str
    matching: Matching
    conditions: Conditions
    client: Obj
    timeout_seconds: int
    ignores_failure: bool
    side_effects: str
    version: str
    """Of AdmissionReview; empty where it takes none that we know."""
    reinvoked: bool

    def form(self, write: Write) -> Kind | None:
        """In the form of which row the webhook is to see the write; None where it is not to. Raises Forbidden."""
        row = self.matching.form(write)
        if row is None or not self.conditions:
            return row
        try:
            return row if self.conditions.hold(expressions.variables(write, row), Budget()) else None
        except cel.CelError as error:
            if self.ignores_failure:
                return None
            raise forbidden(write.attributes, str(error)) from error

    async def ask(self, write: Write, row: Kind, *, mutating: bool) -> Answer:
        """The answer of a webhook that lets the write pass. Raises Unanswered, and ApiError where it does not."""
        a = write.attributes
        if a.dry_run and self.side_effects not in _NO_SIDE_EFFECTS:
            raise errors.BadRequest(f'admission webhook "{self.name}" does not support dry run')
        uid = write.world.entropy.uid()
        body = review.question(write, row, uid, self.version)
        try:
            said = await write.world.calls.post(self.client, body, self.timeout_seconds)
        except NoAnswer as error:
            raise Unanswered(f"failed to call webhook: {error}") from error
        try:
            answer = review.answer(said, uid, self.version, mutating=mutating)
        except BadAnswer as error:
            raise Unanswered(f"received invalid webhook response: {error}") from error
        a.annotations.update({f"{self.name}/{key}": value for key, value in answer.annotations.items()})
        for text in answer.warnings:
            a.warn(text)
        if not answer.allowed:
            raise review.refusal(self.name, answer.result)
        return answer

    def failed(self, error: Unanswered) -> errors.InternalError:
        return errors.InternalError(f'Internal error occurred: failed calling webhook "{self.name}": {error}')


def compiled(configurations: Sequence[Obj]) -> Sequence[Webhook]:
    """The webhooks in the order of their configurations' names."""
    return [
        _webhook(configuration, index, told)
        for configuration in configurations
        for index, told in enumerate(configuration.get("webhooks") or ())
    ]


def _webhook(configuration: Obj, index: int, told: Obj) -> Webhook:
    found = matching.of(told)
    assert found is not None
    known = [version for version in told.get("admissionReviewVersions") or () if version in review.VERSIONS]
    return Webhook(
        uid=f"{objects.uid(configuration)}/{index}", name=told["name"], matching=found,
        conditions=Conditions(told.get("matchConditions"), WEBHOOK), client=told["clientConfig"],
        timeout_seconds=told.get("timeoutSeconds") or 10, ignores_failure=told.get("failurePolicy") == "Ignore",
        side_effects=told.get("sideEffects") or "Unknown", version=known[0] if known else "",
        reinvoked=told.get("reinvocationPolicy") == "IfNeeded",
    )  # fmt: skip
