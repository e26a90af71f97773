"""``pods/eviction``: a deletion that a disruption budget may refuse (registry/core/pod/storage.EvictionREST).

Rule 1: a pod that has not begun, has ended or is being deleted disturbs nobody and goes at once.
Rule 2: of the one budget that selects it a pod takes one disruption, noted in ``status.disruptedPods`` until the
        disruption controller has seen the pod go; a pod that is not ready may go beside the budget (KEP-3017).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from pybernetes.meta import errors, objects, selectors
from pybernetes.meta.objects import Obj
from pybernetes.server.context import Response
from pybernetes.server.registry import decode, deleteoptions, deletion, doors, encode, read, update
from pybernetes.server.registry.call import Call
from pybernetes.storage import codec
from pybernetes.storage.port import Record

_DEFINITION: Final = "io.k8s.api.policy.v1.Eviction"
_VIOLATED: Final = "Cannot evict pod as it would violate the pod's disruption budget."
_UNDISTURBED: Final = ("Pending", "Succeeded", "Failed")
_RETRY_SECONDS: Final = 10
_NOTED_MAX: Final = 2000


async def evict(call: Call) -> Response:
    """POST to ``pods/<name>/eviction``."""
    eviction = decode.sub_body(call, "policy/v1", "Eviction", _DEFINITION)
    name = (eviction.get("metadata") or {}).get("name") or call.name
    if name != call.name:
        raise errors.BadRequest("name in URL does not match name in Eviction object")
    options = deleteoptions.made(eviction.get("deleteOptions") or {})
    call.dry_run = call.dry_run or bool(options.raw.get("dryRun"))
    attributes = call.attributes("create", eviction, None)
    await call.context.admission.admit(attributes)
    await call.context.admission.validate(attributes)
    await _ask_budget(call)
    await _note_reason(call, options.uid)
    await deletion.remove(call, options)
    return encode.plain(call, encode.success(code=201), 201)


async def _ask_budget(call: Call) -> None:
    """Raises TooManyRequests where the pod has to stay for now."""
    pod = call.context.decoded.record(read.record_of(call))
    if objects.is_deleting(pod) or objects.get(pod, "status", "phase") in _UNDISTURBED:
        return
    budgets = [budget for budget in _budgets(call) if _selects(budget, pod)]
    if len(budgets) > 1:
        raise errors.InternalError(
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        )
    if budgets and not _is_beside(budgets[0], pod):
        await _take_disruption(call, objects.name(budgets[0]))


def _budgets(call: Call) -> list[Obj]:
    records, _ = call.context.cache.list(codec.prefix("policy", "poddisruptionbudgets", call.namespace))
    return [call.context.decoded.record(record) for record in records]


def _selects(budget: Obj, pod: Obj) -> bool:
    selector = objects.get(budget, "spec", "selector")
    return selectors.from_label_selector(selector).matches(objects.labels(pod))


def _is_beside(budget: Obj, pod: Obj) -> bool:
    """May this pod go without being counted, because it does not work anyway?"""
    if objects.condition_is(pod, "Ready"):
        return False
    if objects.get(budget, "spec", "unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget.get("status") or {}
    desired: int = status.get("desiredHealthy") or 0
    healthy: int = status.get("currentHealthy") or 0
    return 0 < desired <= healthy


async def _take_disruption(call: Call, name: str) -> None:
    row = call.context.kinds.by_path("policy", "v1", "poddisruptionbudgets")
    assert row is not None
    now = call.context.timestamp()

    def taken(record: Record) -> Obj:
        budget = codec.decode_record(record)
        status: Obj = budget.get("status") or {}
        _check(budget, status)
        status["disruptionsAllowed"] -= 1
        status["disruptedPods"] = {**(status.get("disruptedPods") or {}), call.name: now}
        budget["status"] = status
        return budget

    await update.modify(replace(call, kind=row, row=row, name=name, subresource="status"), taken, doors.STATUS)


async def _note_reason(call: Call, uid: str) -> None:
    """Write down at the pod that it goes because it was evicted; at the pod of this ``uid`` only, if one is given."""
    condition = {
        "type": "DisruptionTarget", "status": "True", "lastTransitionTime": call.context.timestamp(),
        "reason": "EvictionByEvictionAPI", "message": "Eviction API: evicting",
    }  # fmt: skip

    def noted(record: Record) -> Obj:
        pod = codec.decode_record(record)
        if not uid or uid == objects.uid(pod):
            status: Obj = pod.get("status") or {}
            others = [c for c in status.get("conditions") or () if c.get("type") != condition["type"]]
            pod["status"] = {**status, "conditions": [*others, condition]}
        return pod

    await update.modify(replace(call, subresource="status"), noted, doors.STATUS)


def _check(budget: Obj, status: Obj) -> None:
    """Raises TooManyRequests and Forbidden."""
    name = objects.name(budget)
    if (status.get("observedGeneration") or 0) < (budget["metadata"].get("generation") or 0):
        raise _refused(f"The disruption budget {name} is still being processed by the server.")
    if len(status.get("disruptedPods") or ()) > _NOTED_MAX:
        why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        raise errors.forbidden("policy", "poddisruptionbudgets", name, why)
    if (status.get("disruptionsAllowed") or 0) <= 0:
        desired, healthy = status.get("desiredHealthy") or 0, status.get("currentHealthy") or 0
        raise _refused(f"The disruption budget {name} needs {desired} healthy pods and has {healthy} currently")


def _refused(why: str) -> errors.TooManyRequests:
    cause = errors.Cause("DisruptionBudget", why)
    return errors.TooManyRequests(_VIOLATED, causes=[cause], retry_after_seconds=_RETRY_SECONDS)
