"""What a front end wants to know before a run: is all there that it needs, which files are tests.

Starts no program of a repository and changes nothing; each answer comes within moments.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import anyio

from agent.config import Settings, find_top
from agent.engine import make_sandbox_engine
from agent.errors import AgentError
from agent.host.api import Condition
from agent.models.keys import key_place
from agent.models.profiles import find_profile
from agent.repo.languages import spec_of
from agent.task import RepoPath
from agent.workspace.names import list_paths
from sandbox.base import ProbeLine

PROBE_S: Final = 1.5


def test_files(repo: Path, *, state_dir: Path) -> tuple[RepoPath, ...]:
    """Return the files of a repository that hold tests, sorted. Blocking.

    Goes by names alone. Raises: TaskError, WorkspaceError.
    """
    return tuple(path for path in list_paths(repo, state_dir=state_dir) if _holds_tests(path))


def _holds_tests(path: RepoPath) -> bool:
    spec = spec_of(path)
    return spec is not None and spec.is_test_file(path)


async def condition(
    repo: Path | None, settings: Settings, variables: Mapping[str, str]
) -> Condition:
    """Say whether a run could be started there."""
    top = find_top(repo) if repo else None
    lines: tuple[ProbeLine, ...] = ()
    with anyio.move_on_after(PROBE_S):
        lines = await make_sandbox_engine(settings, variables).probe()
    engine_ok, engine_text, engine_remedy = _engine(settings.backend, lines)
    name, endpoint, text, remedy = _model(settings, variables)
    return Condition(
        repository=str(top) if top and (top / ".git").exists() else "",
        engine_ok=engine_ok,
        engine_text=engine_text,
        engine_remedy=engine_remedy,
        model=name,
        endpoint=endpoint,
        model_text=text,
        model_remedy=remedy,
    )


def _engine(backend: str, lines: tuple[ProbeLine, ...]) -> tuple[bool, str, str]:
    """Return whether the engine is fit, what it is or what is wrong, and what to do."""
    if not lines:
        return False, f"{backend} does not answer", "`greenloop doctor` shows what is found"
    wrong = next((line for line in lines if not line.ok), None)
    if wrong:
        what = wrong.value if wrong.name == "engine" else f"{wrong.name}: {wrong.value}"
        return False, what, wrong.remedy
    told = {line.name: line.value for line in lines}
    if backend == "docker":
        place = "local" if "(local)" in told.get("engine", "") else "remote"
        return True, f"Docker Engine {told.get('version', '')}, {place}", ""
    return True, f"{lines[0].name} {lines[0].value}", ""


def _model(settings: Settings, variables: Mapping[str, str]) -> tuple[str, str, str, str]:
    """Return the model's name, its endpoint, what is known of it, and what to do."""
    name = settings.model or ""
    if not name:
        remedy = "set `model` in your configuration file; `greenloop models` lists what is known"
        return "", "", "no model is set; failing tests are searched offline", remedy
    try:
        profile = find_profile(name, settings.models)
    except AgentError as error:
        return name, "", error.message, error.remedy
    endpoint = urlsplit(profile.base_url).hostname or ""
    place = key_place(profile, settings.models.get(name, {}), variables)
    if place.found:
        return name, endpoint, f"{profile.model or name} at {endpoint}", ""
    return name, endpoint, f"no key for {name}", f"{place.text}"
