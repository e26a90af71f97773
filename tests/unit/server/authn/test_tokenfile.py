"""Static tokens out of a file."""

from __future__ import annotations

import pytest

from pybernetes.server.authn import tokenfile
from pybernetes.server.authn.tokenfile import TokenFile
from pybernetes.server.context import Request, User

FILE = """
abc,jane,7,"developers,testers"
def , joe , 8
"""


def asked(authorization: str) -> Request:
    return Request("GET", "/", headers={"authorization": authorization})


def test_a_token_of_the_file_names_its_user_with_uid_and_groups() -> None:
    file = TokenFile(tokenfile.parse(FILE))
    user = file.authenticate(asked("Bearer abc"))
    assert user == User("jane", "7", ("developers", "testers", "system:authenticated"))


def test_other_tokens_and_other_credentials_are_for_others_to_know() -> None:
    file = TokenFile(tokenfile.parse(FILE))
    assert file.authenticate(asked("Bearer xyz")) is None
    assert file.authenticate(asked("Basic abc")) is None


def test_a_line_that_is_too_short_is_named() -> None:
    with pytest.raises(ValueError, match="line 2: must be token,user,uid"):
        tokenfile.parse("a,b,c\nx,y\n")
