"""Whose the administrator's kubeconfig is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pybernetes.cluster import access


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_the_kubeconfig_belongs_to_the_user_who_called_sudo(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.touch(0o600)
    access.hand_over(path, {})
    assert path.stat().st_uid == 0
    access.hand_over(path, {"SUDO_UID": "1000", "SUDO_GID": "1001"})
    assert (path.stat().st_uid, path.stat().st_gid) == (1000, 1001)
