"""Chooses how the tests of a repository are run."""

from pathlib import PurePosixPath

from agent.errors import ConfigError, TaskError
from agent.verify.bench import Runner
from agent.verify.command_runner import CommandRunner
from agent.verify.pytest_command import PytestCommand, recognise_pytest
from agent.verify.pytest_runner import PytestRunner
from agent.workspace.base import Base
from sandbox.base import Environment


def choose_runner(
    base: Base, environment: Environment, *, test_command: str | None, junit_path: str | None
) -> Runner:
    """Return pytest, alone or as the user starts it, or the user's own command.

    Raises: ConfigError (the command cannot be used as it stands), TaskError (no interpreter).
    """
    if test_command is None or not test_command.strip():
        return PytestRunner(interpreter=_interpreter(environment))
    if command := recognise_pytest(test_command):
        _check_directory(base, command)
        return PytestRunner(interpreter=_interpreter(environment), command=command)
    if junit_path is None:
        raise ConfigError(
            f"no pytest command was recognised in the test command `{test_command}`",
            remedy=_remedy(test_command),
        )
    path = PurePosixPath(junit_path)
    if path.is_absolute() or ".." in path.parts or not path.name:
        raise ConfigError(
            f"junit_path `{junit_path}` does not name a file inside the repository",
            remedy="give a path relative to the repository, such as build/junit.xml",
        )
    return CommandRunner(command=test_command, junit_path=str(path))


def _interpreter(environment: Environment) -> str:
    if environment.kind == "image" and environment.interpreter is None:
        return "python3"  # the image's own, wherever its PATH has it
    if environment.interpreter is None:
        raise TaskError(
            f"no Python with pytest was found in this environment ({environment.why})",
            remedy="install it where the project runs: python -m pip install pytest "
            "(it runs unittest suites too)",
        )
    return environment.interpreter


def _check_directory(base: Base, command: PytestCommand) -> None:
    prefix = command.directory.strip("/").removeprefix("./")
    if prefix not in {"", "."} and not any(p.startswith(f"{prefix}/") for p in base.paths()):
        raise ConfigError(
            f"the test command changes to `{command.directory}`, which the repository does not have"
        )


def _remedy(test_command: str) -> str:
    if "unittest" in test_command:
        return (
            "leave the test command out: unittest suites run under pytest "
            "(python -m pip install pytest)"
        )
    return (
        "name the pytest command itself (for example `python -m pytest tests`), "
        "or set junit_path to the JUnit XML file that the command writes"
    )
