from pathlib import Path

import pytest

from sandbox.environments.pythons import (
    Python,
    Unusable,
    inspect_executable,
    read_pyvenv,
    version_pair,
)
from tests.support.installations import ELF, make_installation, make_virtualenv


def usable(found: Python | Unusable) -> Python:
    assert isinstance(found, Python), found
    return found


def inspect_prefix(prefix: Path) -> Python | Unusable:
    return inspect_executable(prefix / "bin" / "python")


def refused(found: Python | Unusable) -> Unusable:
    assert isinstance(found, Unusable), found
    return found


def test_installation_is_described_by_its_folders(tmp_path):
    executable = make_installation(tmp_path / "py", "3.12.1")

    assert usable(inspect_executable(executable)) == Python(
        executable=executable,
        real=tmp_path / "py/bin/python3.12",
        tag="python3.12",
        version="3.12.1",
        prefix=tmp_path / "py",
        base=tmp_path / "py",
        hops=(executable, tmp_path / "py/bin/python3.12"),
        sees_base_sites=True,
    )


def test_virtualenv_names_its_base_and_every_path_between(tmp_path):
    make_installation(tmp_path / "py")
    make_virtualenv(tmp_path / "v", tmp_path / "py")
    python = usable(inspect_prefix(tmp_path / "v"))

    assert python.is_virtual
    assert (python.prefix, python.base) == (tmp_path / "v", tmp_path / "py")
    assert python.library == tmp_path / "py/lib/python3.12"
    assert not python.sees_base_sites
    assert python.hops == (
        tmp_path / "v/bin/python",
        tmp_path / "py/bin/python3",
        tmp_path / "py/bin/python3.12",
    )


def test_virtualenv_made_with_copies_is_led_to_its_base_by_pyvenv_cfg(tmp_path):
    make_installation(tmp_path / "py")
    make_virtualenv(tmp_path / "v", tmp_path / "py", copies=True)
    python = usable(inspect_prefix(tmp_path / "v"))

    assert python.base == tmp_path / "py"
    assert python.real == tmp_path / "py/bin/python3.12"


def test_base_that_is_spelled_through_a_linked_folder_keeps_both_spellings(tmp_path):
    make_installation(tmp_path / "cpython-3.12.1")
    (tmp_path / "cpython-3.12").symlink_to("cpython-3.12.1")
    make_virtualenv(tmp_path / "v", tmp_path / "cpython-3.12")
    python = usable(inspect_prefix(tmp_path / "v"))

    assert python.base == tmp_path / "cpython-3.12.1"
    assert tmp_path / "cpython-3.12/bin/python3" in python.hops


def test_virtualenv_may_see_the_packages_of_its_base(tmp_path):
    make_installation(tmp_path / "py")
    make_virtualenv(tmp_path / "v", tmp_path / "py", system_sites=True)

    assert usable(inspect_prefix(tmp_path / "v")).sees_base_sites


def test_virtualenv_whose_base_is_gone_says_how_to_mend_it(tmp_path):
    make_installation(tmp_path / "py")
    make_virtualenv(tmp_path / "v", tmp_path / "py")
    (tmp_path / "py").rename(tmp_path / "moved")
    trouble = refused(inspect_prefix(tmp_path / "v"))

    assert "which is not there" in trouble.reason
    assert trouble.remedy == f"python3 -m venv --clear {tmp_path / 'v'}"


@pytest.mark.parametrize("home", ["home = /nowhere/bin", "home = bin", ""])
def test_copied_virtualenv_without_its_base_is_refused(tmp_path, home):
    make_installation(tmp_path / "py")
    make_virtualenv(tmp_path / "v", tmp_path / "py", copies=True)
    (tmp_path / "v/pyvenv.cfg").write_text(f"{home}\nversion = 3.12.1\n")
    trouble = refused(inspect_prefix(tmp_path / "v"))

    assert "it was made from" in trouble.reason
    assert trouble.remedy


def test_links_in_a_circle_end(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").symlink_to("python3")
    (tmp_path / "bin/python3").symlink_to("python")

    assert "not there" in refused(inspect_prefix(tmp_path)).reason


def test_shim_script_is_not_taken_for_a_program(tmp_path):
    executable = make_installation(tmp_path / "py")
    (tmp_path / "py/bin/python3.12").write_text("#!/bin/sh\nexec other-python\n")

    assert (
        "a script that only starts another Python" in refused(inspect_executable(executable)).reason
    )


def test_program_without_standard_library_is_refused(tmp_path):
    executable = make_installation(tmp_path / "py")
    (tmp_path / "py/lib/python3.12/os.py").unlink()

    assert "no standard library" in refused(inspect_executable(executable)).reason


def test_program_without_any_library_folder_is_refused(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").write_bytes(ELF)

    assert "no standard library" in refused(inspect_prefix(tmp_path)).reason


def test_unreadable_program_is_refused(tmp_path):
    executable = make_installation(tmp_path / "py")
    real = tmp_path / "py/bin/python3.12"
    real.unlink()
    real.write_bytes(b"")

    assert "script" in refused(inspect_executable(executable)).reason


def test_folder_without_python_is_refused(tmp_path):
    assert "which is not there" in refused(inspect_prefix(tmp_path)).reason


def test_python_before_3_8_is_refused(tmp_path):
    executable = make_installation(tmp_path / "py", "3.7.16")

    assert refused(inspect_executable(executable)).reason == (
        "is Python 3.7.16; 3.8 or newer is needed"
    )


def test_version_comes_from_the_virtualenv_where_headers_are_missing(tmp_path):
    make_installation(tmp_path / "py", patchlevel=False)
    make_virtualenv(tmp_path / "v", tmp_path / "py")

    assert usable(inspect_prefix(tmp_path / "v")).version == "3.12.1"
    assert usable(inspect_prefix(tmp_path / "py")).version == "3.12"


def test_program_called_python_finds_the_only_library(tmp_path):
    make_installation(tmp_path / "py")
    (tmp_path / "py/bin/python").unlink()
    (tmp_path / "py/bin/python3.12").rename(tmp_path / "py/bin/python")

    assert usable(inspect_prefix(tmp_path / "py")).tag == "python3.12"


def test_free_threaded_and_pypy_libraries_are_known(tmp_path):
    for tag in ("python3.13t", "pypy3.10"):
        prefix = tmp_path / tag
        (prefix / "bin").mkdir(parents=True)
        (prefix / "bin" / tag).write_bytes(ELF)
        (prefix / "lib" / tag).mkdir(parents=True)
        (prefix / "lib" / tag / "os.py").write_text("")
        assert usable(inspect_executable(prefix / "bin" / tag)).tag == tag


def test_pyvenv_settings_ignore_lines_without_a_sign(tmp_path):
    (tmp_path / "pyvenv.cfg").write_text("Home = /a = b\nnonsense\n")

    assert read_pyvenv(tmp_path) == {"home": "/a = b"}
    assert read_pyvenv(tmp_path / "nowhere") == {}


def test_version_pair_is_zero_without_numbers():
    assert version_pair("python3.9") == (3, 9)
    assert version_pair("python") == (0, 0)


def test_relative_and_absolute_hops_are_joined(tmp_path: Path):
    make_installation(tmp_path / "py")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python3").symlink_to("../py/bin/python3")
    python = usable(inspect_executable(tmp_path / "bin/python3"))

    assert python.prefix == tmp_path / "py"
    assert python.hops[:2] == (tmp_path / "bin/python3", tmp_path / "py/bin/python3")
