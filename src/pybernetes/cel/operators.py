"""CEL's operators on values: arithmetic of 64 bits, comparison, membership, index; all strict, all in cel-go's words.

Neighbours: ``program.py`` has those that do not look at every operand (``&&``, ``||``, ``?:``); ``values.py`` has
equality and order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from pybernetes.cel import values
from pybernetes.cel.values import NONE, CelError, Optional, UInt

_INT: Final = (-(1 << 63), (1 << 63) - 1)
_UINT: Final = (0, (1 << 64) - 1)
_ARITHMETIC: Final = (int, UInt, float)


def within(value: int, like: type) -> int:
    """``value`` as an int or UInt of 64 bits. Raises CelError on overflow."""
    low, high = _UINT if like is UInt else _INT
    if not low <= value <= high:
        raise CelError("unsigned integer overflow" if like is UInt else "integer overflow")
    return UInt(value) if like is UInt else value


def _same(left: Any, right: Any) -> type:
    kind = type(left)
    if kind is not type(right) or kind not in _ARITHMETIC:
        raise values.no_overload()
    return kind


def add(left: Any, right: Any) -> Any:
    if isinstance(left, datetime | timedelta) and isinstance(right, datetime | timedelta):
        return _moved(left, right)
    if isinstance(left, str | bytes | list) and type(left) is type(right):
        return left + right  # type: ignore[operator]
    kind = _same(left, right)
    return left + right if kind is float else within(left + right, kind)


def _moved(left: Any, right: Any) -> Any:
    if isinstance(left, datetime) and isinstance(right, datetime):
        raise values.no_overload()
    try:
        return left + right
    except OverflowError:
        raise CelError("timestamp overflow") from None


def subtract(left: Any, right: Any) -> Any:
    if isinstance(left, datetime | timedelta) and isinstance(right, datetime | timedelta):
        if isinstance(left, timedelta) and isinstance(right, datetime):
            raise values.no_overload()
        try:
            return left - right  # type: ignore[operator]
        except OverflowError:
            raise CelError("timestamp overflow") from None
    kind = _same(left, right)
    return left - right if kind is float else within(left - right, kind)


def multiply(left: Any, right: Any) -> Any:
    kind = _same(left, right)
    return left * right if kind is float else within(left * right, kind)


def divide(left: Any, right: Any) -> Any:
    """Whole numbers are cut towards zero."""
    kind = _same(left, right)
    if kind is float:
        return _float_quotient(left, right)
    if right == 0:
        raise CelError("division by zero")
    quotient = abs(left) // abs(right)
    return within(quotient if (left < 0) == (right < 0) else -quotient, kind)


def _float_quotient(left: float, right: float) -> float:
    if right:
        return left / right
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1, right)


def modulo(left: Any, right: Any) -> Any:
    """The rest has the sign of the dividend."""
    kind = _same(left, right)
    if kind is float:
        raise values.no_overload()
    if right == 0:
        raise CelError("modulus by zero")
    rest = abs(left) % abs(right)
    return within(-rest if left < 0 else rest, kind)


def negate(value: Any) -> Any:
    if type(value) is float:
        return -value
    if type(value) is not int:
        raise values.no_overload()
    return within(-value, int)


def invert(value: Any) -> bool:
    if not isinstance(value, bool):
        raise values.no_overload()
    return not value


def contained(element: Any, container: Any) -> bool:
    if isinstance(container, list | tuple):
        return any(values.equal(element, own) for own in container)
    if isinstance(container, Mapping):
        return values.found(container, element)
    raise values.no_overload()


def index(container: Any, key: Any) -> Any:
    """``container[key]``. Raises CelError where there is no such key or index."""
    if isinstance(container, Optional):
        return optional_index(container, key)
    if isinstance(container, list | tuple):
        at = _position(key)
        if not 0 <= at < len(container):
            raise CelError(f"index out of bounds: {at}")
        return container[at]
    if isinstance(container, Mapping):
        if isinstance(key, bool):
            return _bool_keyed(container, key)
        try:
            return container[key]
        except (KeyError, TypeError):
            raise CelError(f"no such key: {key}") from None
    raise values.no_overload()


def _position(key: Any) -> int:
    if isinstance(key, bool) or not values.is_number(key) or key != int(key):
        raise CelError(f"unsupported index type '{values.type_name(key)}' in list")
    return int(key)


def _bool_keyed(container: Mapping[Any, Any], key: bool) -> Any:
    for own, value in container.items():
        if own is key:
            return value
    raise CelError(f"no such key: {str(key).lower()}")


def optional_index(container: Any, key: Any) -> Optional:
    """``container[?key]`` and ``container.?key``: what is there, or ``optional.none()``."""
    if isinstance(container, Optional):
        if not container.present:
            return NONE
        container = container.value
    if isinstance(container, list | tuple):
        at = _position(key)
        return Optional(container[at], present=True) if 0 <= at < len(container) else NONE
    if isinstance(container, Mapping):
        return Optional(container[key], present=True) if values.found(container, key) else NONE
    raise values.no_overload()


def _compared(judge: Callable[[int], bool]) -> Callable[[Any, Any], bool]:
    return lambda left, right: judge(values.comparison(left, right))


STRICT: Final[Mapping[str, Callable[..., Any]]] = {
    "_+_": add, "_-_": subtract, "_*_": multiply, "_/_": divide, "_%_": modulo,
    "-_": negate, "!_": invert, "@in": contained, "_in_": contained,
    "_[_]": index, "_[?_]": optional_index, "_?._": optional_index,
    "_==_": values.equal, "_!=_": lambda left, right: not values.equal(left, right),
    "_<_": _compared(lambda c: c < 0), "_<=_": _compared(lambda c: c <= 0),
    "_>_": _compared(lambda c: c > 0), "_>=_": _compared(lambda c: c >= 0),
    "@not_strictly_false": lambda value: value, "__not_strictly_false__": lambda value: value,
}  # fmt: skip
"""By the names that the parser gives them."""
