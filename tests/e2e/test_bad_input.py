"""What a developer gets who asks for something that cannot be: a reason, a next step, a code."""

import os
import subprocess

import pytest

from tests.support.product import fingerprint, make_project
from tests.support.projects import git
from tests.support.shop import CONFIG, FAILING, HEALTHY_SHOP, SHOP

pytestmark = pytest.mark.timeout(150)


def check_refusal(done, code, *facts):
    """One clear message with a next step, the right code, and no traceback."""
    assert done.code == code, done.text
    assert "Traceback" not in done.text
    message = [line for line in done.err.splitlines() if line.startswith("greenloop: ")]
    assert len(message) == 1, done.err
    after = done.err.split(message[0], 1)[1].strip()
    assert after, f"no next step after: {message[0]}"
    for fact in facts:
        assert fact in done.err, done.err


def test_not_a_repository(desk, tmp_path):
    folder = tmp_path / "plain"
    folder.mkdir()
    check_refusal(desk.run(folder, "fix"), 2, str(folder))


def test_a_folder_that_is_not_there(desk, tmp_path):
    check_refusal(desk.run(tmp_path, "fix", "--repo", "nowhere"), 2, "nowhere")


def test_refusal_under_json_is_one_object_too(desk, tmp_path):
    done = desk.run(tmp_path, "fix", "--json", "--repo", "nowhere")
    assert done.code == 2
    assert "nowhere" in done.answer["error"]
    assert done.answer["remedy"]


@pytest.mark.docker
def test_no_tests_at_all(desk, tmp_path):
    repo = make_project(tmp_path / "r", {"shop/__init__.py": ""})
    check_refusal(desk.run(repo, "fix"), 2)


@pytest.mark.docker
def test_tests_that_cannot_be_collected_are_named_with_their_error(desk, tmp_path):
    conftest = {"conftest.py": "raise RuntimeError('the database is not set up')\n"}
    repo = make_project(tmp_path / "r", {**SHOP, **conftest})
    check_refusal(desk.run(repo, "fix"), 2, "conftest.py", "the database is not set up")


@pytest.mark.docker
def test_nothing_fails(desk, tmp_path):
    repo = make_project(tmp_path / "r", HEALTHY_SHOP)
    check_refusal(desk.run(repo, "fix"), 2)


@pytest.mark.docker
def test_a_target_that_passes_already(desk, tmp_path):
    repo = make_project(tmp_path / "r", SHOP)
    check_refusal(desk.run(repo, "fix", "tests/test_basket.py::test_total"), 2, "test_total")


@pytest.mark.docker
def test_a_wrong_test_id_names_the_nearest(desk, tmp_path):
    repo = make_project(tmp_path / "r", SHOP)
    wrong = FAILING.replace("exactly_the_limit", "exactly_teh_limit")
    check_refusal(desk.run(repo, "fix", wrong), 2, FAILING)


@pytest.mark.docker
def test_a_failing_import_is_a_target_like_another(desk, tmp_path):
    broken = SHOP["tests/test_basket.py"].replace("shipping, subtotal", "shiping, subtotal")
    repo = make_project(tmp_path / "r", {**HEALTHY_SHOP, "tests/test_basket.py": broken})
    before = fingerprint(repo)
    done = desk.run(repo, "fix", "--json", "--budget-s", "5")
    assert done.code in {1, 2}, done.text
    assert "Traceback" not in done.err
    assert "tests/test_basket.py" in done.text
    assert fingerprint(repo) == before


@pytest.mark.docker
def test_a_test_that_hangs_is_named(desk, tmp_path):
    hanging = "import time\n\n\ndef test_never_ends():\n    time.sleep(3600)\n"
    repo = make_project(tmp_path / "r", {**HEALTHY_SHOP, "tests/test_hang.py": hanging})
    done = desk.run(repo, "fix", "--set", "test_wall_s=5", "--budget-s", "5")
    assert done.code in {1, 2}, done.text
    assert "test_never_ends" in done.text
    assert "Traceback" not in done.text


@pytest.mark.docker
def test_tests_that_need_the_network_are_recognised(desk, tmp_path):
    calling = (
        "import urllib.request\n\n\n"
        "def test_asks_the_world():\n"
        "    urllib.request.urlopen('http://example.org/', timeout=5).read()\n"
    )
    repo = make_project(tmp_path / "r", {**HEALTHY_SHOP, "tests/test_world.py": calling})
    done = desk.run(repo, "fix", "--budget-s", "5")
    assert done.code in {1, 2}, done.text
    assert "network" in done.text
    assert "Traceback" not in done.text


