"""The libraries whose histories are mined, and in what their tests of a time run."""

from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """One repository; everything here is a name or a date."""

    repository: str
    package: str
    """Name under which its installed version is asked for."""
    since: str = "2015-01-01"
    requirements: tuple[str, ...] = ()
    """Beside pytest, from the metadata of the project."""
    old: tuple[str, ...] | None = None
    """The same for commits up to 2020 where they differ."""
    whole_suite: bool = True
    """Whether the repository's whole suite ends within a quarter of a minute."""
    below: tuple[str, ...] = ()
    """Paths that a fix has to lie in; none: anywhere."""
    readers: tuple[str, ...] = field(default=())
    """Test files that read the data files beside them, so that a change there is one of theirs."""


LIBRARIES: Final = (
    Library(
        repository="sympy/sympy",
        package="sympy",
        since="2021-01-01",
        requirements=("mpmath<1.4", "hypothesis"),
        whole_suite=False,
        below=(
            "sympy/utilities/",
            "sympy/sets/",
            "sympy/ntheory/",
            "sympy/functions/combinatorial/",
            "sympy/functions/elementary/",
            "sympy/combinatorics/",
            "sympy/codegen/",
            "sympy/printing/",
            "sympy/logic/",
            "sympy/geometry/",
            "sympy/discrete/",
            "sympy/crypto/",
            "sympy/tensor/",
            "sympy/parsing/",
            "sympy/core/",
            "sympy/physics/units/",
            "sympy/physics/quantum/",
        ),
    ),
    Library(
        repository="PyCQA/isort",
        package="isort",
        requirements=(
            "colorama",
            "natsort",
            "hypothesis",
            "pytest-mock",
            "toml",
            "libcst",
        ),
        old=("toml", "hypothesis", "pytest-mock"),
        whole_suite=False,
    ),
    Library(
        repository="networkx/networkx",
        package="networkx",
        since="2018-01-01",
        old=("decorator",),
        whole_suite=False,
    ),
    Library(
        repository="sdispater/pendulum",
        package="pendulum",
        requirements=("python-dateutil", "tzdata", "time-machine<3", "pytz", "babel", "freezegun"),
        old=("python-dateutil", "pytzdata", "tzlocal", "babel", "pytz", "freezegun"),
        whole_suite=False,
    ),
    Library(
        repository="marshmallow-code/marshmallow",
        package="marshmallow",
        requirements=("packaging", "simplejson", "pytz"),
        old=("python-dateutil", "simplejson", "pytz"),
    ),
    Library(
        repository="PyCQA/pycodestyle",
        package="pycodestyle",
        readers=("tests/test_data.py", "testing/test_all.py", "testsuite/test_all.py"),
    ),
    Library(repository="hukkin/tomli", package="tomli", requirements=("python-dateutil",)),
    Library(repository="pallets/itsdangerous", package="itsdangerous", requirements=("freezegun",)),
    Library(
        repository="jaraco/inflect",
        package="inflect",
        requirements=("more-itertools", "typeguard", "pydantic"),
        old=("more-itertools", "importlib-metadata", "six"),
    ),
    Library(
        repository="un33k/python-slugify",
        package="python-slugify",
        requirements=("text-unidecode", "Unidecode"),
        readers=("test.py",),
    ),
    Library(
        repository="mozilla/bleach",
        package="bleach",
        requirements=("six", "webencodings", "tinycss2"),
        old=("six", "webencodings", "html5lib>=1.0"),
    ),
    Library(
        repository="gruns/furl", package="furl", requirements=("six", "orderedmultidict>=1.0.1")
    ),
    Library(repository="grantjenks/python-sortedcontainers", package="sortedcontainers"),
    Library(repository="pytoolz/toolz", package="toolz"),
    Library(
        repository="python-attrs/attrs",
        package="attrs",
        requirements=("hypothesis", "cloudpickle", "pympler", "zope.interface"),
        old=("hypothesis", "six", "zope.interface"),
        whole_suite=False,
    ),
    Library(
        repository="dateutil/dateutil",
        package="python-dateutil",
        requirements=("six", "hypothesis", "freezegun"),
        whole_suite=False,
    ),
)


def interpreter_for(year: int) -> str:
    """Return the Python that suits the code of a year."""
    if year >= 2024:
        return "3.12"
    return "3.10" if year >= 2021 else "3.8"


def requirements_for(library: Library, year: int) -> tuple[str, ...]:
    """Return what is installed for the tests of a year, pytest first."""
    if year >= 2021:
        return ("pytest>=8,<9" if year < 2025 else "pytest>=9", *library.requirements)
    more = library.requirements if library.old is None else library.old
    return ("pytest<8", *more)


def library_of(repository: str) -> Library:
    """Return the library of `owner/name`. Raises: StopIteration for one that is not mined."""
    return next(library for library in LIBRARIES if library.repository == repository)
