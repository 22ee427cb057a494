"""Pytest commands as people write them."""

import pytest

from agent.verify.pytest_command import PytestCommand, recognise_pytest


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("pytest", PytestCommand(cwd_on_path=False)),
        ("py.test -q tests", PytestCommand(arguments=("-q", "tests"), cwd_on_path=False)),
        ("python -m pytest", PytestCommand()),
        ("python3.12 -m pytest -x", PytestCommand(arguments=("-x",))),
        ("./.venv/bin/python -m pytest", PytestCommand()),
        (
            ".venv/bin/pytest -k 'a or b'",
            PytestCommand(arguments=("-k", "a or b"), cwd_on_path=False),
        ),
        (
            "python -W error -X dev -m pytest",
            PytestCommand(interpreter_options=("-W", "error", "-X", "dev")),
        ),
        ("python -Werror -m pytest", PytestCommand(interpreter_options=("-Werror",))),
        ("A=1 B='x y' pytest", PytestCommand(variables={"A": "1", "B": "x y"}, cwd_on_path=False)),
        ("env A=1 pytest", PytestCommand(variables={"A": "1"}, cwd_on_path=False)),
        ("uv run pytest -q", PytestCommand(arguments=("-q",), cwd_on_path=False)),
        ("uv run --extra test -p 3.12 python -m pytest", PytestCommand()),
        ("poetry run pytest", PytestCommand(cwd_on_path=False)),
        ("coverage run --source=shop -m pytest tests", PytestCommand(arguments=("tests",))),
        ("uv run coverage run -m pytest", PytestCommand()),
        (
            "python -bb -m coverage run -p -m pytest -q",
            PytestCommand(interpreter_options=("-bb",), arguments=("-q",)),
        ),
        ("cd backend && pytest", PytestCommand(directory="backend", cwd_on_path=False)),
        (
            "cd ./a/b && A=1 python -m pytest",
            PytestCommand(directory="./a/b", variables={"A": "1"}),
        ),
        ('pytest "tests/a(b)"', PytestCommand(arguments=("tests/a(b)",), cwd_on_path=False)),
    ],
)
def test_pytest_is_recognised_with_its_options(command: str, expected: PytestCommand) -> None:
    assert recognise_pytest(command) == expected


@pytest.mark.parametrize(
    "command",
    [
        "",
        "make test",
        "tox -e py",
        "pytest | tee log",
        "pytest && echo done",
        "pytest $ARGS",
        'pytest "$ARGS"',
        "pytest `cat args`",
        "python -m unittest",
        "python -m",
        "python run_tests.py",
        "python -c 'import pytest'",
        "python -W",
        "python",
        "coverage run tests.py",
        "coverage report",
        "uv run tox",
        "pytest 'unfinished",
        "cd /etc && make",
        "cd ../other && make",
    ],
)
def test_what_is_no_single_pytest_command_is_not_recognised(command: str) -> None:
    assert recognise_pytest(command) is None


@pytest.mark.parametrize("directory", ["/etc", "../other", "a/../../b"])
def test_a_directory_outside_the_repository_is_not_recognised(directory: str) -> None:
    assert recognise_pytest(f"cd {directory} && pytest") is None
