import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.base import Mount
from sandbox.environments.exposure import Exposure, unreadable_by
from tests.support.installations import make_installation, make_virtualenv


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    (tmp_path / "home/work/repo").mkdir(parents=True)
    return tmp_path / "home/work/repo"


@pytest.fixture
def exposure(tmp_path: Path, repo: Path) -> Exposure:
    return Exposure(repo=repo, home=tmp_path / "home")


def targets(exposure: Exposure) -> list[str]:
    return [mount.target for mount in exposure.mounts]


def test_plain_virtualenv_is_shown_whole(exposure, repo, tmp_path):
    make_installation(tmp_path / "py")
    make_virtualenv(repo / ".venv", tmp_path / "py")

    assert exposure.show_prefix(repo / ".venv") is None
    assert exposure.mounts == (Mount(source=repo / ".venv", target=f"{repo}/.venv"),)


def test_settings_with_passwords_beside_a_virtualenv_stay_outside(exposure, repo, tmp_path):
    make_installation(tmp_path / "py")
    make_virtualenv(repo / ".venv", tmp_path / "py")
    (repo / ".venv/pip.conf").write_text("index-url = https://user:password@example.org\n")
    exposure.show_prefix(repo / ".venv")

    assert targets(exposure) == [
        f"{repo}/.venv/bin",
        f"{repo}/.venv/lib",
        f"{repo}/.venv/pyvenv.cfg",
    ]


def test_virtualenv_around_the_repository_shows_only_its_own_parts(tmp_path):
    make_installation(tmp_path / "py")
    make_virtualenv(tmp_path / "env", tmp_path / "py")
    repo = tmp_path / "env/src/repo"
    repo.mkdir(parents=True)
    exposure = Exposure(repo=repo, home=tmp_path / "home")

    assert exposure.show_prefix(tmp_path / "env") is None
    assert targets(exposure) == [str(tmp_path / "env" / n) for n in ("bin", "lib", "pyvenv.cfg")]


def test_repository_below_a_part_of_the_prefix_is_not_covered_by_it(tmp_path):
    make_installation(tmp_path / "py")
    repo = tmp_path / "py/lib/repo"
    repo.mkdir(parents=True)
    exposure = Exposure(repo=repo, home=tmp_path / "home")
    exposure.show_prefix(tmp_path / "py")

    assert targets(exposure) == [str(tmp_path / "py/bin"), str(tmp_path / "py/include")]


def test_linked_prefix_appears_under_the_name_it_was_called_by(exposure, tmp_path):
    make_installation(tmp_path / "cpython-3.12.1")
    (tmp_path / "cpython-3.12").symlink_to("cpython-3.12.1")
    exposure.show_prefix(tmp_path / "cpython-3.12")

    assert exposure.mounts == (
        Mount(source=tmp_path / "cpython-3.12.1", target=str(tmp_path / "cpython-3.12")),
    )


def test_what_lies_below_a_shown_folder_is_not_shown_again(exposure, tmp_path):
    make_installation(tmp_path / "py")
    exposure.show_prefix(tmp_path / "py")

    assert exposure.show_folder(tmp_path / "py/lib") is None
    assert exposure.show_code(tmp_path / "py/lib/python3.12/os.py") is None
    assert exposure.show_prefix(tmp_path / "py") is None
    assert targets(exposure) == [str(tmp_path / "py")]


def test_folder_above_the_repository_does_not_cover_what_the_tree_hides(tmp_path):
    repo = tmp_path / "usr/src/repo"
    make_installation(tmp_path / "py")
    make_virtualenv(repo / ".venv", tmp_path / "py")
    exposure = Exposure(repo=repo, home=tmp_path / "home")
    exposure.show_system(tmp_path / "usr")
    exposure.show_prefix(repo / ".venv")

    assert targets(exposure) == [str(tmp_path / "usr"), f"{repo}/.venv"]
    assert not exposure.covers(repo)


