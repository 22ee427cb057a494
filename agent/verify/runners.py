"""Chooses how the tests of a repository are run."""

from pathlib import Path, PurePosixPath

from agent.errors import ConfigError, TaskError
from agent.task import RepoPath
from agent.verify.bench import Runner
from agent.verify.command_runner import CommandRunner
from agent.verify.javascript.command import (
    MANIFEST,
    ScriptCommand,
    recognise_script,
    script_of_manifest,
    scripts_of_manifest,
)
from agent.verify.javascript.runner import ScriptRunner
from agent.verify.pytest_command import PytestCommand, recognise_pytest
from agent.verify.pytest_runner import PytestRunner
from agent.workspace.base import Base
from sandbox.base import Environment
from sandbox.environments import NODE, is_for_node


def choose_runner(
    base: Base, environment: Environment, *, test_command: str | None, junit_path: str | None
) -> Runner:
    """Return pytest or a runner of JavaScript, as the user starts it, or the user's own command.

    Without a command the repository's own files say which.
    Raises: ConfigError (the command cannot be used as it stands), TaskError (no interpreter, no
    runner that is known).
    """
    if test_command is None or not test_command.strip():
        if is_for_node(path for path in base.paths() if "/" not in path):
            return ScriptRunner(command=_script(base))
        return PytestRunner(interpreter=_interpreter(environment))
    if command := recognise_pytest(test_command):
        _check_directory(base, command)
        return PytestRunner(interpreter=_interpreter(environment), command=command)
    manifest = _manifest(base)
    if junit_path is None and (
        script := recognise_script(test_command, scripts_of_manifest(manifest))
    ):
        return ScriptRunner(command=script)
    if junit_path is None:
        raise ConfigError(
            f"no pytest, node --test, jest, vitest or mocha was recognised in the test command "
            f"`{test_command}`",
            remedy=_remedy(test_command),
        )
    path = PurePosixPath(junit_path)
    if path.is_absolute() or ".." in path.parts or not path.name:
        raise ConfigError(
            f"junit_path `{junit_path}` does not name a file inside the repository",
            remedy="give a path relative to the repository, such as build/junit.xml",
        )
    return CommandRunner(command=test_command, junit_path=str(path))


def needed_module(repo: Path | None, test_command: str | None) -> str:
    """Return what a repository's environment must have to run its tests: see `resolve_environment`.

    Blocking: looks into the folder.
    """
    names = [path.name for path in repo.iterdir()] if repo and repo.is_dir() else []
    if test_command is None or not test_command.strip():
        return NODE if is_for_node(names) else "pytest"
    if recognise_pytest(test_command):
        return "pytest"
    manifest = repo / MANIFEST if repo and MANIFEST in names else None
    data = manifest.read_bytes() if manifest and manifest.is_file() else b""
    # Another command of the user's own needs an interpreter, but perhaps no pytest in it
    return NODE if recognise_script(test_command, scripts_of_manifest(data)) else "unittest"


def _manifest(base: Base) -> bytes:
    content = base.read(RepoPath(MANIFEST))
    return content.data if content else b""


def _script(base: Base) -> ScriptCommand:
    if script := script_of_manifest(_manifest(base)):
        return script
    raise TaskError(
        f"{MANIFEST} does not say how the tests are run in a way that is understood",
        remedy="understood are node --test, jest, vitest and mocha: name the command with "
        "--test-command 'npx vitest run', or any other together with junit_path in .greenloop.toml",
    )


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
