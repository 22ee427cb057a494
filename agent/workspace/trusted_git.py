"""The one place that runs git, so that nothing from a repository is ever executed.

Two kinds of call. `find_repository` asks git where the user's repository is and what a few
settings are: `rev-parse` and `config` run no program, whatever the configuration says. Everything
that looks at files goes through `TrustedGit`: a git dir of ours whose configuration we wrote,
with the user's index copied and the user's objects as alternates. There the user's filters,
text conversions, external diffs, hooks, aliases and file monitor do not exist.

Nothing here writes into the user's repository: no index refresh, no object, no ref, no lock.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import platformdirs

from agent.errors import TaskError, WorkspaceError
from agent.workspace.paths import printable

GIT_WALL_S: Final = 300.0
"""A `git status` of a million files on a cold disk stays below it; a hung file system does not."""

_FLAGS: Final = (
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.untrackedCache=false"),
    *("-c", "safe.bareRepository=explicit"),
)
_SETTINGS_PATTERN: Final = r"^core\.(excludesfile|ignorecase)$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A user's repository as git sees it."""

    top: Path
    """Top folder of the work tree, symlinks resolved."""
    git_dir: Path
    """Holds HEAD and the index; a linked worktree has its own."""
    common_dir: Path
    """Holds objects and info/exclude; the same as `git_dir` but in a linked worktree."""
    commit: str
    """HEAD; empty on an unborn branch."""
    object_format: str
    """`sha1` or `sha256`."""
    settings: Mapping[str, str]
    """The user's `core.*` settings that decide what is ignored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedGit:
    """A git dir of ours, a work tree that is only read, and an index copied from the user."""

    git_dir: Path
    work_tree: Path
    settings: Mapping[str, str]
    wall_s: float = GIT_WALL_S
    """How long a command may take."""

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Return what a git command prints. Raises: WorkspaceError when it fails."""
        done = self._completed(arguments, stdin)
        if done.returncode != 0:
            raise WorkspaceError(
                f"git {arguments[0]} failed for {self.work_tree}: {_last_line(done.stderr)}",
                remedy="run `git fsck` and `git status` in the repository; git must work there",
            )
        return done.stdout

    def _completed(
        self, arguments: Sequence[str], stdin: bytes
    ) -> subprocess.CompletedProcess[bytes]:
        settings = [f for name, value in self.settings.items() for f in ("-c", f"{name}={value}")]
        variables = variables_for(self.git_dir) | {"GIT_WORK_TREE": str(self.work_tree)}
        command = [*settings, *arguments]
        return _run_git(
            command, cwd=self.work_tree, variables=variables, stdin=stdin, wall_s=self.wall_s
        )


