from pathlib import Path

import pytest

from sandbox.environments.managers import (
    conda_environment,
    pipenv_environment,
    poetry_environments,
    poetry_stem,
    pointed_at,
    read_toml,
)


def a_poetry_project(repo: Path, text: str = '[tool.poetry]\nname = "My Proj.X"\n') -> str:
    repo.mkdir(exist_ok=True)
    (repo / "pyproject.toml").write_text(text)
    return poetry_stem("My Proj.X", repo)


def test_name_is_the_one_that_poetry_gave():
    """Observed with poetry 2.x in this very folder (2026-11)."""
    assert poetry_stem("My Proj.X", Path("/srv/demo")) == "my_proj-x-kmV0tCee"


def test_pipenv_name_is_built_from_folder_and_pipfile(tmp_path):
    repo = tmp_path / "p 2"
    repo.mkdir()
    assert pipenv_environment(repo, {}, tmp_path) is None
    (repo / "Pipfile").write_text("")

    found = pipenv_environment(repo, {}, tmp_path)
    assert found is not None
    assert found.parent == tmp_path / ".local/share/virtualenvs"
    assert found.name.startswith("p_2-")
    assert len(found.name) == len("p_2-") + 8


def test_pipenv_respects_its_variables(tmp_path):
    (tmp_path / "Pipfile").write_text("")
    named = {"WORKON_HOME": "/envs", "PIPENV_CUSTOM_VENV_NAME": "mine"}

    assert pipenv_environment(tmp_path, named, tmp_path) == Path("/envs/mine")
    moved = pipenv_environment(tmp_path, {"XDG_DATA_HOME": "/data"}, tmp_path)
    assert moved is not None
    assert moved.parent == Path("/data/virtualenvs")


def test_poetry_environments_are_newest_first_and_the_chosen_one_before_all(tmp_path):
    stem = a_poetry_project(tmp_path / "repo")
    folder = tmp_path / ".cache/pypoetry/virtualenvs"
    for version in ("3.9", "3.11", "3.10"):
        (folder / f"{stem}-py{version}").mkdir(parents=True)

    def names() -> list[str]:
        found = poetry_environments(tmp_path / "repo", {}, tmp_path)
        return [path.name.removeprefix(stem) for path in found]

    assert names() == ["-py3.11", "-py3.10", "-py3.9"]
    (folder / "envs.toml").write_text(f'[{stem}]\nminor = "3.10"\npatch = "3.10.1"\n')
    assert names() == ["-py3.10", "-py3.11", "-py3.9"]


@pytest.mark.parametrize(
    ("variables", "config", "folder"),
    [
        ({"POETRY_VIRTUALENVS_PATH": "{top}/a"}, "", "a"),
        ({"POETRY_CACHE_DIR": "{top}/c"}, "", "c/virtualenvs"),
        ({"XDG_CACHE_HOME": "{top}/x"}, "", "x/pypoetry/virtualenvs"),
        ({}, '[virtualenvs]\npath = "{top}/v"', "v"),
        ({}, 'cache-dir = "{top}/d"\n[virtualenvs]\npath = "{cache-dir}/e"', "d/e"),
    ],
)
def test_poetry_environments_are_found_where_its_settings_say(tmp_path, variables, config, folder):
    stem = a_poetry_project(tmp_path / "repo")
    (tmp_path / folder / f"{stem}-py3.12").mkdir(parents=True)
    (tmp_path / ".config/pypoetry").mkdir(parents=True)
    written = config.replace("{top}", str(tmp_path))
    (tmp_path / ".config/pypoetry/config.toml").write_text(written)
    named = {key: value.replace("{top}", str(tmp_path)) for key, value in variables.items()}

    assert poetry_environments(tmp_path / "repo", named, tmp_path) == [
        tmp_path / folder / f"{stem}-py3.12"
    ]


@pytest.mark.parametrize(
    "text",
    ['[project]\nname = "x"\n', "", "not toml [", "tool = 1\n", "[tool.poetry\n"],
)
def test_project_without_poetry_has_no_environment_of_poetry(tmp_path, text):
    a_poetry_project(tmp_path / "repo", text)

    assert poetry_environments(tmp_path / "repo", {}, tmp_path) == []


def test_poetry_project_may_be_named_by_the_standard_table_or_not_at_all(tmp_path):
    backend = '[build-system]\nbuild-backend = "poetry.core.masonry.api"\n'
    folder = tmp_path / ".cache/pypoetry/virtualenvs"
    for text, name in (
        ('[project]\nname = "demo"\n' + backend, "demo"),
        (backend, "non-package-mode"),
    ):
        a_poetry_project(tmp_path / "repo", text)
        expected = folder / f"{poetry_stem(name, tmp_path / 'repo')}-py3.12"
        expected.mkdir(parents=True)

        assert poetry_environments(tmp_path / "repo", {}, tmp_path) == [expected]


def test_conda_environment_is_the_one_the_project_names(tmp_path):
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo/environment.yml").write_text("channels: [x]\nname: 'science'\n")
    assert conda_environment(tmp_path / "repo", {}, tmp_path) is None
    (tmp_path / "miniforge3/envs/science").mkdir(parents=True)

    assert conda_environment(tmp_path / "repo", {}, tmp_path) == (
        tmp_path / "miniforge3/envs/science"
    )


@pytest.mark.parametrize("active", ["conda", "conda/envs/other"])
def test_conda_environment_is_looked_for_beside_the_active_one(tmp_path, active):
    (tmp_path / "environment.yaml").write_text("name: science\n")
    (tmp_path / "conda/envs/science").mkdir(parents=True)
    found = conda_environment(tmp_path, {"CONDA_PREFIX": str(tmp_path / active)}, tmp_path / "h")

    assert found == tmp_path / "conda/envs/science"


@pytest.mark.parametrize("name", ["base", "..", "a/b/../../..", ""])
def test_strange_conda_names_are_not_followed(tmp_path, name):
    (tmp_path / "environment.yml").write_text(f"name: {name}\n")

    assert conda_environment(tmp_path, {}, tmp_path) is None


def test_file_called_venv_points_to_an_environment(tmp_path):
    (tmp_path / "named").write_text("/envs/mine\n")
    (tmp_path / "relative").write_text("mine")
    (tmp_path / "long").write_text("/a\n/b")

    assert pointed_at(tmp_path / "named") == Path("/envs/mine")
    assert pointed_at(tmp_path / "relative") is None
    assert pointed_at(tmp_path / "long") is None
    assert pointed_at(tmp_path) is None
    assert pointed_at(tmp_path / "missing") is None


def test_broken_or_missing_toml_is_empty(tmp_path):
    (tmp_path / "bad.toml").write_bytes(b"\xff = [")

    assert read_toml(tmp_path / "bad.toml") == {}
    assert read_toml(tmp_path / "missing.toml") == {}
