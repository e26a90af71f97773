"""Jobs and CronJobs (pkg/apis/batch: defaults, strategy, validation)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pybernetes.kinds import cron
from pybernetes.kinds.kind import Strategy
from pybernetes.kinds.strategy import check, fill, jobpolicies, workload
from pybernetes.kinds.strategy.check import Errors
from pybernetes.kinds.strategy.podspec import defaults
from pybernetes.kinds.strategy.podspec import spec as podspec
from pybernetes.meta import errors, names, selectors
from pybernetes.meta.objects import Obj, name, uid

CONTROLLER_UID: Final = "batch.kubernetes.io/controller-uid"
JOB_NAME: Final = "batch.kubernetes.io/job-name"
_MODES: Final = ("Indexed", "NonIndexed")
_COUNTS: Final = (
    "parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished",
    "backoffLimitPerIndex", "maxFailedIndexes",
)  # fmt: skip
_NEVER_CHANGE: Final = (
    "selector",
    "completionMode",
    "podFailurePolicy",
    "backoffLimitPerIndex",
    "managedBy",
    "successPolicy",
)
_SUSPENDED_FREE: Final = ("nodeSelector", "tolerations", "affinity", "schedulingGates")
"""What a suspended Job that never started may still change in its pods (batch validation: scheduling directives)."""


def default(obj: Obj) -> None:
    """SetDefaults_Job."""
    spec = fill.child(obj, "spec")
    defaults.template(fill.child(spec, "template"))
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    per_index = spec.get("backoffLimitPerIndex") is not None
    fill.all_absent(
        spec,
        parallelism=1,
        backoffLimit=check.INT32_MAX if per_index else 6,
        completionMode="NonIndexed",
        suspend=False,
        manualSelector=False,
        podReplacementPolicy="Failed" if spec.get("podFailurePolicy") else "TerminatingOrFailed",
    )
    if labels := spec["template"]["metadata"].get("labels"):
        fill.zero(fill.child(obj, "metadata"), "labels", dict(labels))
    for rule in (spec.get("podFailurePolicy") or {}).get("rules") or ():
        for pattern in rule.get("onPodConditions") or ():
            fill.zero(pattern, "status", "True")


def prepare_create(obj: Obj) -> None:
    """Give the Job a selector of its own, by its UID, unless it brings one (``manualSelector``).

    ``metadata.name`` and ``metadata.uid`` are set by the registry before.
    """
    if obj["spec"].get("manualSelector"):
        return
    labels = fill.child(obj["spec"]["template"]["metadata"], "labels")
    marks = {CONTROLLER_UID: uid(obj), JOB_NAME: name(obj), "controller-uid": uid(obj), "job-name": name(obj)}
    for key, value in marks.items():
        fill.absent(labels, key, value)
    selector = fill.child(obj["spec"], "selector")
    fill.absent(fill.child(selector, "matchLabels"), CONTROLLER_UID, uid(obj))


@check.listed
def validate(obj: Obj) -> Errors:
    spec = obj["spec"]
    yield from job_spec(spec, "spec")
    if spec.get("selector") is None:
        yield errors.required("spec.selector")
        return
    bad = list(check.label_selector(spec["selector"], "spec.selector"))
    yield from bad
    labels = spec["template"]["metadata"].get("labels") or {}
    if not bad and not selectors.from_label_selector(spec["selector"]).matches(labels):
        yield errors.invalid("spec.template.metadata.labels", labels, workload.MISMATCH)


def job_spec(spec: Obj, path: str) -> Errors:
    """What Jobs and the templates of CronJobs have in common."""
    for key in _COUNTS:
        yield from check.non_negative(spec.get(key), f"{path}.{key}")
    yield from check.one_of(spec.get("completionMode"), f"{path}.completionMode", _MODES, required=False)
    if spec.get("completionMode") == "Indexed" and spec.get("completions") is None:
        yield errors.required(f"{path}.completions", "when completion mode is Indexed")
    yield from jobpolicies.judge(spec, path)
    yield from podspec.template(spec.get("template"), f"{path}.template")
    yield from _restart_policy(spec, f"{path}.template.spec.restartPolicy")


def _restart_policy(spec: Obj, path: str) -> Errors:
    policy = spec["template"]["spec"].get("restartPolicy")
    if policy == "Always":
        yield errors.required(path, 'valid values: "OnFailure", "Never"')
    elif policy != "Never" and spec.get("podFailurePolicy"):
        text = 'only "Never" is supported when podFailurePolicy is specified'
        yield errors.invalid(path, policy, text)


@check.listed
def validate_update(new: Obj, old: Obj) -> Errors:
    fresh, former = new["spec"], old["spec"]
    for key in _NEVER_CHANGE:
        yield from check.immutable(fresh.get(key), former.get(key), f"spec.{key}")
    if fresh.get("completionMode") != "Indexed" or fresh.get("completions") != fresh.get("parallelism"):
        yield from check.immutable(fresh.get("completions"), former.get("completions"), "spec.completions")
    yield from check.immutable(_fixed(fresh["template"], old), _fixed(former["template"], old), "spec.template")


def _fixed(template: Obj, old: Obj) -> Obj:
    """The part of a template that may not change any more."""
    if not old["spec"].get("suspend") or (old.get("status") or {}).get("startTime"):
        return template
    pod = {key: value for key, value in template["spec"].items() if key not in _SUSPENDED_FREE}
    meta = {k: v for k, v in (template.get("metadata") or {}).items() if k not in ("labels", "annotations")}
    return {"metadata": meta, "spec": pod}


STRATEGY: Final = Strategy(
    default=default,
    prepare_create=prepare_create,
    validate=validate,
    validate_update=validate_update,
    validate_status_update=workload.status_counts,
    warnings=workload.template_warnings,
    default_propagation="Orphan",
)

# ── cron jobs ────────────────────────────────────────────────────────────────────────────────────────────

_CRON_NAME_MAX: Final = 52
"""A Job's name is the CronJob's with 11 more characters, and a pod's label value has at most 63."""
_CONCURRENCY: Final = ("Allow", "Forbid", "Replace")


