from pathlib import Path

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
    assert "up" in text and "  control-plane" not in text


def test_a_place_without_a_cluster_is_named(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    assert main(["status", "--data", str(tmp_path / "none")]) == 1
    err = capsys.readouterr().err
    assert "there is no cluster in" in err and "pybernetes up" in err


def test_down_without_a_cluster_is_no_error(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    assert main(["down", "--data", str(tmp_path / "none")]) == 0
    assert "There is no cluster" in capsys.readouterr().out


def build(tmp_path: Path, output: Path) -> int:
    (tmp_path / "root").mkdir()
    argv = ["image", "build", str(tmp_path / "root"), "--name", "a:1", "--output", str(output)]
    return main([*argv, "--data", str(tmp_path)])


def test_a_file_that_cannot_be_is_named_with_the_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert build(tmp_path, tmp_path / "file" / "a.tar") == 1
    err = capsys.readouterr().err
    assert "a.tar.new: Not a directory; name another place" in err
    assert err.count("\n") == 1


def test_an_image_is_not_written_over_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build(tmp_path, tmp_path) == 1
    assert "is a folder; name the file to write" in capsys.readouterr().err
