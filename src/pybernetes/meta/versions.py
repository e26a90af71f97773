"""Kubernetes's order of API versions: v2, v1, v1beta2, v1beta1, v1alpha1, and then all others by name.

Source: apimachinery/pkg/version.CompareKubeAwareVersionStrings.
"""

from __future__ import annotations

import re
from typing import Final

_FORM: Final = re.compile(r"v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?")
_STAGES: Final = {None: 0, "beta": 1, "alpha": 2}


def order(version: str) -> tuple[int, int, int, str]:
    """A key for sorting: the best version comes first."""
    found = _FORM.fullmatch(version)
    if found is None:
        return (len(_STAGES), 0, 0, version)
    return (_STAGES[found[2]], -int(found[1]), -int(found[3] or 0), "")
