"""Health tells whether the server lives and is ready, in upstream's words."""

from __future__ import annotations

import orjson
import pytest

from pybernetes.meta import errors
from pybernetes.server import health
from pybernetes.server.context import Request, Response
from pybernetes.server.health import Health


def ask(told: Health, target: str) -> Response:
    path, _, query = target.partition("?")
    values = {name: (value,) for name, _, value in (part.partition("=") for part in query.split("&") if part)}
    return told.respond(Request("GET", path, query=values))


def test_a_well_server_says_ok() -> None:
    answer = ask(Health(), "/readyz")
    assert (answer.status, answer.body) == (200, b"ok")


def test_verbose_lists_the_checks() -> None:
    assert ask(Health(), "/livez?verbose").body == b"[+]ping ok\n[+]log ok\nlivez check passed\n"


def test_what_is_held_is_not_ready_but_lives() -> None:
    told = Health()
    release = told.hold("poststarthook/x")
    answer = ask(told, "/readyz")
    assert answer.status == 500
    assert answer.body == b"[+]ping ok\n[+]log ok\n[-]poststarthook/x failed: reason withheld\nreadyz check failed\n"
    assert ask(told, "/livez").status == 200
    assert ask(told, "/readyz?exclude=poststarthook/x").status == 200
    release()
    assert ask(told, "/readyz").status == 200


def test_one_check_can_be_asked_alone() -> None:
    told = Health()
    told.add("storage", lambda: "gone", live=True)
    assert ask(told, "/livez/ping").body == b"ok"
    assert ask(told, "/livez/storage").status == 500
    with pytest.raises(errors.NotFound):
        ask(told, "/livez/nothing")


def test_version_names_a_minor_that_clients_can_compare() -> None:
    told = orjson.loads(health.version().body)
    assert told["gitVersion"].startswith(f"v{told['major']}.{told['minor']}.")
