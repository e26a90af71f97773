"""Which container of a pod is meant, and what may be asked of its log. Pure.

The sentences are upstream's (registry/core/pod/strategy.go, ValidatePodLogOptions): kubectl shows them as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from pybernetes.meta import errors, objects, times
from pybernetes.meta.errors import FieldError
from pybernetes.meta.objects import Obj

_KINDS: Final = (
    ("containers", ", choose one of: [{}]"),
    ("initContainers", " or one of the init containers: [{}]"),
    ("ephemeralContainers", " or one of the ephemeral containers: [{}]"),
)
Query = Mapping[str, Sequence[str]]


def chosen(pod: Obj, asked: str) -> str:
    """The container that is meant; a pod with a single one need not be asked by its name. Raises BadRequest."""
    name = objects.name(pod)
    names = {kind: [c["name"] for c in objects.get(pod, "spec", kind, default=[])] for kind, _ in _KINDS}
    if not asked:
        if len(names["containers"]) == 1:
            return str(names["containers"][0])
        choice = "".join(text.format(" ".join(names[kind])) for kind, text in _KINDS if names[kind])
        raise errors.BadRequest(f"a container name must be specified for pod {name}{choice}")
    if not any(asked in listed for listed in names.values()):
        raise errors.BadRequest(f"container {asked} is not valid for pod {name}")
    return asked


def check_log_options(pod: str, query: Query) -> None:
    """Raises Invalid with every complaint, and BadRequest for what is no number or time at all."""
    wrong: list[FieldError] = []
    for name, least, text in (
        ("tailLines", 0, "must be greater than or equal to 0"),
        ("limitBytes", 1, "must be greater than 0"),
        ("sinceSeconds", 1, "must be greater than 0"),
    ):
        value = _number(query, name)
        if value is not None and value < least:
            wrong.append(errors.invalid(name, value, text))
    if _first(query, "sinceTime"):
        _time(query, "sinceTime")
        if _first(query, "sinceSeconds"):
            told = "at most one of `sinceTime` or `sinceSeconds` may be specified"
            wrong.append(errors.field_forbidden("", told))
    if wrong:
        raise errors.invalid_object("", "PodLogOptions", pod, wrong)


def _first(query: Query, name: str) -> str:
    values = query.get(name)
    return values[0] if values else ""


def _number(query: Query, name: str) -> int | None:
    text = _first(query, name)
    if not text:
        return None
    try:
        return int(text)
    except ValueError as error:
        raise errors.BadRequest(f'{name}: Invalid value: "{text}": must be a number') from error


def _time(query: Query, name: str) -> None:
    text = _first(query, name)
    try:
        times.parse(text)
    except ValueError as error:
        raise errors.BadRequest(f'{name}: Invalid value: "{text}": must be a time like 2026-01-31T09:05:03Z') from error
