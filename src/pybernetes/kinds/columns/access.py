"""Roles and bindings, and the kinds by which the API is extended and guarded."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.columns import cell
from pybernetes.kinds.kind import Column
from pybernetes.meta import objects
from pybernetes.meta.objects import Obj

ROLES: Final = (cell.NAME, cell.CREATED_AT)


def _role(binding: Obj) -> str:
    ref = binding.get("roleRef") or {}
    return f"{ref.get('kind', '')}/{ref.get('name', '')}"


def _subjects(name: str, kind: str) -> Column:
    def value(binding: Obj) -> str:
        found = [s for s in binding.get("subjects") or () if s.get("kind") == kind]
        return ", ".join(f"{s['namespace']}/{s['name']}" if s.get("namespace") else s.get("name", "") for s in found)

    return cell.computed(name, value, priority=1)


BINDINGS: Final = (
    cell.NAME,
    cell.computed("Role", _role),
    cell.AGE,
    _subjects("Users", "User"),
    _subjects("Groups", "Group"),
    _subjects("ServiceAccounts", "ServiceAccount"),
)

# ── extension ────────────────────────────────────────────────────────────────────────────────────────────

WEBHOOKS: Final = (
    cell.NAME,
    cell.computed("Webhooks", lambda obj: len(obj.get("webhooks") or ()), "integer"),
    cell.AGE,
)


def _param_kind(policy: Obj) -> str:
    kind = objects.get(policy, "spec", "paramKind")
    return f"{kind.get('apiVersion', '')}/{kind.get('kind', '')}" if kind else cell.UNSET


def _param_ref(binding: Obj) -> str:
    ref = objects.get(binding, "spec", "paramRef")
    if not ref:
        return cell.UNSET
    name = ref.get("name") or "*"
    return f"{ref['namespace']}/{name}" if ref.get("namespace") else name


def _policies(name: str, key: str) -> tuple[Column, ...]:
    counted = cell.computed(name, lambda obj: len(objects.get(obj, "spec", key, default=[])), "integer")
    return (cell.NAME, counted, cell.computed("ParamKind", _param_kind), cell.AGE)


VALIDATING_POLICIES: Final = _policies("Validations", "validations")
MUTATING_POLICIES: Final = _policies("Mutations", "mutations")
POLICY_BINDINGS: Final = (
    cell.NAME,
    cell.text("PolicyName", "spec", "policyName"),
    cell.computed("ParamRef", _param_ref),
    cell.AGE,
)
CUSTOM_RESOURCE_DEFINITIONS: Final = (cell.NAME, cell.CREATED_AT)


def _api_service(obj: Obj) -> str:
    service = objects.get(obj, "spec", "service")
    return f"{service.get('namespace', '')}/{service.get('name', '')}" if service else "Local"


def _available(obj: Obj) -> str:
    condition = objects.condition(obj, "Available")
    if condition is None:
        return "Unknown"
    status = str(condition.get("status", ""))
    return status if status == "True" else f"{status} ({condition.get('reason', '')})"


API_SERVICES: Final = (
    cell.NAME,
    cell.computed("Service", _api_service),
    cell.computed("Available", _available),
    cell.AGE,
)


def _missing_level(schema: Obj) -> str:
    condition = objects.condition(schema, "Dangling")
    return str(condition.get("status", "?")) if condition else "?"


FLOW_SCHEMAS: Final = (
    cell.NAME,
    cell.text("PriorityLevel", "spec", "priorityLevelConfiguration", "name", default=cell.NONE),
    cell.computed("MatchingPrecedence", lambda obj: objects.get(obj, "spec", "matchingPrecedence", default=0)),
    cell.text("DistinguisherMethod", "spec", "distinguisherMethod", "type", default=cell.NONE),
    cell.AGE,
    cell.computed("MissingPL", _missing_level),
)


def _queuing(name: str, key: str) -> Column:
    return cell.text(name, "spec", "limited", "limitResponse", "queuing", key, default=cell.NONE)


def _shares(level: Obj) -> object:
    kind = "limited" if objects.get(level, "spec", "type") == "Limited" else "exempt"
    return objects.get(level, "spec", kind, "nominalConcurrencyShares", default=cell.NONE)


PRIORITY_LEVELS: Final = (
    cell.NAME,
    cell.text("Type", "spec", "type"),
    cell.computed("NominalConcurrencyShares", _shares),
    _queuing("Queues", "queues"),
    _queuing("HandSize", "handSize"),
    _queuing("QueueLengthLimit", "queueLengthLimit"),
    cell.AGE,
)

# ── devices ──────────────────────────────────────────────────────────────────────────────────────────────


def _claim_state(claim: Obj) -> str:
    """The words that apply, in upstream's order."""
    words = []
    if objects.is_deleting(claim):
        words.append("deleted")
    if objects.get(claim, "status", "allocation") is None:
        if not objects.is_deleting(claim):
            words.append("pending")
    else:
        words.append("allocated")
    if objects.get(claim, "status", "reservedFor"):
        words.append("reserved")
    return ",".join(words)


RESOURCE_CLAIMS: Final = (cell.NAME, cell.computed("State", _claim_state), cell.AGE)
RESOURCE_SLICES: Final = (
    cell.NAME,
    cell.text("Node", "spec", "nodeName", default=cell.UNSET),
    cell.text("Driver", "spec", "driver"),
    cell.text("Pool", "spec", "pool", "name"),
    cell.AGE,
)
