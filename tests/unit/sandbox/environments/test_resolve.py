"""From a repository and a shell's variables to an environment, on made-up machines."""

import os
import shutil
from pathlib import Path

import pytest

from sandbox.base import ProbeLine
from sandbox.environments import describe_search, resolve_environment
from sandbox.errors import EnvironmentMissing
from tests.support.installations import (
    install,
    install_editable,
    make_installation,
    make_virtualenv,
)


class Machine:
    """A home folder, a repository and a PATH, all below one folder."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.home = top / "home"
        self.repo = top / "home/work/repo"
        self.repo.mkdir(parents=True)
        self.variables = {"HOME": str(self.home), "PATH": ""}

    def installation(self, name: str, version: str = "3.12.1", *, with_pytest: bool = True) -> Path:
        make_installation(self.top / name, version)
        if with_pytest:
            tag = "python" + ".".join(version.split(".")[:2])
            install(self.top / name / "lib" / tag / "site-packages")
        return self.top / name

    def virtualenv(self, folder: Path, *, with_pytest: bool = True, more: str = "") -> Path:
        if not (self.top / "base").exists():
            self.installation("base", with_pytest=False)
        site = make_virtualenv(folder, self.top / "base", more=more)
        if with_pytest:
            install(site)
        return site

    def on_path(self, *folders: Path) -> None:
        self.variables["PATH"] = ":".join(str(folder / "bin") for folder in folders)

    def interpreter(self) -> str | None:
        return resolve_environment(self.repo, image=None, variables=self.variables).interpreter

    def refusal(self) -> EnvironmentMissing:
        with pytest.raises(EnvironmentMissing) as caught:
            resolve_environment(self.repo, image=None, variables=self.variables)
        return caught.value

    def lines(self) -> dict[str, ProbeLine]:
        found = describe_search(self.repo, image=None, variables=self.variables)
        return {line.name: line for line in found}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_virtualenv_of_the_repository_comes_first(machine):
    machine.virtualenv(machine.repo / ".venv")
    machine.virtualenv(machine.top / "active")
    machine.variables["VIRTUAL_ENV"] = str(machine.top / "active")
    machine.on_path(machine.installation("general"))

    assert machine.interpreter() == f"{machine.repo}/.venv/bin/python"


@pytest.mark.parametrize("name", [b"with space", b"caf\xe9", b"a\nb", b"a,b:c=d", b"'\"$x"])
def test_repository_with_an_odd_name_is_served_as_any_other(machine, name):
    machine.repo = machine.top / os.fsdecode(name)
    site = machine.virtualenv(machine.repo / ".venv")
    (machine.repo / "src").mkdir()
    (site / "demo.pth").write_bytes(os.fsencode(machine.repo / "src") + b"\n")
    environment = resolve_environment(machine.repo, image=None, variables=machine.variables)

    assert environment.interpreter == f"{machine.repo}/.venv/bin/python"
    assert f"{machine.repo}/.venv" in {mount.target for mount in environment.mounts}
    assert len(environment.identity) == 64


def test_environment_says_what_it_is_and_why(machine):
    machine.virtualenv(machine.repo / ".venv")
    environment = resolve_environment(machine.repo, image=None, variables=machine.variables)

    assert environment.kind == "host"
    assert environment.why == (
        f"Python 3.12.1 with pytest 8.3.2 from .venv: virtualenv {machine.repo}/.venv"
    )
    assert environment.variables == {
        "LANG": "C.UTF-8",
        "TMPDIR": "/tmp",
        "PYTHONDONTWRITEBYTECODE": "1",
        "VIRTUAL_ENV": f"{machine.repo}/.venv",
        "PATH": f"{machine.repo}/.venv/bin:"
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    }
    own = [m.target for m in environment.mounts if m.target.startswith(str(machine.top))]
    assert own == [str(machine.top / "base"), f"{machine.repo}/.venv"]
    assert {"/usr"} <= {m.target for m in environment.mounts}


@pytest.mark.parametrize(
    ("variable", "expected"),
    [("VIRTUAL_ENV", "env"), ("CONDA_PREFIX", "env"), ("UV_PROJECT_ENVIRONMENT", "env")],
)
def test_environment_of_the_shell_is_taken(machine, variable, expected):
    machine.virtualenv(machine.top / "env")
    machine.variables[variable] = str(machine.top / "env")

    assert machine.interpreter() == str(machine.top / expected / "bin/python")


def test_active_virtualenv_of_a_repository_reached_through_a_link_is_in_the_tree(machine):
    machine.virtualenv(machine.repo / "myenv")
    (machine.top / "shortcut").symlink_to(machine.repo)
    machine.variables["VIRTUAL_ENV"] = f"{machine.top}/shortcut/myenv"

    assert machine.interpreter() == f"{machine.repo}/myenv/bin/python"


def test_environment_of_the_project_for_uv_may_be_relative(machine):
    machine.virtualenv(machine.repo / "env-uv")
    machine.variables["UV_PROJECT_ENVIRONMENT"] = "env-uv"

    assert machine.interpreter() == f"{machine.repo}/env-uv/bin/python"


def test_conda_environment_says_its_prefix_to_programs(machine):
    conda = machine.installation("conda")
    (conda / "conda-meta").mkdir()
    (conda / ".condarc").write_text("token: canary")
    machine.variables["CONDA_PREFIX"] = str(conda)
    environment = resolve_environment(machine.repo, image=None, variables=machine.variables)

    assert environment.variables["CONDA_PREFIX"] == str(conda)
    own = [m.target for m in environment.mounts if m.target.startswith(str(conda))]
    assert own == [str(conda / name) for name in ("bin", "conda-meta", "include", "lib")]


def test_file_called_venv_is_followed(machine):
    machine.virtualenv(machine.top / "envs/mine")
    (machine.repo / ".venv").write_text(f"{machine.top}/envs/mine\n")

    assert machine.interpreter() == f"{machine.top}/envs/mine/bin/python"


def test_linked_virtualenv_is_entered_where_it_really_is(machine):
    machine.virtualenv(machine.top / "envs/mine")
    (machine.repo / ".venv").symlink_to(machine.top / "envs/mine")

    assert machine.interpreter() == f"{machine.top}/envs/mine/bin/python"


def test_environments_of_poetry_and_pipenv_are_found(machine):
    from sandbox.environments.managers import pipenv_environment, poetry_stem

    (machine.repo / "Pipfile").write_text("")
    pipenv = pipenv_environment(machine.repo, {}, machine.home)
    assert pipenv is not None
    machine.virtualenv(pipenv)
    assert machine.interpreter() == f"{pipenv}/bin/python"

    (machine.repo / "pyproject.toml").write_text('[tool.poetry]\nname = "demo"\n')
    stem = poetry_stem("demo", machine.repo)
    poetry = machine.home / ".cache/pypoetry/virtualenvs" / f"{stem}-py3.12"
    machine.virtualenv(poetry)
    assert machine.interpreter() == f"{poetry}/bin/python"


def make_pyenv(machine: Machine) -> Path:
    root = machine.home / ".pyenv"
    for version in ("3.11.7", "3.12.1"):
        machine.installation(f"home/.pyenv/versions/{version}", version)
    (root / "shims").mkdir()
    (root / "shims/python3").write_text("#!/bin/sh\nexec pyenv\n")
    (root / "version").write_text("3.11.7\n")
    return root


def test_version_that_the_repository_names_is_taken_from_pyenv(machine):
    root = make_pyenv(machine)
    (machine.repo / ".python-version").write_text("3.12\n")

    assert machine.interpreter() == f"{root}/versions/3.12.1/bin/python"


def test_shims_on_path_lead_to_the_global_version(machine):
    root = make_pyenv(machine)
    general = machine.installation("general")
    machine.variables["PATH"] = f"{root}/shims:{general}/bin"
    assert machine.interpreter() == f"{root}/versions/3.11.7/bin/python"

    (root / "version").write_text("system\n")
    assert machine.interpreter() == f"{general}/bin/python3"

    (root / "version").unlink()
    assert machine.interpreter() == f"{general}/bin/python3"


def test_version_that_pyenv_lacks_is_told(machine):
    make_pyenv(machine)
    (machine.repo / ".python-version").write_text("3.14\n")
    machine.on_path(machine.installation("general"))

    assert "asks for 3.14, which pyenv has not installed" in machine.lines()["python (pyenv)"].value


def test_first_python_on_path_that_can_import_the_module_is_taken(machine):
    without = machine.installation("without", with_pytest=False)
    with_pytest = machine.installation("with")
    later = machine.installation("later")
    machine.on_path(without, with_pytest, later)

    assert machine.interpreter() == f"{with_pytest}/bin/python3"


def test_numbered_pythons_on_path_come_last(machine):
    only_numbered = machine.installation("numbered", "3.9.18")
    for name in ("python3", "python"):
        (only_numbered / "bin" / name).unlink()
    machine.on_path(only_numbered)

    assert machine.interpreter() == f"{only_numbered}/bin/python3.9"


def test_folders_of_path_inside_the_repository_are_not_trusted(machine):
    hostile = machine.installation("home/work/repo/tools")
    machine.variables["PATH"] = f".:{hostile}/bin"

    assert "no Python" in machine.refusal().message


def test_link_in_a_private_folder_is_replaced_by_what_it_leads_to(machine):
    real = machine.installation("home/.local/share/uv/python/cpython-3.12.1")
    (machine.home / ".local/bin").mkdir()
    (machine.home / ".local/bin/python3").symlink_to(real / "bin/python3.12")
    machine.variables["PATH"] = str(machine.home / ".local/bin")
    environment = resolve_environment(machine.repo, image=None, variables=machine.variables)

    assert environment.interpreter == f"{real}/bin/python3.12"
    assert environment.variables["PATH"].startswith(f"{real}/bin:")
    assert not any(".local/bin" in link for link in environment.links)


def test_virtualenv_made_from_a_link_in_a_private_folder_keeps_the_link(machine):
    real = machine.installation("home/.local/share/uv/python/cpython-3.12.1", with_pytest=False)
    programs = machine.home / ".local/bin"
    programs.mkdir()
    (programs / "python3.12").symlink_to(real / "bin/python3.12")
    (programs / "secret").write_text("canary")
    site = machine.virtualenv(machine.repo / ".venv")
    (machine.repo / ".venv/bin/python").unlink()
    (machine.repo / ".venv/bin/python").symlink_to(programs / "python3.12")
    (machine.repo / ".venv/pyvenv.cfg").write_text(f"home = {programs}\nversion = 3.12.1\n")
    environment = resolve_environment(machine.repo, image=None, variables=machine.variables)

    assert environment.links[f"{programs}/python3.12"] == f"{real}/bin/python3.12"
    assert str(programs) not in {mount.target for mount in environment.mounts}
    assert str(real) in {mount.target for mount in environment.mounts}
    assert site.exists()


def test_project_requirement_rules_out_older_pythons_of_the_machine(machine):
    (machine.repo / "pyproject.toml").write_text('[project]\nrequires-python = ">=3.11"\n')
    old = machine.installation("old", "3.9.18")
    new = machine.installation("new", "3.12.1")
    machine.on_path(old, new)

    assert machine.interpreter() == f"{new}/bin/python3"
    values = [
        line.value
        for line in describe_search(machine.repo, image=None, variables=machine.variables)
    ]
    assert any("is Python 3.9.18; the project requires 3.11 or newer" in value for value in values)


def test_virtualenv_without_pytest_is_passed_over_aloud(machine):
    machine.virtualenv(machine.repo / ".venv", with_pytest=False)
    machine.on_path(machine.installation("general"))
    environment = resolve_environment(machine.repo, image=None, variables=machine.variables)

    assert environment.interpreter == f"{machine.top}/general/bin/python3"
    assert "passed over .venv: Python 3.12.1 cannot import pytest" in environment.why


def test_virtualenv_that_git_tracks_is_passed_over(machine):
    import subprocess

    machine.virtualenv(machine.repo / ".venv")
    subprocess.run(["git", "-C", machine.repo, "init", "-q"], check=True)
    subprocess.run(["git", "-C", machine.repo, "add", "-f", ".venv"], check=True)

    assert "is tracked by git" in machine.refusal().message
    assert "git rm" in machine.refusal().remedy


@pytest.mark.parametrize(
    ("lock", "more", "remedy"),
    [
        ("", "", "{repo}/.venv/bin/python -m pip install pytest"),
        ("", "uv = 0.5\n", "uv pip install --python {repo}/.venv pytest"),
        ("uv.lock", "", "uv sync"),
        ("poetry.lock", "", "poetry install"),
    ],
)
def test_remedy_is_the_command_of_the_tool_that_made_the_environment(machine, lock, more, remedy):
    machine.virtualenv(machine.repo / ".venv", with_pytest=False, more=more)
    if lock:
        (machine.repo / lock).write_text("")

    assert machine.refusal().remedy.startswith(remedy.format(repo=machine.repo))
    assert "cannot import pytest" in machine.refusal().message


def test_machine_without_any_python_gets_the_whole_recipe(machine):
    refusal = machine.refusal()

    assert refusal.message == f"no Python for {machine.repo} can import pytest"
    assert refusal.remedy == (
        f"python3 -m venv {machine.repo}/.venv && "
        f"{machine.repo}/.venv/bin/pip install pytest -e {machine.repo}"
    )


def test_empty_folder_in_the_place_of_a_virtualenv_is_told(machine):
    (machine.repo / ".venv").mkdir()

    assert f".venv: {machine.repo}/.venv has no bin/python" in machine.refusal().message


@pytest.mark.parametrize("closed", ["lib/python3.12/site-packages", "bin", "."])
def test_virtualenv_made_with_a_strict_umask_is_refused_with_the_command(machine, closed):
    machine.virtualenv(machine.repo / ".venv")
    machine.on_path(machine.installation("general"))
    folder = machine.repo / ".venv" / closed
    folder.chmod(0o700 if os.getuid() == 0 else 0o300)
    refusal, lines = machine.refusal(), machine.lines()
    folder.chmod(0o755)

    assert [name for name, line in lines.items() if not line.ok] == [
        "python (.venv)",
        "environment",
    ]
    assert "umask 077" in refusal.message
    assert refusal.remedy == f"chmod -R a+rX {machine.repo}/.venv"


def test_single_package_that_others_cannot_read_is_refused_in_a_virtualenv(machine):
    site = machine.virtualenv(machine.repo / ".venv")
    package = install(site, "requests", "2.0")
    package.chmod(0o000)
    refusal = machine.refusal()
    package.chmod(0o755)

    assert str(package) in refusal.message
    assert refusal.remedy == f"chmod -R a+rX {site}"


def test_single_package_that_others_cannot_read_is_told_for_an_installation(machine):
    general = machine.installation("general")
    package = install(general / "lib/python3.12/site-packages", "requests", "2.0")
    package.chmod(0o000)
    machine.on_path(general)
    environment = resolve_environment(machine.repo, image=None, variables=machine.variables)
    package.chmod(0o755)

    assert f"{package} is not readable" in environment.why


def test_user_site_is_shown_alone_and_named_to_python(machine):
    general = machine.installation("general", with_pytest=False)
    user = machine.home / ".local/lib/python3.12/site-packages"
    user.mkdir(parents=True)
    install(user)
    (machine.home / ".local/share/keyrings").mkdir(parents=True)
    machine.on_path(general)
    environment = resolve_environment(machine.repo, image=None, variables=machine.variables)

    assert environment.variables["PYTHONUSERBASE"] == f"{machine.home}/.local"
    in_home = [m.target for m in environment.mounts if m.target.startswith(str(machine.home))]
    assert in_home == [str(user)]


def test_editable_install_of_the_repository_is_left_to_the_tree(machine):
    site = machine.virtualenv(machine.repo / ".venv")
    (machine.repo / "src").mkdir()
    (site / "_demo.pth").write_text(f"{machine.repo}/src\n")
    environment = resolve_environment(machine.repo, image=None, variables=machine.variables)

    assert f"imports {machine.repo}/src from the tree" in environment.why
    assert f"{machine.repo}/src" not in {mount.target for mount in environment.mounts}


def test_generated_files_are_shown_in_their_place_and_told(machine):
    machine.virtualenv(machine.repo / ".venv")
    (machine.repo / ".git").mkdir()
    for number in range(5):
        package = machine.repo / "src" / f"demo{number}"
        package.mkdir(parents=True)
        (package / "_version.py").write_text("")
    environment = resolve_environment(machine.repo, image=None, variables=machine.variables)

    assert "generated and not in git, read-only: src/demo0/_version.py, " in environment.why
    assert " and 2 more" in environment.why
    own = [m.target for m in environment.mounts if "/src/" in m.target]
    assert own == [f"{machine.repo}/src/demo{number}/_version.py" for number in range(5)]


def test_rebuilt_extension_changes_the_identity(machine):
    machine.virtualenv(machine.repo / ".venv")
    (machine.repo / ".git").mkdir()
    (machine.repo / "src").mkdir()
    (machine.repo / "src/fast.so").write_bytes(b"one")
    first = resolve_environment(machine.repo, image=None, variables=machine.variables)
    (machine.repo / "src/fast.so").write_bytes(b"another")
    second = resolve_environment(machine.repo, image=None, variables=machine.variables)

    assert first.identity != second.identity


@pytest.mark.parametrize("way", ["copy", "record", "pth", "absent"])
def test_project_that_is_installed_as_a_copy_is_told(machine, way):
    site = machine.virtualenv(machine.repo / ".venv")
    (machine.repo / "pyproject.toml").write_text('[project]\nname = "my-demo"\n')
    if way == "record":
        install_editable(site, "my_demo", machine.repo)
    elif way != "absent":
        install(site, "my_demo", "1.0")
    if way == "pth":
        (site / "demo.pth").write_text(f"{machine.repo}\n")
    environment = resolve_environment(machine.repo, image=None, variables=machine.variables)

    told = "my-demo 1.0 is installed as a copy, so tests may not see edits" in environment.why
    assert told == (way == "copy")


def test_repository_under_another_name_is_linked_to_the_tree(machine):
    site = machine.virtualenv(machine.repo / ".venv")
    (machine.repo / "src").mkdir()
    (machine.top / "shortcut").symlink_to(machine.repo)
    (site / "_demo.pth").write_text(f"{machine.top}/shortcut/src\n")
    environment = resolve_environment(machine.repo, image=None, variables=machine.variables)

    assert environment.links[f"{machine.top}/shortcut"] == str(machine.repo)


def test_editable_install_of_something_secret_is_not_shown(machine):
    site = machine.virtualenv(machine.repo / ".venv")
    (machine.home / ".ssh").mkdir()
    (machine.home / ".ssh/id.py").write_text("")
    (site / "a.pth").write_text(f"{machine.home}/.ssh\n{machine.home}\n{machine.repo.parent}\n")
    environment = resolve_environment(machine.repo, image=None, variables=machine.variables)

    shown = {mount.target for mount in environment.mounts}
    assert shown.isdisjoint({str(machine.home), f"{machine.home}/.ssh", f"{machine.home}/work"})
    assert environment.why.count("not shown: ") == 3


@pytest.mark.parametrize("place", ["work/repo/.venv", ".local/share/virtualenvs/repo"])
def test_checkout_inside_the_virtualenv_is_shown_beside_it(machine, place):
    site = machine.virtualenv(machine.home / place)
    machine.variables["VIRTUAL_ENV"] = str(machine.home / place)
    source = machine.home / place / "src/library/library"
    source.mkdir(parents=True)
    (site / "library.pth").write_text(f"{source.parent}\n")
    environment = resolve_environment(machine.repo, image=None, variables=machine.variables)

    assert str(source.parent) in {mount.target for mount in environment.mounts}


def test_site_folder_that_is_a_link_is_not_followed(machine):
    site = machine.virtualenv(machine.repo / ".venv", with_pytest=False)
    site.rmdir()
    (machine.home / ".mail").mkdir()
    install(machine.home / ".mail")
    site.symlink_to(machine.home / ".mail")
    environment = resolve_environment(machine.repo, image=None, variables=machine.variables)

    assert f"not shown: {site} is a link" in environment.why
    assert f"{machine.home}/.mail" not in {str(mount.source) for mount in environment.mounts}


def test_prefix_that_is_never_shown_is_named(machine):
    machine.virtualenv(machine.home / ".ssh/env")
    machine.variables["VIRTUAL_ENV"] = f"{machine.home}/.ssh/env"
    environment = resolve_environment(machine.repo, image=None, variables=machine.variables)

    assert "not shown: " in environment.why
    assert ".ssh" not in "".join(mount.target for mount in environment.mounts)


def test_notes_and_variables_of_other_languages_are_added(machine):
    machine.virtualenv(machine.repo / ".venv")
    (machine.repo / "go.mod").write_text("module x\n")
    (machine.home / ".ssh/bin").mkdir(parents=True)
    (machine.home / ".ssh/bin/go").write_text("")
    machine.variables["PATH"] = f"{machine.home}/.ssh/bin"
    environment = resolve_environment(machine.repo, image=None, variables=machine.variables)

    assert environment.variables["GOPROXY"] == "off"
    assert "is below .ssh" in environment.why


def test_nothing_of_the_shell_passes_into_the_environment(machine):
    machine.virtualenv(machine.repo / ".venv")
    names = ("API_KEY", "LD_PRELOAD", "PYTHONPATH", "PYTHONSTARTUP", "http_proxy", "SSH_AUTH_SOCK")
    machine.variables |= dict.fromkeys(names, "canary")
    environment = resolve_environment(machine.repo, image=None, variables=machine.variables)

    assert "canary" not in repr(environment)
    assert set(names).isdisjoint(environment.variables)


def test_same_machine_gives_the_same_identity_and_a_changed_package_another(machine):
    site = machine.virtualenv(machine.repo / ".venv")

    def identity() -> str:
        found = resolve_environment(machine.repo, image=None, variables=machine.variables)
        return found.identity

    before = identity()
    assert identity() == before
    assert len(before) == 64
    install(site, "requests", "2.0")
    added = identity()
    assert added != before
    (site / "requests-2.0.dist-info").rename(site / "requests-2.1.dist-info")
    assert identity() not in (before, added)
    shutil.rmtree(site / "requests")
    (site / "requests-2.1.dist-info" / "METADATA").unlink()
    (site / "requests-2.1.dist-info").rmdir()
    assert identity() == before


def test_rebuilt_interpreter_changes_the_identity(machine):
    machine.virtualenv(machine.repo / ".venv")
    first = resolve_environment(machine.repo, image=None, variables=machine.variables)
    (machine.top / "base/bin/python3.12").write_bytes(b"\x7fELF rebuilt")
    second = resolve_environment(machine.repo, image=None, variables=machine.variables)

    assert first.identity != second.identity


@pytest.mark.parametrize(
    "host", ["tcp://10.0.0.5:2376", "ssh://build@machine", "https://engine.example.org"]
)
def test_toolchain_of_this_machine_is_of_no_use_to_an_engine_elsewhere(machine, host):
    machine.virtualenv(machine.repo / ".venv")
    machine.variables["DOCKER_HOST"] = host
    refusal = machine.refusal()

    assert "another machine" in refusal.message
    assert "image" in refusal.remedy


def test_local_engine_may_be_named_by_its_socket(machine):
    machine.virtualenv(machine.repo / ".venv")
    machine.variables["DOCKER_HOST"] = "unix:///run/user/1000/docker.sock"

    assert machine.interpreter()


def test_other_systems_than_linux_need_an_image(machine, monkeypatch):
    monkeypatch.setattr("sys.platform", "darwin")

    assert "only be used on Linux" in machine.refusal().message


def test_home_folder_is_known_without_its_variable(machine):
    machine.virtualenv(machine.repo / ".venv")
    del machine.variables["HOME"]

    assert machine.interpreter() == f"{machine.repo}/.venv/bin/python"


@pytest.mark.parametrize("image", ["python:3.12-slim", "host:5000/a/b@sha256:" + "0" * 64])
def test_named_image_is_taken_without_looking_further(machine, image):
    environment = resolve_environment(machine.repo, image=image, variables={})

    assert (environment.kind, environment.image) == ("image", image)
    assert environment.interpreter is None
    assert environment.mounts == ()
    assert (
        environment.identity
        == resolve_environment(machine.repo, image=image, variables={"PATH": "/x"}).identity
    )


@pytest.mark.parametrize("image", ["--privileged", "a b", "UPPER:tag", "x@sha256:12"])
def test_text_that_is_no_image_name_is_refused(machine, image):
    with pytest.raises(EnvironmentMissing, match="not the name of a container image"):
        resolve_environment(machine.repo, image=image, variables={})


def test_doctor_shows_every_place_and_which_was_taken(machine):
    machine.virtualenv(machine.repo / ".venv")
    machine.virtualenv(machine.repo / "venv", with_pytest=False)
    machine.on_path(machine.installation("general"))
    lines = machine.lines()

    assert lines["python (.venv)"] == ProbeLine(
        name="python (.venv)", value=f"{machine.repo}/.venv: Python 3.12.1, taken", ok=True
    )
    assert lines["python (venv)"] == ProbeLine(
        name="python (venv)",
        value=f"{machine.repo}/venv: Python 3.12.1 cannot import pytest",
        ok=True,
        remedy=f"{machine.repo}/venv/bin/python -m pip install pytest",
    )
    assert lines["python (VIRTUAL_ENV)"] == ProbeLine(
        name="python (VIRTUAL_ENV)", value="not set", ok=True
    )
    assert "would serve too" in lines["python (PATH)"].value
    assert lines["environment"].ok


def test_doctor_ends_with_what_is_missing_and_the_remedy(machine):
    lines = machine.lines()

    assert lines["python (PATH)"].value == "no python3 on PATH"
    assert not lines["environment"].ok
    assert "pip install pytest" in lines["environment"].remedy


def test_doctor_says_so_when_an_image_is_set(machine):
    found = describe_search(machine.repo, image="python:3.12", variables={})

    assert found == (
        ProbeLine(name="environment", value="image python:3.12, named in the settings", ok=True),
    )
