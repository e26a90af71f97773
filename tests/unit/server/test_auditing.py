"""The audit log: what a policy wants told of a request, and how the file is kept."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest

from pybernetes.lib.clock import VirtualClock
from pybernetes.meta.objects import Obj
from pybernetes.server import requestinfo
from pybernetes.server.auditing import policy
from pybernetes.server.auditing.file import AuditFile
from pybernetes.server.auditing.policy import Level
from pybernetes.server.context import Request

from .build import ADMIN, JANE


def made(*rules: Obj, **more: Any) -> policy.Policy:
    return policy.parse({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": list(rules), **more})


SECRETS = {"group": "", "resources": ["secrets"]}


@pytest.mark.parametrize(
    ("rule", "method", "path", "matches"),
    [
        ({}, "GET", "/version", True),
        ({"users": ["jane"]}, "GET", "/version", True),
        ({"users": ["joe"]}, "GET", "/version", False),
        ({"userGroups": ["developers"], "verbs": ["list"]}, "GET", "/api/v1/pods", True),
        ({"verbs": ["create"]}, "GET", "/api/v1/pods", False),
        ({"resources": [SECRETS]}, "GET", "/api/v1/namespaces/a/secrets/b", True),
        ({"resources": [SECRETS], "namespaces": ["c"]}, "GET", "/api/v1/namespaces/a/secrets/b", False),
        ({"resources": [{**SECRETS, "resourceNames": ["b"]}]}, "GET", "/api/v1/namespaces/a/secrets/b", True),
        ({"resources": [{"group": "apps"}]}, "GET", "/api/v1/pods", False),
        ({"resources": [{"resources": ["pods"]}]}, "GET", "/api/v1/namespaces/a/pods/b/log", False),
        ({"resources": [{"resources": ["pods/*"]}]}, "GET", "/api/v1/namespaces/a/pods/b/log", True),
        ({"resources": [{"resources": ["*/log"]}]}, "GET", "/api/v1/namespaces/a/pods/b/log", True),
        ({"nonResourceURLs": ["/health*"]}, "GET", "/healthz", True),
        ({"nonResourceURLs": ["/health*"]}, "GET", "/api/v1/pods", False),
    ],
)
def test_the_first_rule_that_matches_decides(rule: Obj, method: str, path: str, matches: bool) -> None:
    found = made({"level": "Metadata", **rule}, {"level": "None"}).of(JANE, requestinfo.of(Request(method, path)))
    assert (found.level is Level.METADATA) is matches


def test_a_request_that_no_rule_matches_is_not_told() -> None:
    found = made({"level": "Request", "users": ["jane"]}).of(ADMIN, requestinfo.of(Request("GET", "/version")))
    assert found.level is Level.NONE


@pytest.mark.parametrize(
    "wrong",
    [{}, {"rules": []}, {"rules": [{"level": "All"}]}, {"rules": [{"level": "None"}], "omitStages": ["Later"]}],
)
def test_a_policy_that_makes_no_sense_is_refused(wrong: Obj) -> None:
    with pytest.raises(ValueError, match=r"rules|omitStages"):
        policy.parse({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", **wrong})


async def test_a_log_that_has_become_large_is_put_aside_and_the_oldest_are_dropped(tmp_path: Path) -> None:
    clock = VirtualClock()
    log = AuditFile(str(tmp_path / "audit.log"), clock, max_size=1, backups=2)
    for number in range(8):
        log.write({"number": number, "text": "x" * 600_000})
        await asyncio.sleep(0)
        await clock.advance(1)
    log.close()
    files = sorted(tmp_path.glob("audit-*.log"))
    assert len(files) == 2
    told = [orjson.loads(line)["number"] for file in files for line in file.read_bytes().splitlines()]
    assert told == [4, 5, 6, 7]
    assert (tmp_path / "audit.log").stat().st_mode & 0o777 == 0o600
