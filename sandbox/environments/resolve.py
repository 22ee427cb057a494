"""Decides in which environment the tests of a repository run: a named image, or the host's."""

import os
import pwd
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import urlparse

from sandbox.base import Environment, ProbeLine
from sandbox.environments.folders import is_file
from sandbox.environments.host import host_environment
from sandbox.environments.image import image_environment
from sandbox.environments.node import node_environment
from sandbox.environments.places import Place
from sandbox.environments.pythons import Unusable
from sandbox.environments.search import Finding, Usable, search
from sandbox.errors import EnvironmentMissing

NODE: Final = "node"
"""In the place of a Python module: the repository's tests run on Node.js."""
_USE_IMAGE: Final = "set `image` to a container image that has the project's dependencies"


def resolve_environment(
    repo: Path, *, image: str | None, variables: Mapping[str, str], module: str = "pytest"
) -> Environment:
    """Return the environment for a repository: the image if one is named, else the host's.

    `variables` is the developer's environment; only PATH, HOME, DOCKER_HOST and the variables of
    virtualenvs, pyenv, poetry, pipenv, conda, uv, go and cargo are looked at, and none is passed
    on. A caller that does not use Docker leaves DOCKER_HOST out. Programs are never started.
    Blocks for some milliseconds of reading files. With `NODE` as module no Python is looked for.

    Raises: EnvironmentMissing if no Python here can import `module`, with what would mend it.
    """
    if image:
        return image_environment(image)
    _refuse_unless_local(variables)
    repo, home = _absolute(repo), _home(variables)
    if module == NODE:
        return node_environment(repo, variables=variables, home=home)
    passed_over: list[tuple[Place, Unusable]] = []
    for finding in search(repo, variables=variables, home=home, module=module):
        match finding.outcome:
            case Usable() as usable:
                environment = host_environment(
                    repo, finding.place, usable, variables=variables, home=home
                )
                return _with_passed_over(environment, passed_over)
            case Unusable(must_be_mended=True) as trouble:
                raise EnvironmentMissing(
                    f"{finding.place.name}: {trouble.reason}", remedy=trouble.remedy
                )
            case Unusable() as trouble:
                passed_over.append((finding.place, trouble))
            case None:
                pass
    raise _nothing_found(repo, passed_over, module)


def describe_search(
    repo: Path, *, image: str | None, variables: Mapping[str, str], module: str = "pytest"
) -> tuple[ProbeLine, ...]:
    """Return every place that was looked at and what it gave, and at the end what is taken.

    Never raises; what `resolve_environment` would refuse is the last line, with its remedy. A
    place that does not serve is no fault as long as another does.
    """
    lines: list[ProbeLine] = []
    repo = _absolute(repo)
    if not image and module != NODE:
        home = _home(variables)
        findings = search(repo, variables=variables, home=home, module=module)
        taken = False
        for finding in findings:
            lines.append(_line(finding, taken=taken))
            taken = taken or isinstance(finding.outcome, Usable)
    try:
        environment = resolve_environment(repo, image=image, variables=variables, module=module)
    except EnvironmentMissing as missing:
        final = ProbeLine(
            name="environment", value=missing.message, ok=False, remedy=missing.remedy
        )
    else:
        final = ProbeLine(name="environment", value=environment.why, ok=True)
    return (*lines, final)


def _refuse_unless_local(variables: Mapping[str, str]) -> None:
    """Refuse where folders of this machine cannot be mounted into a container.

    Raises: EnvironmentMissing.
    """
    if sys.platform != "linux":
        raise EnvironmentMissing(
            "the host's own toolchain can only be used on Linux", remedy=_USE_IMAGE
        )
    host = urlparse(variables.get("DOCKER_HOST", ""))
    if host.scheme in ("tcp", "ssh", "http", "https"):
        raise EnvironmentMissing(
            f"the engine at {host.scheme}://{host.hostname} is another machine, "
            "which does not have this one's toolchain",
            remedy=f"{_USE_IMAGE}, or unset DOCKER_HOST",
        )


def _line(finding: Finding, *, taken: bool) -> ProbeLine:
    name = f"python ({finding.place.name})"
    match finding.outcome:
        case None:
            return ProbeLine(name=name, value=finding.place.said, ok=True)
        case Unusable() as trouble:
            repeats = trouble.reason.startswith(finding.place.said)
            value = trouble.reason if repeats else f"{finding.place.said}: {trouble.reason}"
            stops = trouble.must_be_mended and not taken
            remedy = "" if finding.place.is_general else trouble.remedy
            return ProbeLine(name=name, value=value, ok=not stops, remedy=remedy)
        case Usable() as usable:
            why = "would serve too, but comes later" if taken else "taken"
            value = f"{finding.place.said}: Python {usable.python.version}, {why}"
            return ProbeLine(name=name, value=value, ok=True)


def _with_passed_over(
    environment: Environment, passed_over: Iterable[tuple[Place, Unusable]]
) -> Environment:
    """Say in `why` which nearer places did not serve, so that no choice is silent."""
    notes = [
        f"passed over {place.name}: {trouble.reason}"
        for place, trouble in passed_over
        if not place.is_general
    ]
    return replace(environment, why="; ".join([environment.why, *notes]))


def _nothing_found(
    repo: Path, passed_over: Sequence[tuple[Place, Unusable]], module: str
) -> EnvironmentMissing:
    """Return the refusal, with the remedy that lies nearest to the project."""
    message = f"no Python for {repo} can import {module}"
    if passed_over:
        reasons = [f"{place.name}: {trouble.reason}" for place, trouble in passed_over[:4]]
        message += f" ({'; '.join(reasons)})"
    own = [trouble.remedy for place, trouble in passed_over if not place.is_general]
    return EnvironmentMissing(message, remedy=_remedy(repo, [text for text in own if text], module))


def _remedy(repo: Path, own: Sequence[str], module: str) -> str:
    """Return the command for the tool by which the project is set up."""
    if is_file(repo / "uv.lock"):
        return f"uv sync  (and `uv add --dev {module}` if the project does not name it)"
    if is_file(repo / "poetry.lock"):
        return f"poetry install  (and `poetry add --group dev {module}` if it is not named)"
    if own:
        return own[0]
    venv = repo / ".venv"
    return f"python3 -m venv {venv} && {venv}/bin/pip install {module} -e {repo}"


def _home(variables: Mapping[str, str]) -> Path:
    return Path(variables.get("HOME") or pwd.getpwuid(os.getuid()).pw_dir)


def _absolute(repo: Path) -> Path:
    return Path(os.path.abspath(repo))  # noqa: PTH100 (links stay: the tree has the user's path)