def variables_for(git_dir: Path) -> dict[str, str]:
    """Return the variables with which git sees a git dir of ours and no configuration but its.

    Those that could point it elsewhere are set too, for a caller that cannot start from nothing.
    """
    return {
        "GIT_DIR": str(git_dir),
        "GIT_COMMON_DIR": str(git_dir),
        "GIT_OBJECT_DIRECTORY": str(git_dir / "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": "",
        "GIT_INDEX_FILE": str(git_dir / "index"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_COUNT": "0",
        "GIT_CONFIG_PARAMETERS": "",
        "GIT_ATTR_NOSYSTEM": "1",
        "HOME": str(git_dir),
        "XDG_CONFIG_HOME": str(git_dir),
    }


def find_repository(start: Path) -> Repository:
    """Return the repository that holds a folder or file.

    Raises: TaskError where there is none or it has no work tree, WorkspaceError where git refuses
    to read it.
    """
    folder = start if start.is_dir() else start.parent
    if not folder.is_dir():
        raise TaskError(
            f"{printable(str(start))} does not exist",
            remedy="name a folder inside a git repository",
        )
    facts = _ask(folder, "rev-parse", *_FACTS, "--revs-only", "HEAD")
    if facts.returncode != 0:
        raise _refusal(start, facts)
    bare, object_format, *places = os.fsdecode(facts.stdout).removesuffix("\n").split("\n")
    commit = places.pop() if _COMMIT.fullmatch(places[-1]) else ""
    if bare == "true" or len(places) != len(("git dir", "common dir", "top")):
        raise _no_work_tree(start, bare=bare == "true")
    git_dir, common_dir, top = map(Path, places)
    return Repository(
        top=top,
        git_dir=git_dir,
        common_dir=common_dir,
        commit=commit,
        object_format=object_format,
        settings=_settings(top),
    )


_FACTS: Final = (
    "--path-format=absolute",
    "--is-bare-repository",
    "--show-object-format",
    "--absolute-git-dir",
    "--git-common-dir",
    "--show-toplevel",
)
_COMMIT: Final = re.compile(r"[0-9a-f]{40,64}")


def _settings(top: Path) -> dict[str, str]:
    """Return the user's settings that matter here, the excludes file always among them."""
    found = {"core.excludesfile": str(platformdirs.user_config_path("git") / "ignore")}
    listed = _ask(top, "config", "--null", "--get-regexp", _SETTINGS_PATTERN).stdout
    for record in os.fsdecode(listed).split("\0"):
        name, newline, value = record.partition("\n")
        if name:
            found[name] = value if newline else "true"
    excludes = Path(found["core.excludesfile"])
    if excludes.parts[:1] == ("~",):
        excludes = Path.home().joinpath(*excludes.parts[1:])
    return found | {"core.excludesfile": str(top / excludes)}


def _ask(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Ask git about the user's repository, with the user's own configuration."""
    variables = {
        "HOME": str(Path.home()),
        "XDG_CONFIG_HOME": str(platformdirs.user_config_path()),
    }
    return _run_git(arguments, cwd=folder, variables=variables, stdin=b"")


def _run_git(
    arguments: Sequence[str],
    *,
    cwd: Path,
    variables: Mapping[str, str],
    stdin: bytes,
    wall_s: float = GIT_WALL_S,
) -> subprocess.CompletedProcess[bytes]:
    """Run git with exactly these variables: a GIT_DIR of the caller's environment is not seen."""
    program = _program()
    environment = {
        "PATH": f"{Path(program).parent}{os.pathsep}{os.defpath}",
        "LC_ALL": "C",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        **variables,
    }
    command = [program, *_FLAGS, *arguments]
    try:
        return subprocess.run(
            command,
            cwd=cwd,
            env=environment,
            input=stdin,
            capture_output=True,
            timeout=wall_s,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        raise WorkspaceError(
            f"git {arguments[0]} did not end within {wall_s:.0f} s in {cwd}",
            remedy="see whether `git status` ends there; a network file system may hang",
        ) from exc


@cache
def _program() -> str:
    program = shutil.which("git")
    if program is None:
        raise WorkspaceError("git is not installed", remedy="install it: apt-get install git")
    return program


def _refusal(start: Path, asked: subprocess.CompletedProcess[bytes]) -> TaskError | WorkspaceError:
    said = os.fsdecode(asked.stderr)
    place = printable(str(start))
    if "dubious ownership" in said:
        return WorkspaceError(
            f"{place} belongs to another user, so git refuses to read it",
            remedy=f"if you trust it: git config --global --add safe.directory {place}",
        )
    if "work tree" in said or "bare repository" in said:
        return _no_work_tree(start, bare=True)
    if "not a git repository" in said:
        return TaskError(
            f"{place} is not inside a git repository",
            remedy="go to a repository, or make one: git init && git add -A && git commit",
        )
    return WorkspaceError(
        f"git cannot read the repository at {place}: {_last_line(asked.stderr)}",
        remedy="run `git status` there; git must work before Greenloop can",
    )


def _no_work_tree(start: Path, *, bare: bool) -> TaskError:
    if bare:
        return TaskError(
            f"{printable(str(start))} is a bare repository or a git folder: it holds no files",
            remedy="clone it, and start from the clone",
        )
    return TaskError(
        f"{printable(str(start))}: a repository whose path holds a line break cannot be used",
        remedy="rename the folder",
    )


def _last_line(stderr: bytes) -> str:
    lines = os.fsdecode(stderr).strip().splitlines()
    return printable(lines[-1]) if lines else "it said nothing"