@pytest.mark.parametrize("name", [".", "..", ".local", ".cache", ".config", ".local/share"])
def test_home_and_its_baskets_are_never_shown(exposure, tmp_path, name):
    folder = tmp_path / "home" / name
    folder.mkdir(parents=True, exist_ok=True)
    make_installation(folder) if name != ".." else None

    assert exposure.show_folder(Path(os.path.normpath(folder))) is not None
    assert exposure.show_prefix(Path(os.path.normpath(folder))) is not None
    assert exposure.show_code(Path(os.path.normpath(folder))) is not None
    assert exposure.mounts == ()


@pytest.mark.parametrize("name", [".ssh", ".aws", ".gnupg/keys", "work/other/.git"])
def test_secret_folders_are_never_shown(exposure, tmp_path, name):
    folder = tmp_path / "home" / name
    make_installation(folder)
    (folder / "code.py").write_text("")

    for show in (exposure.show_folder, exposure.show_prefix, exposure.show_code):
        assert "below" in (show(folder) or "")
    assert exposure.mounts == ()


def test_link_to_a_secret_folder_is_seen_through(exposure, tmp_path):
    (tmp_path / "home/.ssh").mkdir()
    (tmp_path / "innocent").symlink_to(tmp_path / "home/.ssh")

    assert exposure.show_folder(tmp_path / "innocent") is not None


@pytest.mark.parametrize(
    "path", ["/", "/etc", "/etc/ssl/private", "/proc/1", "/run", "/root", "/tmp"]
)
def test_folders_of_the_system_are_never_shown_on_demand(exposure, path):
    assert exposure.show_folder(Path(path)) is not None
    assert exposure.mounts == ()


def test_part_of_a_prefix_that_leads_elsewhere_is_left_out(exposure, tmp_path):
    make_installation(tmp_path / "py")
    (tmp_path / "py/extra").mkdir()
    (tmp_path / "home/mail").mkdir()
    (tmp_path / "py/share").symlink_to(tmp_path / "home/mail")
    (tmp_path / "py/lib64").symlink_to("lib")
    exposure.show_prefix(tmp_path / "py")

    assert targets(exposure) == [
        str(tmp_path / "py" / name) for name in ("bin", "include", "lib", "lib64")
    ]


def test_child_of_a_project_that_leads_to_a_hidden_folder_is_left_out(exposure, tmp_path):
    (tmp_path / "other/demo").mkdir(parents=True)
    (tmp_path / "home/.mail").mkdir()
    (tmp_path / "other/letters").symlink_to(tmp_path / "home/.mail")
    exposure.show_code(tmp_path / "other")

    assert targets(exposure) == [f"{tmp_path}/other/demo"]


def test_folder_that_only_looks_like_a_prefix_is_refused(exposure, tmp_path):
    (tmp_path / "py/bin").mkdir(parents=True)

    assert exposure.show_prefix(tmp_path / "py") == f"{tmp_path}/py is no Python installation"
    assert "is not there" in (exposure.show_prefix(tmp_path / "gone") or "")


def test_code_folder_with_nothing_else_is_shown_whole(exposure, tmp_path):
    (tmp_path / "src/demo").mkdir(parents=True)
    (tmp_path / "src/single.py").write_text("")

    assert exposure.show_code(tmp_path / "src") is None
    assert targets(exposure) == [str(tmp_path / "src")]


def test_project_folder_shows_its_code_and_not_its_notes(exposure, tmp_path):
    (tmp_path / "other/demo").mkdir(parents=True)
    (tmp_path / "other/.git").mkdir()
    for name in ("single.py", ".env", "passwords.txt"):
        (tmp_path / "other" / name).write_text("")

    assert exposure.show_code(tmp_path / "other") is None
    assert targets(exposure) == [f"{tmp_path}/other/demo", f"{tmp_path}/other/single.py"]


def test_only_python_files_are_shown_singly(exposure, tmp_path):
    (tmp_path / "single.py").write_text("")
    (tmp_path / "notes.txt").write_text("")

    assert exposure.show_code(tmp_path / "single.py") is None
    assert exposure.show_code(tmp_path / "notes.txt") == f"{tmp_path}/notes.txt is no Python file"
    assert targets(exposure) == [f"{tmp_path}/single.py"]


