"""StatefulSets (pkg/apis/apps/validation.ValidateStatefulSet)."""

from __future__ import annotations

from typing import Final

from pybernetes.kinds.kind import Strategy
from pybernetes.kinds.strategy import check, fill, persistentvolumeclaim, workload
from pybernetes.kinds.strategy.check import Errors
from pybernetes.kinds.strategy.podspec import defaults
from pybernetes.meta import errors
from pybernetes.meta.objects import Obj

_MAY_CHANGE: Final = (
    "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
)  # fmt: skip
_POLICIES: Final = ("OrderedReady", "Parallel")
_RETENTION: Final = ("Delete", "Retain")
_WHEN: Final = ("whenDeleted", "whenScaled")


def default(obj: Obj) -> None:
    spec = fill.child(obj, "spec")
    defaults.template(fill.child(spec, "template"))
    fill.zero(spec, "podManagementPolicy", "OrderedReady")
    fill.all_absent(spec, replicas=1, revisionHistoryLimit=10)
    strategy = fill.child(spec, "updateStrategy")
    fill.zero(strategy, "type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        fill.absent(fill.child(strategy, "rollingUpdate"), "partition", 0)
    fill.all_zero(fill.child(spec, "persistentVolumeClaimRetentionPolicy"), whenDeleted="Retain", whenScaled="Retain")
    for claim in spec.get("volumeClaimTemplates") or ():
        fill.all_zero(claim, apiVersion="v1", kind="PersistentVolumeClaim")
        persistentvolumeclaim.default(claim)
        fill.zero(fill.child(claim, "status"), "phase", "Pending")


@check.listed
def validate(obj: Obj) -> Errors:
    spec = obj["spec"]
    yield from workload.counts(spec)
    policy = spec.get("podManagementPolicy")
    if policy not in _POLICIES:
        yield errors.invalid("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'")
    yield from _strategy(spec.get("updateStrategy") or {}, "spec.updateStrategy")
    for key in _WHEN:
        at = f"spec.persistentVolumeClaimRetentionPolicy.{key}"
        yield from check.one_of(spec["persistentVolumeClaimRetentionPolicy"].get(key), at, _RETENTION)
    yield from check.non_negative((spec.get("ordinals") or {}).get("start"), "spec.ordinals.start")
    yield from workload.selector(spec, "statefulset")
    yield from workload.template(_with_claims(spec), "StatefulSet")


def _with_claims(spec: Obj) -> Obj:
    """The spec with a volume per claim template: mounts may name them."""
    claims = [(claim.get("metadata") or {}).get("name", "") for claim in spec.get("volumeClaimTemplates") or ()]
    if not claims:
        return spec
    pod = spec["template"]["spec"]
    own = [volume for volume in pod.get("volumes") or () if volume.get("name") not in claims]
    volumes = [*own, *({"name": name, "persistentVolumeClaim": {"claimName": name}} for name in claims)]
    return {**spec, "template": {**spec["template"], "spec": {**pod, "volumes": volumes}}}


def _strategy(strategy: Obj, path: str) -> Errors:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate") or {}
    if kind == "OnDelete":
        if rolling:
            text = "only allowed for updateStrategy 'RollingUpdate'"
            yield errors.invalid(f"{path}.rollingUpdate", rolling, text)
    elif kind == "RollingUpdate":
        yield from check.non_negative(rolling.get("partition"), f"{path}.rollingUpdate.partition")
        unavailable = rolling.get("maxUnavailable")
        yield from workload.amount(unavailable, f"{path}.rollingUpdate.maxUnavailable")
        if unavailable is not None and workload.is_zero(unavailable):
            yield errors.invalid(f"{path}.rollingUpdate.maxUnavailable", unavailable, "cannot be 0")
    else:
        yield errors.invalid(path, strategy, "must be 'RollingUpdate' or 'OnDelete'")


@check.listed
def validate_update(new: Obj, old: Obj) -> Errors:
    fresh = {key: value for key, value in new["spec"].items() if key not in _MAY_CHANGE}
    former = {key: value for key, value in old["spec"].items() if key not in _MAY_CHANGE}
    if fresh != former:
        listed = ", ".join(f"'{key}'" for key in _MAY_CHANGE[:-1])
        text = f"updates to statefulset spec for fields other than {listed} and 'minReadySeconds' are forbidden"
        yield errors.field_forbidden("spec", text)


STRATEGY: Final = Strategy(
    default=default,
    validate=validate,
    validate_update=validate_update,
    validate_status_update=workload.status_counts,
    warnings=workload.template_warnings,
)
