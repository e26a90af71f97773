from __future__ import annotations

from pybernetes.cluster import apiservers, bootstrap

NOW = 1_700_000_000.0


def test_only_api_servers_that_renewed_in_time_are_led_to() -> None:
    leases = [
        apiservers.lease("a_1", "10.0.0.1:6443", NOW - 5),
        apiservers.lease("b_2", "10.0.0.2:6443", NOW - apiservers.LEASE_SECONDS - 1),
    ]
    assert apiservers.alive(leases, NOW) == {("10.0.0.1", 6443)}


def test_a_name_of_a_lease_is_one_of_kubernetes() -> None:
    assert apiservers.lease("Host_1a2b", "", NOW)["metadata"]["name"] == "apiserver-host-1a2b"


def test_each_port_has_a_slice_and_the_first_one_the_services_name() -> None:
    made = bootstrap.kubernetes_endpoints([("10.0.0.1", 6443), ("10.0.0.2", 7443), ("10.0.0.3", 6443)])
    (_, endpoints), *slices = made
    assert [len(subset["addresses"]) for subset in endpoints["subsets"]] == [2, 1]
    assert [obj["metadata"]["name"] for _, obj in slices] == ["kubernetes", "kubernetes-7443"]
    assert [e["addresses"] for e in slices[0][1]["endpoints"]] == [["10.0.0.1"], ["10.0.0.3"]]
