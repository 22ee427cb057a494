"""Where poetry, pipenv and conda keep the environment of a project, computed from their rules.

The programs themselves are not started: that would cost seconds, and they read files of the
repository. The naming rules are those of poetry 1.x and 2.x, pipenv 2023+ and conda 4.6+.
"""

import base64
import hashlib
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.environments.folders import follow, is_file, is_folder, names_in

_CONDA_HOMES = ("miniconda3", "anaconda3", "miniforge3", "mambaforge", "micromamba", ".conda")


def poetry_environments(repo: Path, variables: Mapping[str, str], home: Path) -> list[Path]:
    """Return the virtualenvs that poetry made for this project, its chosen one first."""
    project = read_toml(repo / "pyproject.toml")
    name = _poetry_name(project)
    if name is None:
        return []
    folder = _poetry_folder(variables, home)
    stem = poetry_stem(name, repo)
    named = (folder / name for name in names_in(folder) if name.startswith(f"{stem}-py"))
    found = sorted(named, key=_natural, reverse=True)
    chosen = read_toml(folder / "envs.toml").get(stem, {})
    minor = chosen.get("minor") if isinstance(chosen, dict) else None
    return sorted(found, key=lambda path: path.name != f"{stem}-py{minor}")


def poetry_stem(name: str, repo: Path) -> str:
    """Return poetry's name for the virtualenvs of a project: its name and a hash of its folder."""
    canonical = re.sub(r"[-_.]+", "-", name).lower()
    clean = re.sub(r'[ $`!*@"\\\r\n\t]', "_", canonical)[:42]
    return f"{clean}-{_short_hash(str(follow(repo)))[:8]}"


def pipenv_environment(repo: Path, variables: Mapping[str, str], home: Path) -> Path | None:
    """Return where pipenv keeps the virtualenv of this project; None without a Pipfile."""
    pipfile = repo / "Pipfile"
    if not is_file(pipfile):
        return None
    workon = variables.get("WORKON_HOME")
    folder = Path(workon) if workon else _data_home(variables, home) / "virtualenvs"
    clean = re.sub(r'[ &$`!*@"()\[\]\\\r\n\t]', "_", repo.name)[:42]
    named = variables.get("PIPENV_CUSTOM_VENV_NAME")
    return folder / (named or f"{clean}-{_short_hash(str(pipfile))[:8]}")


def conda_environment(repo: Path, variables: Mapping[str, str], home: Path) -> Path | None:
    """Return the conda environment that the project's environment file names, if it is there."""
    for name in ("environment.yml", "environment.yaml"):
        try:
            text = (repo / name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        found = re.search(r"^name:\s*['\"]?([\w.-]+)", text, re.MULTILINE)
        if found and found[1] not in ("base", ".", ".."):
            folders = (folder / found[1] for folder in _conda_folders(variables, home))
            return next((folder for folder in folders if is_folder(folder)), None)
    return None


def pointed_at(file: Path) -> Path | None:
    """Return the environment that a file named `.venv` points to (pipenv and virtualenvwrapper)."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace").strip() if is_file(file) else ""
    except OSError:
        return None
    return Path(text) if text.startswith("/") and "\n" not in text else None


def read_toml(path: Path) -> dict[str, Any]:
    """Return a TOML file's content; empty if it is missing or broken."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _poetry_name(project: dict[str, Any]) -> str | None:
    """Return the project name that poetry would use; None if poetry does not manage it."""
    tools = project.get("tool")
    poetry = tools.get("poetry") if isinstance(tools, dict) else None
    build = str(project.get("build-system", ""))
    if not isinstance(poetry, dict) and "poetry" not in build:
        return None
    tables = (project.get("project"), poetry)
    names = (table.get("name") for table in tables if isinstance(table, dict))
    return next((name for name in names if isinstance(name, str)), "non-package-mode")


def _poetry_folder(variables: Mapping[str, str], home: Path) -> Path:
    """Return the folder of poetry's virtualenvs: variable, user configuration, default."""
    config_home = Path(variables.get("XDG_CONFIG_HOME") or home / ".config")
    config = read_toml(config_home / "pypoetry" / "config.toml")
    cache = variables.get("POETRY_CACHE_DIR") or config.get("cache-dir")
    cache = cache or Path(variables.get("XDG_CACHE_HOME") or home / ".cache") / "pypoetry"
    table = config.get("virtualenvs")
    set_path = table.get("path") if isinstance(table, dict) else None
    path = variables.get("POETRY_VIRTUALENVS_PATH") or set_path or "{cache-dir}/virtualenvs"
    return Path(str(path).replace("{cache-dir}", str(cache)))


def _conda_folders(variables: Mapping[str, str], home: Path) -> list[Path]:
    """Return the folders that hold conda environments."""
    roots = [home / name for name in _CONDA_HOMES]
    if active := variables.get("CONDA_PREFIX"):
        prefix = Path(active)
        roots.insert(0, prefix.parents[1] if prefix.parent.name == "envs" else prefix)
    return [root / "envs" for root in roots]


def _data_home(variables: Mapping[str, str], home: Path) -> Path:
    return Path(variables.get("XDG_DATA_HOME") or home / ".local" / "share")


def _short_hash(text: str) -> str:
    """Return the hash that poetry and pipenv both put into names."""
    return base64.urlsafe_b64encode(hashlib.sha256(os.fsencode(text)).digest()).decode()


def _natural(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", path.name.rpartition("-py")[2])]
