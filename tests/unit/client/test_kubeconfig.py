from __future__ import annotations

import stat
from pathlib import Path

import pytest

from pybernetes.client import kubeconfig
from pybernetes.client.kubeconfig import Access, Kubeconfig, KubeconfigError

OURS = Kubeconfig.with_certificate(
    cluster="pybernetes", user="pybernetes-admin", server="https://127.0.0.1:6443",
    ca=b"ca", certificate=b"crt", key=b"key",
)  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sub" / "config"


def test_what_is_written_is_read_back_and_private(path: Path) -> None:
    kubeconfig.write(path, OURS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["config"]
    assert kubeconfig.load(path).access() == Access("https://127.0.0.1:6443", ca=b"ca", certificate=b"crt", key=b"key")


def test_merging_keeps_the_rest_and_takes_the_current_context(path: Path) -> None:
    theirs = Kubeconfig(
        {
            "clusters": [
                {"name": "work", "cluster": {"server": "https://work"}},
                {"name": "pybernetes", "cluster": {}},
            ],
            "contexts": [{"name": "work", "context": {"cluster": "work"}}],
            "current-context": "work",
            "extensions": [{"name": "kept"}],
        }
    )
    kubeconfig.write(path, theirs)
    kubeconfig.merge(path, OURS)
    kubeconfig.merge(path, OURS)
    merged = kubeconfig.load(path)
    assert [c["name"] for c in merged.document["clusters"]] == ["work", "pybernetes"]
    assert merged.document["extensions"] == [{"name": "kept"}]
    assert merged.access().server == "https://127.0.0.1:6443"
    assert merged.access("work") == Access("https://work")


def test_merging_into_no_file_makes_one(path: Path) -> None:
    kubeconfig.merge(path, OURS)
    assert kubeconfig.load(path).access().key == b"key"


def test_writing_through_a_link_leaves_the_link(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    kubeconfig.write(link, OURS)
    assert link.is_symlink()
    assert kubeconfig.load(tmp_path / "real").access().ca == b"ca"


def test_files_named_beside_the_kubeconfig_are_read(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_bytes(b"CA")
    (tmp_path / "token").write_text("secret\n")
    (tmp_path / "config").write_text(
        """
        clusters: [{name: c, cluster: {server: "https://h", certificate-authority: ca.crt}}]
        users: [{name: u, user: {tokenFile: token}}]
        contexts: [{name: x, context: {cluster: c, user: u}}]
        current-context: x
        """
    )
    assert kubeconfig.load(tmp_path / "config").access() == Access("https://h", ca=b"CA", token="secret")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", r"config: is no YAML at line \d; correct it"),
        ("- a", "config: is no kubeconfig but a list"),
        ("clusters: {}\nusers: [1]", "config: users is no list of named entries"),
        ("{}", "config: has no current-context; 'kubectl config use-context NAME'"),
        ("current-context: x", r"there is no context 'x' \(there is: none\)"),
        ("{current-context: x, contexts: [{name: x, context: {cluster: c}}]}", "there is no cluster 'c'"),
        (
            "{current-context: x, contexts: [{name: x, context: {cluster: c}}], clusters: [{name: c}]}",
            "the cluster 'c' has no server",
        ),
    ],
)
def test_a_broken_file_is_named_with_the_remedy(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "config").write_text(text)
    with pytest.raises(KubeconfigError, match=message):
        kubeconfig.load(tmp_path / "config").access()


def test_a_missing_file_is_named(path: Path) -> None:
    with pytest.raises(KubeconfigError, match=r"config: no such file; 'pybernetes up'"):
        kubeconfig.load(path)


def test_a_broken_file_is_not_merged_into(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("a: [")
    with pytest.raises(KubeconfigError, match="is no YAML"):
        kubeconfig.merge(path, OURS)
    assert path.read_text() == "a: ["
