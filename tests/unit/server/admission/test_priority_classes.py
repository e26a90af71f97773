"""One priority class at most is the default."""

from __future__ import annotations

import pytest

from pybernetes.meta import errors
from pybernetes.server.admission.table import Admission

from ..build import Cluster, named

CLASSES = "priorityclasses.scheduling.k8s.io"


async def test_a_second_default_is_refused() -> None:
    made = Cluster()
    usual = named("usual", value=1, globalDefault=True)
    await made.put(CLASSES, usual)
    admission = Admission(made.world)
    await admission.validate(made.write("update", CLASSES, usual, old=usual))
    await admission.validate(made.write("create", CLASSES, named("plain", value=2)))
    with pytest.raises(errors.Forbidden, match="PriorityClass usual is already marked as default"):
        await admission.validate(made.write("create", CLASSES, named("other", value=2, globalDefault=True)))
