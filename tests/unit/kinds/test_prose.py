"""``kubectl explain`` tells what upstream says of a field, where the extra is installed."""

import pytest

from pybernetes.kinds import schemas
from pybernetes.kinds.schemas import prose

META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"


def test_fields_are_described_and_otherwise_the_same() -> None:
    pytest.importorskip("kubernetes_validate")
    plain, told = schemas.definitions(), prose.described(schemas.definitions())
    assert told.keys() == plain.keys()
    field = told[META]["properties"]["creationTimestamp"]
    assert field["description"].startswith("CreationTimestamp is a timestamp")
    assert {k: v for k, v in field.items() if k != "description"} == plain[META]["properties"]["creationTimestamp"]
    assert "description" not in plain[META]["properties"]["creationTimestamp"]


def test_what_nobody_describes_stays_as_it_is() -> None:
    own = {"com.example.v1.CronTab": {"type": "object", "description": "mine"}}
    assert prose.described(own) == own
