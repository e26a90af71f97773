"""Every row is complete by itself and can be found by each of its names."""

from __future__ import annotations

import pytest

from pybernetes.kinds import table
from pybernetes.kinds.groups import GROUPS
from pybernetes.kinds.kind import Kind

ROWS = [row for rows in GROUPS for row in rows]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.api_version}-{row.plural}")
def test_a_row_is_found_by_path_and_kind(row: Kind) -> None:
    kinds = table.builtin()
    assert kinds.by_path(row.group, row.version, row.plural) is row
    assert kinds.by_kind(row.group, row.version, row.kind) is row
    assert row.singular == row.kind.lower()


def test_the_table_has_every_resource_of_the_current_release() -> None:
    assert len(ROWS) == 68
    assert len({(row.group, row.version) for row in ROWS}) == 22


def test_the_preferred_row_of_a_resource_is_its_first() -> None:
    found = table.builtin().by_resource("horizontalpodautoscalers.autoscaling")
    assert found is not None and found.version == "v2"


def test_rows_without_a_store_of_their_own_are_kept_in_the_form_of_another() -> None:
    kinds = table.builtin()
    elsewhere = {row.api_version: kinds.stored(row).api_version for row in ROWS if row.storage_of}
    assert elsewhere == {"events.k8s.io/v1": "v1", "autoscaling/v1": "autoscaling/v2"}
    assert all((row.convert is None) == (not row.storage_of) for row in ROWS)
    assert all(kinds.stored(row) is row for row in ROWS if not row.storage_of)


def test_scalable_kinds_offer_the_autoscaling_scale() -> None:
    scalable = {row.resource for row in ROWS if "scale" in row.subresources}
    assert scalable == {"replicationcontrollers", "deployments.apps", "replicasets.apps", "statefulsets.apps"}


def test_reviews_and_bindings_are_only_created() -> None:
    created = {row.kind for row in ROWS if row.verbs == ("create",)}
    assert created == {
        "Binding", "SelfSubjectReview", "TokenReview", "LocalSubjectAccessReview", "SelfSubjectAccessReview",
        "SelfSubjectRulesReview", "SubjectAccessReview",
    }  # fmt: skip
