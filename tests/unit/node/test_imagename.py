from __future__ import annotations

import pytest

from pybernetes.node import imagename


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("busybox", "docker.io/library/busybox:latest"),
        ("busybox:1.36", "docker.io/library/busybox:1.36"),
        ("acc/web:v1", "docker.io/acc/web:v1"),
        ("docker.io/nginx", "docker.io/library/nginx:latest"),
        ("index.docker.io/nginx", "docker.io/library/nginx:latest"),
        ("registry.k8s.io/pause:3.9", "registry.k8s.io/pause:3.9"),
        ("localhost/x", "localhost/x:latest"),
        ("host:5000/a/b", "host:5000/a/b:latest"),
        ("x@sha256:" + "a" * 64, "docker.io/library/x@sha256:" + "a" * 64),
        ("x:1@sha256:" + "a" * 64, "docker.io/library/x:1@sha256:" + "a" * 64),
    ],
)
def test_names_are_completed_as_docker_does(short: str, full: str) -> None:
    assert imagename.normalise(short) == full


@pytest.mark.parametrize("bad", ["", "a b", "UPPER", "a//b", ":tag", "x:", "-x", "a" * 64, "x@sha256:12"])
def test_what_is_no_name_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="invalid re"):
        imagename.normalise(bad)


def test_a_default_tag_is_put_on_the_name_as_written() -> None:
    assert imagename.with_default_tag("busybox") == "busybox:latest"
    assert imagename.with_default_tag("host:5000/a") == "host:5000/a:latest"
    assert imagename.with_default_tag("a:1") == "a:1"
