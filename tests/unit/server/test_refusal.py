"""Refusals and warnings on the wire."""

from __future__ import annotations

import orjson

from pybernetes.meta import errors
from pybernetes.server import refusal
from pybernetes.server.context import Request


def test_a_refusal_says_when_to_come_again() -> None:
    answer = refusal.answer(Request("GET", "/"), errors.TooManyRequests("later", retry_after_seconds=7))
    assert (answer.status, dict(answer.headers)["Retry-After"]) == (429, "7")


def test_in_process_it_stays_an_object() -> None:
    answer = refusal.answer(Request("GET", "/", in_process=True), errors.not_found("apps", "deployments", "d"))
    assert (answer.status, answer.body, answer.obj["reason"]) == (404, b"", "NotFound")


def test_what_never_became_a_request_is_refused_with_a_status_too() -> None:
    answer = refusal.malformed(431, "Request Header Fields Too Large")
    assert (answer.status, orjson.loads(answer.body)["code"]) == (431, 431)


def test_warnings_are_quoted_and_said_once() -> None:
    assert refusal.warning_headers(['say "a\\b"\nnow', "twice", "twice"]) == [
        ("Warning", '299 - "say \\"a\\\\b\\" now"'),
        ("Warning", '299 - "twice"'),
    ]