def test_folder_without_code_is_not_shown(exposure, tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters/one.txt").write_text("")

    assert exposure.show_code(tmp_path / "letters") == f"{tmp_path}/letters holds no Python code"


def test_code_in_a_hidden_folder_of_the_home_folder_is_not_shown(exposure, tmp_path):
    (tmp_path / "home/.notes/demo").mkdir(parents=True)

    assert "hidden folder .notes" in (exposure.show_code(tmp_path / "home/.notes/demo") or "")


def test_code_in_a_plain_folder_of_the_home_folder_is_shown(exposure, tmp_path):
    (tmp_path / "home/lib/demo").mkdir(parents=True)

    assert exposure.show_code(tmp_path / "home/lib") is None


def test_folders_above_the_repository_are_not_shown(exposure, repo):
    assert "above the repository" in (exposure.show_code(repo.parent) or "")
    assert "the repository or above" in (exposure.show_folder(repo) or "")


def test_installation_of_another_language_shows_its_parts(exposure, tmp_path):
    for name in ("bin", "lib", "secrets"):
        (tmp_path / "go" / name).mkdir(parents=True)

    assert exposure.show_installation(tmp_path / "go") is None
    assert targets(exposure) == [f"{tmp_path}/go/bin", f"{tmp_path}/go/lib"]


def test_installation_in_a_forbidden_place_is_refused(exposure, tmp_path):
    (tmp_path / "home/.ssh/bin").mkdir(parents=True)

    assert "below .ssh" in (exposure.show_installation(tmp_path / "home/.ssh") or "")


def test_links_are_kept_unless_the_path_is_shown_anyway(exposure, tmp_path):
    exposure.show_system(tmp_path / "missing")
    exposure.link(Path("/bin"), Path("usr/bin"))
    exposure.show_system(Path("/usr"))
    exposure.link(Path("/usr/bin/env"), Path("elsewhere"))

    assert exposure.links == {"/bin": "usr/bin"}
    assert targets(exposure) == ["/usr"]


def test_mounts_come_parents_first(exposure, tmp_path):
    for name in ("z/a/b", "z/a", "y"):
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
        exposure.show_system(tmp_path / name)

    assert targets(exposure) == [str(tmp_path / name) for name in ("y", "z/a", "z/a/b")]


def test_closed_files_and_folders_are_named(tmp_path):
    (tmp_path / "open").mkdir(mode=0o755)
    (tmp_path / "closed").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "closed").chmod(0o700)
    (tmp_path / "file").chmod(0o640)
    stranger = os.getuid() + 1
    paths = [tmp_path / name for name in ("open", "closed", "file", "missing")]

    assert unreadable_by(stranger, paths) == [tmp_path / "closed", tmp_path / "file"]
    assert unreadable_by(os.getuid(), paths) == []


SEGMENTS = st.sampled_from(["home", ".ssh", "work", "repo", "src", ".local", "share", "demo", ".."])


@given(parts=st.lists(SEGMENTS, max_size=6), kind=st.sampled_from(["folder", "prefix", "code"]))
def test_no_request_ever_shows_home_or_repository_or_secrets(parts, kind, tmp_path_factory):
    top = tmp_path_factory.getbasetemp() / "never"
    home, repo = top / "home", top / "home/work/repo"
    for folder in (repo / "src", home / ".ssh", home / ".local/share", home / "demo"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "code.py").touch()
    exposure = Exposure(repo=repo, home=home)
    path = Path(os.path.normpath(Path(home, *parts)))
    getattr(exposure, f"show_{kind}")(path)

    for mount in exposure.mounts:
        shown = Path(mount.source)
        assert shown not in (home, repo, home / ".local", home / ".local/share")
        assert shown not in home.parents
        assert shown not in repo.parents
        assert ".ssh" not in shown.parts
