"""What an admission plugin is: a row that says what it cares about, and one or two functions.

Neighbours: ``table.py`` has the rows in their order and runs them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from pybernetes.kinds.table import KindTable
from pybernetes.lib.clock import Clock
from pybernetes.lib.entropy import Entropy
from pybernetes.meta.objects import Obj
from pybernetes.meta.schema import Schemas
from pybernetes.server.admission.attributes import Attributes
from pybernetes.server.admission.dynamic import policies, webhooks
from pybernetes.server.admission.dynamic.calls import Calls
from pybernetes.server.admission.dynamic.policies import Binding, Mutation, Policy, Validation
from pybernetes.server.admission.dynamic.webhooks import Webhook
from pybernetes.server.admission.quotaledger import Ledger
from pybernetes.server.authz.authorizer import Authorizer
from pybernetes.server.compiled import Compiled, by_namespace
from pybernetes.server.live import Live

_DYNAMIC: Final = "admissionregistration.k8s.io"


@dataclass(slots=True)
class World:
    """What plugins may look at."""

    live: Live
    clock: Clock
    entropy: Entropy
    authorizer: Authorizer
    kinds: KindTable
    schemas: Schemas
    limit_ranges: Compiled[dict[str, list[Obj]]] = field(init=False)
    """By namespace."""
    quotas: Compiled[dict[str, list[Obj]]] = field(init=False)
    """By namespace."""
    ledger: Ledger = field(init=False)
    mutating_webhooks: Compiled[Sequence[Webhook]] = field(init=False)
    validating_webhooks: Compiled[Sequence[Webhook]] = field(init=False)
    mutating_policies: Compiled[Sequence[Policy[Mutation]]] = field(init=False)
    mutating_bindings: Compiled[dict[str, list[Binding]]] = field(init=False)
    """By policy."""
    validating_policies: Compiled[Sequence[Policy[Validation]]] = field(init=False)
    validating_bindings: Compiled[dict[str, list[Binding]]] = field(init=False)
    """By policy."""
    calls: Calls = field(init=False)

    def __post_init__(self) -> None:
        cache = self.live.cache
        self.limit_ranges = Compiled(cache, "", "limitranges", by_namespace)
        self.quotas = Compiled(cache, "", "resourcequotas", self._quotas)
        self.ledger = Ledger(cache, self.clock)
        self.mutating_webhooks = Compiled(cache, _DYNAMIC, "mutatingwebhookconfigurations", webhooks.compiled)
        self.validating_webhooks = Compiled(cache, _DYNAMIC, "validatingwebhookconfigurations", webhooks.compiled)
        self.mutating_policies = Compiled(cache, _DYNAMIC, "mutatingadmissionpolicies", policies.mutating)
        self.mutating_bindings = Compiled(cache, _DYNAMIC, "mutatingadmissionpolicybindings", policies.bindings)
        self.validating_policies = Compiled(cache, _DYNAMIC, "validatingadmissionpolicies", policies.validating)
        self.validating_bindings = Compiled(cache, _DYNAMIC, "validatingadmissionpolicybindings", policies.bindings)
        self.calls = Calls(self.live, self.clock)

    def _quotas(self, found: Sequence[Obj]) -> dict[str, list[Obj]]:
        self.ledger.settle(found)
        return by_namespace(found)


Judge: TypeAlias = Callable[[World, Attributes], Awaitable[None]]
"""Returns where it has nothing against the write; raises ApiError otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """``resources`` and ``subresources`` None: all of them. The object itself is the subresource ``""``."""

    name: str
    verbs: tuple[str, ...]
    resources: tuple[str, ...] | None = None
    subresources: tuple[str, ...] | None = ("",)
    admit: Judge | None = None
    validate: Judge | None = None

    def cares(self, resource: str, subresource: str, verb: str) -> bool:
        return (
            verb in self.verbs
            and (self.resources is None or resource in self.resources)
            and (self.subresources is None or subresource in self.subresources)
        )
