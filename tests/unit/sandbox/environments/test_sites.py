from pathlib import Path

import pytest

from sandbox.environments.pythons import Python, inspect_executable
from sandbox.environments.sites import Libraries, read_libraries
from tests.support.installations import (
    install,
    install_editable,
    make_installation,
    make_virtualenv,
)


def python_in(prefix: Path) -> Python:
    python = inspect_executable(prefix / "bin" / "python")
    assert isinstance(python, Python), python
    return python


@pytest.fixture
def site(tmp_path: Path) -> Path:
    make_installation(tmp_path / "py")
    return make_virtualenv(tmp_path / "v", tmp_path / "py")


def read(tmp_path: Path) -> Libraries:
    return read_libraries(python_in(tmp_path / "v"), home=tmp_path / "home")


def test_packages_are_located_and_listed_with_their_versions(tmp_path, site):
    package = install(site, "pytest", "8.3.2")
    install(site, "pluggy", "1.5.0")
    libraries = read(tmp_path)

    assert libraries.sites == (site,)
    assert libraries.distributions == ("pluggy-1.5.0", "pytest-8.3.2")
    assert libraries.locate("pytest") == package
    assert libraries.locate("pytest.mark") == package
    assert libraries.locate("nothing") is None
    assert libraries.version_of("PyTest") == "8.3.2"
    assert libraries.version_of("nothing") is None


def test_standard_library_single_files_and_extensions_are_located(tmp_path, site):
    (site / "six.py").write_text("")
    (site / "fast.cpython-312-x86_64-linux-gnu.so").write_bytes(b"")
    libraries = read(tmp_path)

    assert libraries.locate("unittest") == tmp_path / "py/lib/python3.12/unittest"
    assert libraries.locate("six") == site / "six.py"
    assert libraries.locate("fast") == site / "fast.cpython-312-x86_64-linux-gnu.so"


def test_empty_folder_that_an_uninstall_left_is_no_package(tmp_path, site):
    (site / "pytest").mkdir()

    assert read(tmp_path).locate("pytest") is None


def test_old_egg_metadata_is_listed_too(tmp_path, site):
    (site / "PyJWT-2.6.0.egg-info").mkdir()
    (site / "crit-3.17.1-py3.11.egg-info").write_text("")
    (site / "thing-1.0-py3.11.egg").mkdir()

    assert read(tmp_path).distributions == ("PyJWT-2.6.0", "crit-3.17.1", "thing-1.0")


def test_virtualenv_does_not_see_its_base_unless_it_says_so(tmp_path):
    make_installation(tmp_path / "py")
    base = tmp_path / "py/lib/python3.12/site-packages"
    install(base)
    make_virtualenv(tmp_path / "closed", tmp_path / "py")
    open_site = make_virtualenv(tmp_path / "open", tmp_path / "py", system_sites=True)
    closed = read_libraries(python_in(tmp_path / "closed"), home=tmp_path)
    opened = read_libraries(python_in(tmp_path / "open"), home=tmp_path)

    assert closed.locate("pytest") is None
    assert opened.sites == (open_site, base)
    assert opened.locate("pytest") == base / "pytest"


def test_user_site_counts_for_an_installation_and_not_for_a_closed_virtualenv(tmp_path, site):
    user = tmp_path / "home/.local/lib/python3.12/site-packages"
    user.mkdir(parents=True)
    package = install(user)
    base = read_libraries(python_in(tmp_path / "py"), home=tmp_path / "home")

    assert base.user_site == user
    assert base.locate("pytest") == package
    assert read(tmp_path).user_site is None


def test_linked_lib64_is_not_read_twice(tmp_path, site):
    (tmp_path / "v/lib64").symlink_to("lib")

    assert read(tmp_path).sites == (site,)


def test_folders_of_pth_files_are_import_roots(tmp_path, site):
    source = tmp_path / "project/src"
    source.mkdir(parents=True)
    (source / "demo.py").write_text("")
    (site / "_demo.pth").write_text(
        f"# why\n\nimport os; os.abort()\n{source}\n/nowhere\n../beside\n"
    )
    (site.parent / "beside").mkdir()
    libraries = read(tmp_path)

    assert libraries.roots == (source, site.parent / "beside")
    assert libraries.locate("demo") == source / "demo.py"


def test_setuptools_finder_leads_to_packages_and_single_modules(tmp_path, site):
    project = tmp_path / "project"
    (project / "demo").mkdir(parents=True)
    (project / "single.py").write_text("")
    (site / "__editable___demo_1_0_finder.py").write_text(
        "from __future__ import annotations\n"
        f"MAPPING: dict[str, str] = {{'demo': '{project}/demo', 'single': '{project}/single',"
        " 'gone': '/nowhere/gone', 'computed': str(1)}\n"
        "NAMESPACES = {**MAPPING}\n"
    )
    libraries = read(tmp_path)

    assert libraries.modules == {"demo": project / "demo", "single": project / "single.py"}
    assert libraries.locate("single") == project / "single.py"


def test_editables_redirector_leads_to_the_package_of_the_named_file(tmp_path, site):
    package = tmp_path / "project/src/demo"
    package.mkdir(parents=True)
    (site / "_editable_impl_demo.py").write_text(
        "from editables.redirector import RedirectingFinder as F\nF.install()\n"
        f"F.map_module('demo', '{package}/__init__.py')\n"
    )
    libraries = read(tmp_path)

    assert libraries.modules == {"demo": package}
    assert set(libraries.pointers) == {package}


@pytest.mark.parametrize(
    "text", ["def broken(:", "X = '\\0'", "X = '/'", "X = '/a\\0b'", "X = b'/'"]
)
def test_strange_finder_points_nowhere(tmp_path, site, text):
    (site / "__editable___strange_finder.py").write_text(text)

    assert read(tmp_path).modules == {}


def test_overlong_path_in_a_finder_points_nowhere(tmp_path, site):
    (site / "_long_editable.py").write_text(f"X = '/{'a' * 5000}'")

    assert read(tmp_path).pointers == ()


def test_editable_record_names_its_project_folder(tmp_path, site):
    install_editable(site, "demo", tmp_path / "my%20project")

    assert read(tmp_path).editables == {"demo": tmp_path / "my project"}


@pytest.mark.parametrize(
    "record",
    ["", "[]", "{", '{"url": "file:///x"}', '{"url": "file:///x", "dir_info": {}}',
     '{"url": "file:///x", "dir_info": {"editable": false}}',
     '{"url": "https://example.org/x", "dir_info": {"editable": true}}'],
)  # fmt: skip
def test_other_records_of_origin_are_no_editable_install(tmp_path, site, record):
    info = site / "demo-1.0.dist-info"
    info.mkdir()
    (info / "direct_url.json").write_text(record)

    assert read(tmp_path).editables == {}


def test_undecodable_pth_file_does_no_harm(tmp_path, site):
    (site / "odd.pth").write_bytes(b"\xff\xfe/x\n")

    assert read(tmp_path).roots == ()


def test_pythons_own_idea_of_its_path_is_the_same(tmp_path):
    """The running interpreter, as the one installation that is surely there."""
    import sys

    python = python_in(Path(sys.prefix))
    libraries = read_libraries(python, home=tmp_path)
    expected = [
        path
        for path in dict.fromkeys(sys.path)
        if path.endswith(("site-packages", "dist-packages")) and Path(path).is_dir()
    ]

    assert [str(site) for site in libraries.sites] == expected
    assert str(python.library) in sys.path