@pytest.mark.parametrize(
    ("name", "text", "facts"),
    [
        (".greenloop.toml", "test_command = [", (".greenloop.toml:1:", "test_command")),
        (".greenloop.toml", "\ntest_comand = 'pytest'\n", (".greenloop.toml:2", "test_command")),
        (".greenloop.toml", "test_wall_s = 'soon'\n", (".greenloop.toml", "test_wall_s")),
        (
            "pyproject.toml",
            CONFIG + '\n[tool.greenloop]\nbackend = "bubblewrap"\n',
            ("pyproject.toml", "backend"),
        ),
    ],
)
def test_a_corrupt_project_config_is_named_with_file_line_and_key(
    desk, tmp_path, name, text, facts
):
    repo = make_project(tmp_path / "r", {**SHOP, name: text})
    check_refusal(desk.run(repo, "fix"), 2, *facts)


def test_a_corrupt_user_config_is_named(desk, tmp_path):
    repo = make_project(tmp_path / "r", SHOP)
    config = desk.home / ".config/greenloop/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("memory_bytes = \n")
    check_refusal(desk.run(repo, "fix"), 2, f"{config}:1:", "memory_bytes")


def test_engine_down(desk, tmp_path):
    repo = make_project(tmp_path / "r", SHOP)
    before = fingerprint(repo)
    nowhere = {"DOCKER_HOST": f"unix://{tmp_path}/no.sock"}
    check_refusal(desk.run(repo, "fix", extra=nowhere), 75)
    assert fingerprint(repo) == before


def test_a_model_without_a_model(desk, tmp_path):
    repo = make_project(tmp_path / "r", SHOP)
    check_refusal(desk.run(repo, "fix", "--strategy", "model"), 2, "offline")


def test_an_unknown_run(desk, tmp_path):
    for command in ("show", "apply", "undo"):
        check_refusal(desk.run(tmp_path, command, "20000101-000000-ffff"), 2, "no run")


def test_a_receipt_that_is_none(desk, tmp_path):
    (tmp_path / "receipt.json").write_text("{}")
    repo = make_project(tmp_path / "r", SHOP)
    check_refusal(desk.run(repo, "verify", str(tmp_path / "receipt.json")), 2, "receipt.json")


@pytest.mark.docker
def test_a_full_disk_under_the_state_folder(desk, tmp_path):
    repo = make_project(tmp_path / "r", SHOP)
    before = fingerprint(repo)
    desk.state.mkdir()
    full = in_own_mounts(f"mount -t tmpfs -o size=64k none '{desk.state}'")
    done = desk.run(repo, "fix", wrapper=full)
    check_refusal(done, 75 if done.code == 75 else 2, "space")
    assert fingerprint(repo) == before


@pytest.mark.docker
def test_a_read_only_repository_is_fixed_and_says_so_when_it_is_to_be_written(desk, tmp_path):
    repo = make_project(tmp_path / "r", SHOP)
    read_only = in_own_mounts(
        f"mount --bind '{repo}' '{repo}' && mount -o remount,bind,ro '{repo}'"
    )
    fixed = desk.run(repo, "fix", "--json", "--repo", str(repo), wrapper=read_only)
    assert fixed.code == 0, fixed.text
    before = fingerprint(repo)
    applied = desk.run(tmp_path, "apply", fixed.answer["run"], wrapper=read_only)
    assert applied.code in {1, 2}, applied.text
    assert "shop/basket.py" in applied.text
    assert "Traceback" not in applied.text
    assert fingerprint(repo) == before


@pytest.mark.docker
def test_a_repository_without_a_commit_is_fixed_too(desk, tmp_path):
    repo = tmp_path / "r"
    make_project(repo, SHOP)
    git(repo, "update-ref", "-d", "HEAD")
    done = desk.run(repo, "fix", "--json")
    assert done.code == 0, done.text


def test_bare_repository(desk, tmp_path):
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "r.git")], check=True)
    check_refusal(desk.run(tmp_path / "r.git", "fix"), 2)


def in_own_mounts(setup):
    """Return the beginning of a command that runs with mounts of its own, made by `setup`."""
    unshare = ("unshare", "-m") if os.geteuid() == 0 else ("unshare", "-Urm")
    return (*unshare, "sh", "-c", f'{setup} && cd "$PWD" && exec "$@"', "sh")
