"""How the runner of a repository is chosen."""

from dataclasses import replace
from pathlib import Path

import pytest

from agent.errors import ConfigError, TaskError
from agent.verify.command_runner import CommandRunner
from agent.verify.pytest_command import PytestCommand
from agent.verify.pytest_runner import PytestRunner, inside_files, pytest_arguments, pytest_argv
from agent.verify.runners import choose_runner
from tests.support.reports import a_folder_base
from tests.support.verify import an_environment

ENVIRONMENT = replace(an_environment(), interpreter="/env/bin/python")


def chosen(tmp_path: Path, command: str | None, junit: str | None = None):
    (tmp_path / "backend").mkdir()
    (tmp_path / "backend" / "a.py").write_text("")
    base = a_folder_base(tmp_path)
    return choose_runner(base, ENVIRONMENT, test_command=command, junit_path=junit)


@pytest.mark.parametrize("command", [None, "", "  "])
def test_pytest_of_the_environment_is_the_default(command: str | None, tmp_path: Path) -> None:
    assert chosen(tmp_path, command) == PytestRunner(interpreter="/env/bin/python")


def test_a_pytest_command_is_taken_apart(tmp_path: Path) -> None:
    runner = chosen(tmp_path, "cd backend && A=1 python -X dev -m pytest -q")
    assert runner == PytestRunner(
        interpreter="/env/bin/python",
        command=PytestCommand(
            arguments=("-q",),
            interpreter_options=("-X", "dev"),
            variables={"A": "1"},
            directory="backend",
        ),
    )
    assert pytest_argv(runner, "--co")[:6] == (
        "/env/bin/python",
        "-X",
        "dev",
        "-m",
        "pytest",
        "-q",
    )
    assert pytest_argv(runner, "--co")[-1] == "--co"
    assert runner.directory("/repo") == "/repo/backend"
    assert runner.variables()["A"] == "1"
    assert runner.identity()["variables"] == "A=1"


def test_another_command_needs_a_junit_path(tmp_path: Path) -> None:
    runner = chosen(tmp_path, "make test", "build/junit.xml")
    assert runner == CommandRunner(command="make test", junit_path="build/junit.xml")
    assert runner.identity() == {
        "runner": "command",
        "command": "make test",
        "junit_path": "build/junit.xml",
    }


@pytest.mark.parametrize(
    ("command", "junit", "word"),
    [
        ("make test", None, "junit_path"),
        ("python -m unittest", None, "unittest suites run under pytest"),
        ("make test", "/etc/passwd", "inside the repository"),
        ("make test", "../x.xml", "inside the repository"),
        ("make test", ".", "inside the repository"),
        ("cd nowhere && pytest", None, "nowhere"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_remedy(
    command: str, junit: str | None, word: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        chosen(tmp_path, command, junit)
    assert word in f"{caught.value.message} {caught.value.remedy}"


@pytest.mark.parametrize("command", [None, "pytest -q"])
def test_no_interpreter_with_pytest_is_said_with_the_remedy(
    command: str | None, tmp_path: Path
) -> None:
    environment = replace(ENVIRONMENT, interpreter=None)
    with pytest.raises(TaskError) as caught:
        choose_runner(a_folder_base(tmp_path), environment, test_command=command, junit_path=None)
    assert "pip install pytest" in caught.value.remedy


def test_an_image_brings_its_own_python(tmp_path: Path) -> None:
    environment = replace(ENVIRONMENT, kind="image", image="x:1", interpreter=None)
    base = a_folder_base(tmp_path)
    runner = choose_runner(base, environment, test_command=None, junit_path=None)
    assert runner == PytestRunner(interpreter="python3")


def test_the_scripts_that_run_inside_are_complete() -> None:
    names = {name.rpartition("/")[2] for name in inside_files()}
    folder = Path(__file__).parents[3] / "agent" / "verify" / "inside"
    assert names == {path.name for path in folder.glob("greenloop_*.py")}


@pytest.mark.parametrize("name", sorted(inside_files()))
def test_scripts_that_run_inside_are_written_for_python_3_8(name: str) -> None:
    import ast

    ast.parse(inside_files()[name], feature_version=(3, 8))


@pytest.mark.parametrize("words", [("-p", "no:junitxml"), ("-pno:junitxml",)])
def test_the_second_report_cannot_be_switched_off(words: tuple[str, ...]) -> None:
    command = PytestCommand(arguments=("-q", *words, "-p", "no:randomly", "tests"))
    assert pytest_arguments(command)[:4] == ("-q", "-p", "no:randomly", "tests")
