"""The kinds by which the API is extended and guarded: APIServices, webhooks, flow control.

Neighbours: ``definition.py`` has CustomResourceDefinitions, ``policies.py`` admission policies.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pybernetes.kinds.kind import Strategy
from pybernetes.kinds.strategy import check, expressions, fill
from pybernetes.kinds.strategy.check import Errors
from pybernetes.meta import errors, names
from pybernetes.meta.objects import Obj, name

# ── api services ─────────────────────────────────────────────────────────────────────────────────────────


def _segment(value: str, is_prefix: bool) -> Sequence[str]:
    return names.path_segment(value)


def default_api_service(obj: Obj) -> None:
    service = (obj.get("spec") or {}).get("service")
    if service is not None:
        fill.absent(service, "port", 443)


@check.listed
def validate_api_service(obj: Obj) -> Errors:
    spec = obj.get("spec") or {}
    version, group = spec.get("version") or "", spec.get("group") or ""
    if name(obj) != f"{version}.{group}":
        yield errors.invalid("metadata.name", name(obj), f'must be `spec.version+"."+spec.group`: {version}.{group}')
    yield from check.required_name(version, "spec.version", names.dns1035_label)
    for key, most in (("groupPriorityMinimum", 20000), ("versionPriority", 1000)):
        value = spec.get(key) or 0
        if not 0 < value <= most:
            yield errors.invalid(f"spec.{key}", value, f"must be positive and less than {most}")
    service = spec.get("service")
    if service is None and spec.get("caBundle"):
        text = "local APIServices may not have a caBundle"
        yield errors.invalid("spec.caBundle", f"{len(spec['caBundle'])} bytes", text)
    for key in ("namespace", "name"):
        if service is not None and not service.get(key):
            yield errors.required(f"spec.service.{key}")


API_SERVICE: Final = Strategy(
    default=default_api_service,
    validate_name=_segment,
    validate=validate_api_service,
    has_generation=False,
    unconditional_update=False,
)

# ── webhooks ─────────────────────────────────────────────────────────────────────────────────────────────

_SIDE_EFFECTS: Final = ("None", "NoneOnDryRun")
_TIMEOUT_MAX: Final = 30


def _match_rules(rules: Sequence[Obj] | None) -> None:
    for rule in rules or ():
        fill.absent(rule, "scope", "*")


def default_webhooks(obj: Obj) -> None:
    for webhook in obj.get("webhooks") or ():
        fill.all_absent(webhook, failurePolicy="Fail", matchPolicy="Equivalent", timeoutSeconds=10)
        fill.all_absent(webhook, namespaceSelector={}, objectSelector={})
        if obj.get("kind") == "MutatingWebhookConfiguration":
            fill.absent(webhook, "reinvocationPolicy", "Never")
        if service := (webhook.get("clientConfig") or {}).get("service"):
            fill.absent(service, "port", 443)
        _match_rules(webhook.get("rules"))


@check.listed
def validate_webhooks(obj: Obj) -> Errors:
    pairs = [(w.get("name"), f"{at}.name") for w, at in check.each(obj.get("webhooks"), "webhooks")]
    yield from check.unique(pairs)
    for webhook, at in check.each(obj.get("webhooks"), "webhooks"):
        yield from _webhook(webhook, at)


def _webhook(webhook: Obj, path: str) -> Errors:
    yield from check.required_name(webhook.get("name") or "", f"{path}.name", names.dns1123_subdomain)
    if not webhook.get("admissionReviewVersions"):
        yield errors.required(f"{path}.admissionReviewVersions", "must specify one of v1, v1beta1")
    if webhook.get("sideEffects") is None:
        yield errors.required(f"{path}.sideEffects", "must specify one of None, NoneOnDryRun")
    else:
        yield from check.one_of(webhook["sideEffects"], f"{path}.sideEffects", _SIDE_EFFECTS)
    yield from check.one_of(webhook.get("failurePolicy"), f"{path}.failurePolicy", ("Fail", "Ignore"))
    yield from check.one_of(webhook.get("matchPolicy"), f"{path}.matchPolicy", ("Equivalent", "Exact"))
    if not 1 <= webhook.get("timeoutSeconds", 0) <= _TIMEOUT_MAX:
        text = "the timeout value must be between 1 and 30 seconds"
        yield errors.invalid(f"{path}.timeoutSeconds", webhook.get("timeoutSeconds"), text)
    for key in ("namespaceSelector", "objectSelector"):
        yield from check.label_selector(webhook.get(key), f"{path}.{key}")
    yield from _client(webhook.get("clientConfig") or {}, f"{path}.clientConfig")
    for rule, at in check.each(webhook.get("rules"), f"{path}.rules"):
        yield from _rule(rule, at)
    yield from expressions.conditions(webhook.get("matchConditions"), f"{path}.matchConditions", expressions.WEBHOOK)


def _client(config: Obj, path: str) -> Errors:
    if (config.get("url") is None) == (config.get("service") is None):
        yield errors.required(path, "exactly one of url or service is required")
    elif (service := config.get("service")) is not None:
        for key in ("name", "namespace"):
            if not service.get(key):
                yield errors.required(f"{path}.service.{key}", f"service {key} is required")
    elif not config["url"].startswith("https://"):
        yield errors.invalid(f"{path}.url", config["url"], "'https' is the only allowed URL scheme")


def _rule(rule: Obj, path: str) -> Iterator[errors.FieldError]:
    for key in ("operations", "apiGroups", "apiVersions", "resources"):
        if not rule.get(key):
            yield errors.required(f"{path}.{key}")


WEBHOOKS: Final = Strategy(default=default_webhooks, validate=validate_webhooks, unconditional_update=False)

# ── flow control ─────────────────────────────────────────────────────────────────────────────────────────


def default_flow(obj: Obj) -> None:
    fill.zero(fill.child(obj, "spec"), "matchingPrecedence", 1000)


def default_level(obj: Obj) -> None:
    spec = fill.child(obj, "spec")
    if spec.get("type") == "Exempt":
        fill.all_absent(fill.child(spec, "exempt"), nominalConcurrencyShares=0, lendablePercent=0)
    elif (limited := spec.get("limited")) is not None:
        fill.all_absent(limited, nominalConcurrencyShares=30, lendablePercent=0)
        queuing = (limited.get("limitResponse") or {}).get("queuing")
        if queuing is not None:
            fill.all_zero(queuing, queues=64, handSize=8, queueLengthLimit=50)


FLOW: Final = Strategy(default=default_flow, unconditional_update=False)
LEVEL: Final = Strategy(default=default_level, unconditional_update=False)