def default_cron(obj: Obj) -> None:
    spec = fill.child(obj, "spec")
    fill.zero(spec, "concurrencyPolicy", "Allow")
    fill.all_absent(spec, suspend=False, successfulJobsHistoryLimit=3, failedJobsHistoryLimit=1)
    template = fill.child(spec, "jobTemplate")
    fill.absent(template, "metadata", {})
    defaults.template(fill.child(fill.child(template, "spec"), "template"))


def validate_cron_name(value: str, is_prefix: bool) -> Sequence[str]:
    found = list(names.dns1123_subdomain(value, is_prefix=is_prefix))
    if not is_prefix and len(value) > _CRON_NAME_MAX:
        found.append(f"must be no more than {_CRON_NAME_MAX} characters")
    return found


@check.listed
def validate_cron(obj: Obj) -> Errors:
    spec = obj["spec"]
    yield from _schedule(spec.get("schedule") or "", "spec.schedule")
    yield from check.one_of(spec.get("concurrencyPolicy"), "spec.concurrencyPolicy", _CONCURRENCY)
    for key in ("startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        yield from check.non_negative(spec.get(key), f"spec.{key}")
    if spec.get("timeZone") == "":
        yield errors.invalid("spec.timeZone", "", "timeZone must be nil or non-empty string")
    template = spec["jobTemplate"].get("spec") or {}
    yield from job_spec(template, "spec.jobTemplate.spec")
    if template.get("manualSelector"):
        path = "spec.jobTemplate.spec.manualSelector"
        yield errors.not_supported(path, True, ("nil", "false"))


def _schedule(text: str, path: str) -> Errors:
    if not text:
        yield errors.required(path)
        return
    try:
        schedule = cron.parse(text)
    except ValueError as why:
        yield errors.invalid(path, text, str(why))
        return
    if schedule.time_zone:
        known = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        yield errors.invalid(path, text, known)


def cron_warnings(obj: Obj, old: Obj | None) -> Sequence[str]:
    before = old["spec"]["jobTemplate"].get("spec") if old else None
    template = (obj.get("spec") or {}).get("jobTemplate") or {}
    return workload.template_warnings({"spec": template.get("spec") or {}}, {"spec": before} if before else None)


CRON: Final = Strategy(
    default=default_cron,
    validate_name=validate_cron_name,
    validate=validate_cron,
    warnings=cron_warnings,
)
