"""What all statuses have in common: absent and zero are the same, and what is true already is not written."""

from __future__ import annotations

from collections.abc import Collection

from pybernetes.meta.objects import Obj


def compact(status: Obj, always: Collection[str] = ()) -> Obj:
    """``status`` without empty fields, save those that are told ``always``."""
    return {field: value for field, value in status.items() if value or field in always}


def differs(before: Obj | None, after: Obj) -> bool:
    """Must ``after`` be written over ``before``?"""
    known = before or {}
    return any((known.get(field) or 0) != (after.get(field) or 0) for field in {*known, *after})
