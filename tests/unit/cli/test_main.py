import pytest

from pybernetes import __version__
from pybernetes.cli.main import COMMANDS, main, parser


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    assert capsys.readouterr().out == f"pybernetes {__version__}\n"


def test_every_command_names_a_function_that_exists() -> None:
    from importlib import import_module

    for command in COMMANDS:
        module, _, function = command.run.partition(":")
        assert callable(getattr(import_module(module), function)), command.name


def test_inner_commands_stay_out_of_the_help() -> None:
    text = parser().format_help()
    assert "up" in text and "  agent" not in text


def test_a_place_without_a_cluster_is_named(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    assert main(["status", "--data", str(tmp_path / "none")]) == 1
    err = capsys.readouterr().err
    assert "there is no cluster in" in err and "pybernetes up" in err


def test_down_without_a_cluster_is_no_error(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    assert main(["down", "--data", str(tmp_path / "none")]) == 0
    assert "There is no cluster" in capsys.readouterr().out
