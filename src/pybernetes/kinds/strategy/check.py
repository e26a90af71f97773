"""The small judgements that every kind's validation is made of, in upstream's words.

Rule: a judge is a generator of ``FieldError``s over plain values and the path under which a client wrote them;
``listed`` makes of such a generator the function that a ``Strategy`` wants.
Neighbours: ``meta/names.py`` judges names, ``meta/quantity.py`` numbers with units; the field paths and sentences
follow apimachinery/pkg/api/validation and pkg/apis/core/validation.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, ParamSpec, TypeAlias

from pybernetes.meta import errors, names, quantity
from pybernetes.meta.errors import FieldError
from pybernetes.meta.objects import Obj

Errors: TypeAlias = Iterator[FieldError]
Arguments = ParamSpec("Arguments")

IMMUTABLE: Final = "field is immutable"
NEGATIVE: Final = "must be greater than or equal to 0"
INT32_MAX: Final = 2**31 - 1
ANNOTATIONS_BYTES_MAX: Final = 256 * 1024
OBJECT_BYTES_MAX: Final = 1024 * 1024


def listed(judge: Callable[Arguments, Iterable[FieldError]]) -> Callable[Arguments, Sequence[FieldError]]:
    """Make a generator of errors a function that answers them as a list."""

    @functools.wraps(judge)
    def judged(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Sequence[FieldError]:
        return list(judge(*args, **kwargs))

    return judged


def each(items: Sequence[Any] | None, path: str) -> Iterator[tuple[Any, str]]:
    """Items with their paths: ``spec.ports[0]`` …"""
    return ((item, f"{path}[{i}]") for i, item in enumerate(items or ()))


def complaints(path: str, value: Any, texts: Iterable[str]) -> Errors:
    """``Invalid value`` with each complaint that ``meta/names`` has of a value."""
    return (errors.invalid(path, value, text) for text in texts)


def required_name(value: str, path: str, complain: Callable[[str], Sequence[str]]) -> Errors:
    """A name that must be there and pass ``complain``."""
    if value:
        yield from complaints(path, value, complain(value))
    else:
        yield errors.required(path)


def one_of(value: Any, path: str, supported: Collection[str], *, required: bool = True) -> Errors:
    """A word of a closed list; the empty word is ``Required`` or, with ``required=False``, fine."""
    if value in (None, ""):
        if required:
            yield errors.required(path)
    elif value not in supported:
        yield errors.not_supported(path, value, tuple(supported))


def non_negative(value: int | None, path: str) -> Errors:
    if value is not None and value < 0:
        yield errors.invalid(path, value, NEGATIVE)


def between(value: int | None, path: str, low: int, high: int) -> Errors:
    """validation.InclusiveRangeError."""
    if value is not None and not low <= value <= high:
        yield errors.invalid(path, value, f"must be between {low} and {high}, inclusive")


def port_number(value: int, path: str) -> Errors:
    return between(value, path, 1, 65535)


def port(value: int | str | None, path: str) -> Errors:
    """A port by number or by name (IntOrString)."""
    if isinstance(value, str):
        yield from complaints(path, value, names.port_name(value))
    else:
        yield from port_number(value or 0, path)


def ip_address(value: str, path: str) -> Errors:
    if not is_ip(value):
        yield errors.invalid(path, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")


def is_ip(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return "%" not in value


def is_cidr(value: str) -> bool:
    if "/" not in value:
        return False
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return True


def cidr(value: str, path: str) -> Errors:
    if not is_cidr(value):
        yield errors.invalid(path, value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")


def immutable(new: Any, old: Any, path: str) -> Errors:
    """A field that stays as it was. A missing field equals an empty one, as it does in the API's types."""
    if (new or None) != (old or None):
        yield errors.invalid(path, new, IMMUTABLE)


def unique(values: Iterable[tuple[Any, str]]) -> Errors:
    """(value, path) pairs: ``Duplicate value`` at every repetition."""
    seen: set[Any] = set()
    for value, path in values:
        if value in seen:
            yield errors.duplicate(path, value)
        seen.add(value)


# ── labels and selectors ─────────────────────────────────────────────────────────────────────────────────


def label_name(key: str, path: str) -> Errors:
    return complaints(path, key, names.qualified_name(key))


def labels(values: Mapping[str, str] | None, path: str) -> Errors:
    for key, value in (values or {}).items():
        yield from label_name(key, path)
        yield from complaints(path, value, names.label_value(value))


def annotation_map(values: Mapping[str, str] | None, path: str) -> Errors:
    total = 0
    for key, value in (values or {}).items():
        yield from complaints(path, key, names.qualified_name(key.lower()))
        total += len(key) + (len(value) if value.isascii() else len(value.encode()))
    if total > ANNOTATIONS_BYTES_MAX:
        yield errors.too_long(path, ANNOTATIONS_BYTES_MAX)


_WITH_VALUES: Final = ("In", "NotIn")
_WITHOUT_VALUES: Final = ("Exists", "DoesNotExist")


def label_selector(selector: Obj | None, path: str) -> Errors:
    """A metav1.LabelSelector (apimachinery/pkg/apis/meta/v1/validation)."""
    if not selector:
        return
    yield from labels(selector.get("matchLabels"), f"{path}.matchLabels")
    for requirement, at in each(selector.get("matchExpressions"), f"{path}.matchExpressions"):
        yield from _requirement(requirement, at)


def _requirement(requirement: Obj, path: str) -> Errors:
    operator, values = requirement.get("operator", ""), requirement.get("values") or []
    if operator in _WITH_VALUES:
        if not values:
            yield errors.required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in _WITHOUT_VALUES:
        if values:
            text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            yield errors.field_forbidden(f"{path}.values", text)
    else:
        yield errors.invalid(f"{path}.operator", operator, "not a valid selector operator")
    yield from label_name(requirement.get("key", ""), f"{path}.key")
    for value, at in each(values, f"{path}.values"):
        yield from complaints(at, value, names.label_value(value))


def is_empty_selector(selector: Obj | None) -> bool:
    return not selector or not (selector.get("matchLabels") or selector.get("matchExpressions"))


# ── quantities and numbers with a percent sign ───────────────────────────────────────────────────────────


def non_negative_quantity(value: Any, path: str) -> Errors:
    """A resource quantity of at least zero."""
    try:
        number = quantity.parse(value)
    except ValueError:
        yield errors.invalid(path, value, QUANTITY)
        return
    if number < 0:
        yield errors.invalid(path, quantity.canonical(value), NEGATIVE)


QUANTITY: Final = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)  # fmt: skip


_PERCENT: Final = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for"
    " validation is '[0-9]+%')"
)


def positive_int_or_percent(value: int | str | None, path: str) -> Errors:
    """appsvalidation.ValidatePositiveIntOrPercent: ``3`` or ``"25%"``."""
    if isinstance(value, str):
        if percent(value) is None:
            yield errors.invalid(path, value, _PERCENT)
    else:
        yield from non_negative(value, path)


def not_over_100_percent(value: int | str | None, path: str) -> Errors:
    share = percent(value)
    if share is not None and share > 100:
        yield errors.invalid(path, value, "must not be greater than 100%")


def percent(value: Any) -> int | None:
    """The number in ``"25%"``; None for anything that is no percentage."""
    if isinstance(value, str) and value.endswith("%") and value[:-1].isascii() and value[:-1].isdigit():
        return int(value[:-1])
    return None
