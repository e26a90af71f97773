from pathlib import Path

import pytest

from pybernetes.cluster import config as configuration
from pybernetes.cluster.config import Config, ConfigError, Paths


def test_options_not_given_keep_what_the_cluster_had() -> None:
    old = Config(nodes=3, simulate=5, port=7443)
    assert configuration.merged(old, {"nodes": None, "simulate": 9}) == Config(nodes=3, simulate=9, port=7443)


def test_a_new_cluster_has_one_real_node() -> None:
    assert configuration.merged(None, {}).node_names() == ["node-1"]


def test_a_negative_number_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="--nodes -1"):
        configuration.merged(None, {"nodes": -1})


def test_an_unknown_feature_gate_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"--feature-gates Nonsense=true: unrecognized feature gate: Nonsense; there"):
        configuration.merged(None, {"feature_gates": "Nonsense=true"})


def test_saving_and_loading_gives_the_same(tmp_path: Path) -> None:
    config = Config(nodes=2, underlay="172.30.80")
    configuration.save(Paths(tmp_path), config)
    assert configuration.load(Paths(tmp_path)) == config


def test_no_file_means_no_cluster(tmp_path: Path) -> None:
    assert configuration.load(Paths(tmp_path)) is None


def test_a_broken_file_is_named_with_the_remedy(tmp_path: Path) -> None:
    Paths(tmp_path).config.write_text("{")
    with pytest.raises(ConfigError, match=r"cluster\.json cannot be read .*down --purge"):
        configuration.load(Paths(tmp_path))


def test_two_data_directories_never_share_an_id() -> None:
    assert Paths(Path("/srv/a")).id != Paths(Path("/srv/b")).id


def test_addresses_follow_the_node_number() -> None:
    config = Config(underlay="172.30.77")
    assert (config.node_ip("node-2"), config.pod_cidr("node-2")) == ("172.30.77.12", "10.244.2.0/24")


def test_a_file_in_place_of_the_folder_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"file is no folder; name another place with --data"):
        configuration.load(Paths(tmp_path / "file"))


def test_a_new_cluster_never_takes_a_users_folder_for_its_own(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    with pytest.raises(ConfigError, match=r"holds images, which no cluster made"):
        configuration.refuse_foreign(Paths(tmp_path))
    configuration.save(Paths(tmp_path), Config())
    configuration.refuse_foreign(Paths(tmp_path))


def test_manifests_of_static_pods_may_be_there_before_the_cluster(tmp_path: Path) -> None:
    (tmp_path / "nodes" / "node-1" / "kubelet" / "manifests").mkdir(parents=True)
    configuration.refuse_foreign(Paths(tmp_path))


@pytest.mark.parametrize(
    ("text", "said"), [("[]", "holds no settings"), ('{"nodes": "x"}', "has 'x' as nodes, which should be of type int")]
)
def test_settings_of_another_shape_are_named(tmp_path: Path, text: str, said: str) -> None:
    Paths(tmp_path).config.write_text(text)
    with pytest.raises(ConfigError, match=rf"cluster\.json {said}; mend it, or remove"):
        configuration.load(Paths(tmp_path))
