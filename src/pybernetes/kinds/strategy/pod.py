"""Pods: defaults, the birth status, what may change in a living one, and how it is deleted (registry/core/pod)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from pybernetes.kinds.kind import Strategy
from pybernetes.kinds.strategy import check, fill, podwarnings, qos
from pybernetes.kinds.strategy.check import Errors
from pybernetes.kinds.strategy.podspec import defaults, scheduling, spec
from pybernetes.meta import errors, names, objects
from pybernetes.meta.objects import Obj

MIRROR: Final = "kubernetes.io/config.mirror"
FINISHED: Final = ("Succeeded", "Failed")
_MAY_CHANGE: Final = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
_FREE: Final = ("activeDeadlineSeconds", "tolerations", "schedulingGates")


def default(pod: Obj) -> None:
    """SetDefaults_Pod and SetDefaults_PodSpec."""
    found = fill.child(pod, "spec")
    defaults.spec(found)
    defaults.pod_only(found)


def prepare_create(pod: Obj) -> None:
    """A new pod is Pending and of a class that its resources say."""
    pod["status"] = {"phase": "Pending", "qosClass": qos.qos_class(pod["spec"])}
    fill.drop(pod["spec"], "ephemeralContainers")
    if pod["spec"].get("schedulingGates"):
        pod["status"]["conditions"] = [{
            "type": "PodScheduled", "status": "False", "reason": "SchedulingGated",
            "message": "Scheduling is blocked due to non-empty scheduling gates",
        }]  # fmt: skip


@check.listed
def validate(pod: Obj) -> Errors:
    """ValidatePodCreate; the parts that templates have in common are in ``podspec``."""
    if objects.annotations(pod).get(MIRROR) and not pod["spec"].get("nodeName"):
        text = "must set spec.nodeName if mirror pod annotation is set"
        yield errors.invalid(f"metadata.annotations[{MIRROR}]", objects.annotations(pod)[MIRROR], text)
    yield from spec.validate(pod["spec"], "spec")
    for key in ("containers", "initContainers"):
        for container, at in check.each(pod["spec"].get(key), f"spec.{key}"):
            yield from _image_is_trimmed(container.get("image") or "", f"{at}.image")


def _image_is_trimmed(image: str, path: str) -> Errors:
    if image != image.strip():
        yield errors.invalid(path, image, "must not have leading or trailing whitespace")


# ── updates ──────────────────────────────────────────────────────────────────────────────────────────────


@check.listed
def validate_update(new: Obj, old: Obj) -> Errors:
    """ValidatePodUpdate: images, the deadline, more tolerations, fewer gates; nothing else."""
    yield from _mirror_stays(new, old)
    fresh, former = new["spec"], old["spec"]
    for key in ("containers", "initContainers"):
        if len(fresh.get(key) or ()) != len(former.get(key) or ()):
            yield errors.field_forbidden(f"spec.{key}", "pod updates may not add or remove containers")
            return
    yield from _deadline(fresh, former)
    yield from _tolerations(fresh.get("tolerations") or [], former.get("tolerations") or [])
    yield from _gates(fresh, former)
    if _comparable(fresh, former, former) != _comparable(former, former, former):
        yield errors.field_forbidden("spec", _MAY_CHANGE)


def _mirror_stays(new: Obj, old: Obj) -> Errors:
    before, after = objects.annotations(old).get(MIRROR), objects.annotations(new).get(MIRROR)
    if before != after:
        verb = "add" if before is None else "remove or update"
        yield errors.field_forbidden(f"metadata.annotations[{MIRROR}]", f"may not {verb} mirror pod annotation")


def _deadline(new: Obj, old: Obj) -> Errors:
    path, value, before = (
        "spec.activeDeadlineSeconds",
        new.get("activeDeadlineSeconds"),
        old.get("activeDeadlineSeconds"),
    )
    if value is None:
        if before is not None:
            yield errors.invalid(path, None, "must not update from a positive integer to nil value")
    elif not 0 <= value <= check.INT32_MAX:
        yield from check.between(value, path, 0, check.INT32_MAX)
    elif before is not None and before < value:
        yield errors.invalid(path, value, "must be less than or equal to previous value")


def _tolerations(new: Sequence[Obj], old: Sequence[Obj]) -> Errors:
    kept = [_without_seconds(t) for t in new]
    if any(_without_seconds(t) not in kept for t in old):
        text = "existing toleration can not be modified except its tolerationSeconds"
        yield errors.field_forbidden("spec.tolerations", text)
    else:
        yield from scheduling.tolerations(new, "spec.tolerations")


def _without_seconds(toleration: Obj) -> Obj:
    return {key: value for key, value in toleration.items() if key != "tolerationSeconds" and value}


def _gates(new: Obj, old: Obj) -> Errors:
    before = {gate.get("name") for gate in old.get("schedulingGates") or ()}
    for gate, at in check.each(new.get("schedulingGates"), "spec.schedulingGates"):
        if gate.get("name") not in before:
            yield errors.field_forbidden(
                at, f"only deletion is allowed, but found new scheduling gate '{gate.get('name')}'"
            )


def _comparable(value: Obj, images: Obj, former: Obj) -> Obj:
    """A spec without what may change: empty values left out, images those of the old pod."""
    out = {k: v for k, v in value.items() if k not in _FREE and v not in (None, "", False, {}, [])}
    for key in ("containers", "initContainers"):
        if key in out:
            out[key] = [
                {**container, "image": before.get("image")}
                for container, before in zip(out[key], images[key], strict=True)
            ]
    if (former.get("terminationGracePeriodSeconds") or 0) < 0 and out.get("terminationGracePeriodSeconds") == 1:
        out["terminationGracePeriodSeconds"] = former["terminationGracePeriodSeconds"]
    return out


@check.listed
def validate_status_update(new: Obj, old: Obj) -> Errors:
    """ValidatePodStatusUpdate: a container that ended for good stays ended."""
    if new["spec"].get("nodeName") != old["spec"].get("nodeName"):
        yield errors.field_forbidden("status.nodeName", "may not be changed directly")
    after, before = new.get("status") or {}, old.get("status") or {}
    nominated = after.get("nominatedNodeName")
    if nominated and nominated != before.get("nominatedNodeName"):
        yield from check.complaints("status.nominatedNodeName", nominated, names.dns1123_subdomain(nominated))
    for key in ("containerStatuses", "initContainerStatuses"):
        yield from _transitions(after.get(key) or [], before.get(key) or [], old["spec"], f"status.{key}")


def _transitions(new: Sequence[Obj], old: Sequence[Obj], pod_spec: Obj, path: str) -> Errors:
    policy = pod_spec.get("restartPolicy")
    if policy == "Always":
        return
    restarting = {
        c["name"] for key in ("containers", "initContainers") for c in pod_spec.get(key) or () if c.get("restartPolicy")
    }
    states: Mapping[str, Obj] = {s.get("name", ""): s.get("state") or {} for s in new}
    for status, at in check.each(old, path):
        ended = (status.get("state") or {}).get("terminated")
        if ended is None or status.get("name") in restarting:
            continue
        if ended.get("exitCode") and policy == "OnFailure":
            continue
        if status.get("name") in states and not states[status["name"]].get("terminated"):
            yield errors.field_forbidden(f"{at}.state", "may not be transitioned to non-terminated state")


# ── deletion ─────────────────────────────────────────────────────────────────────────────────────────────


def graceful(pod: Obj, asked_seconds: int | None) -> int | None:
    """Seconds of grace (podStrategy.CheckGracefulDelete): none for pods that run nowhere or have ended."""
    if not pod["spec"].get("nodeName") or (pod.get("status") or {}).get("phase") in FINISHED:
        return 0
    seconds = pod["spec"].get("terminationGracePeriodSeconds") if asked_seconds is None else asked_seconds
    return 1 if (seconds or 0) < 0 else seconds or 0


STRATEGY: Final = Strategy(
    default=default,
    prepare_create=prepare_create,
    validate=validate,
    validate_update=validate_update,
    validate_status_update=validate_status_update,
    warnings=podwarnings.pod,
    graceful=graceful,
)
