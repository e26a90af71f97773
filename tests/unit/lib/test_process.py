import pytest

from pybernetes.lib import process


async def test_output_and_code_come_back() -> None:
    result = await process.run(["sh", "-c", "cat; exit 3"], input=b"hello", check=False)
    assert (result.code, result.stdout) == (3, b"hello")


async def test_a_failure_tells_the_command_and_its_own_words() -> None:
    with pytest.raises(process.ProcessError, match=r"sh -c .*: no way"):
        await process.run(["sh", "-c", "echo no way >&2; exit 1"])


async def test_a_missing_program_is_named() -> None:
    with pytest.raises(process.ProcessError, match="'no-such-program' is not installed"):
        await process.run(["no-such-program"])


async def test_a_program_that_hangs_is_ended() -> None:
    with pytest.raises(process.ProcessError, match=r"no end after 0.05 s"):
        await process.run(["sleep", "60"], timeout_seconds=0.05)
