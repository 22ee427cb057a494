"""Which language a file is in, and its parser, each loaded when it is first needed.

A language is a data folder below `grammars/`: `language.toml` and queries. One of the few modules
that import tree_sitter; who wants a tree asks `agent.repo.syntax`.
"""

import re
import threading
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from tree_sitter import Language as Grammar
from tree_sitter import Parser

from agent.task import RepoPath

GRAMMARS: Final = Path(__file__).with_name("grammars")
_OF_THREAD: Final = threading.local()


class Language(StrEnum):
    """A language that code is written for: rules of the offline search, layout of blocks."""

    PYTHON = "python"
    JAVASCRIPT = "javascript"
    TYPESCRIPT = "typescript"
    TSX = "tsx"


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageSpec:
    """A language as its data folder gives it."""

    name: str
    """Name of the folder."""
    folder: Path
    title: str
    grammar: str
    """`tree_sitter_python:language`."""
    queries: tuple[Path, ...]
    """Its own, and those that it shares with another language."""
    suffixes: tuple[str, ...]
    file_names: tuple[str, ...]
    interpreters: tuple[str, ...]
    """What a first line may name: `#!/usr/bin/env python3`; digits at its end are left off."""
    modules: str
    """The way in which an import finds its file: `python`, `javascript`, `go` …, or `none`."""
    braces: str
    """What parts an import that branches: `a::{b, c}` of Rust; empty: none does."""
    reexporting: tuple[str, ...]
    """Files whose imports are there for others."""
    ignored: frozenset[str]
    """Names that are no references, as `self` is none."""
    test_files: re.Pattern[str] | None
    test_functions: re.Pattern[str] | None
    """Their names, where the file or the class is one of tests."""
    test_classes: re.Pattern[str] | None

    def is_test_file(self, path: RepoPath) -> bool:
        """Tell whether the file is named like one of tests."""
        return self.test_files is not None and self.test_files.search(path) is not None


class Languages:
    """The languages of one folder of data folders."""

    def __init__(self, specs: Mapping[str, LanguageSpec]) -> None:
        self.specs: Final = dict(specs)
        self._by_suffix = {suffix: one for one in specs.values() for suffix in one.suffixes}
        self._by_file_name = {name: one for one in specs.values() for name in one.file_names}
        self._by_interpreter = {name: one for one in specs.values() for name in one.interpreters}

    def kind_of(self, path: RepoPath) -> str | None:
        """Return all of the path that facts depend on: of equal kind and bytes, equal facts.

        None: no language, whatever is in it. Cheap, for every file of a repository.
        """
        name = path.rpartition("/")[2]
        _, dot, ending = name.rpartition(".")
        if not dot and name not in self._by_file_name:
            return "unnamed"
        spec = self._named(name, f".{ending}")
        if spec is None:
            return None
        test = "test " if spec.is_test_file(path) else ""
        again = f"{name} " if name in spec.reexporting else ""
        return f"{test}{again}{spec.name}{' min' if '.min.' in name or '-min.' in name else ''}"

    def _named(self, name: str, suffix: str) -> LanguageSpec | None:
        return (
            self._by_file_name.get(name)
            or self._by_suffix.get(suffix)
            or self._by_suffix.get(suffix.lower())
        )

    def of(self, path: RepoPath, head: bytes = b"") -> LanguageSpec | None:
        """Return the language by suffix, file name, or the first line; None: it is none of these.

        Suffixes are tried as written, then in lower case, so `.C` may differ from `.c`.
        """
        name = path.rpartition("/")[2]
        _, dot, ending = name.rpartition(".")
        spec = self._named(name, f".{ending}") if dot or name in self._by_file_name else None
        return spec or (self._by_first_line(head) if head.startswith(b"#!") and not dot else None)

    def _by_first_line(self, head: bytes) -> LanguageSpec | None:
        words = head[2:].split(b"\n", 1)[0].decode("ascii", "replace").split()
        programs = [word.rpartition("/")[2] for word in words if not word.startswith("-")]
        if programs[:1] == ["env"]:
            programs = [word for word in programs[1:] if "=" not in word]
        return self._by_interpreter.get(programs[0].rstrip("0123456789.")) if programs else None


def load_languages(folder: Path) -> Languages:
    """Return the languages whose data folders lie in this one.

    Raises:
        ValueError: A folder does not say what it has to, or says it wrongly.
    """
    return Languages({path.parent.name: _spec(path) for path in sorted(folder.glob("*/*.toml"))})


@cache
def built_in() -> Languages:
    """Return the languages that come with Greenloop."""
    return load_languages(GRAMMARS)


def spec_of(path: RepoPath, head: bytes = b"") -> LanguageSpec | None:
    """Return the language of a file; loads no grammar. `head`: its first bytes, for `#!`."""
    return built_in().of(path, head)


def language_of(path: RepoPath) -> Language | None:
    """Return the language that code is written for, by suffix and name; None for all others."""
    spec = spec_of(path)
    return Language(spec.name) if spec is not None and spec.name in set(Language) else None


def parser_for(language: Language) -> Parser:
    """Return this thread's parser of the language (a parser keeps state)."""
    parsers: dict[Language, Parser] = getattr(_OF_THREAD, "parsers", {})
    _OF_THREAD.parsers = parsers
    if language not in parsers:
        parsers[language] = Parser(load_grammar(built_in().specs[language]))
    return parsers[language]


def load_grammar(spec: LanguageSpec) -> Grammar:
    """Return the grammar; imports its package.

    Raises:
        ImportError: The package is not installed or holds no such function.
    """
    package, _, function = spec.grammar.partition(":")
    try:
        pointer: object = getattr(import_module(package), function)()
    except AttributeError as exc:
        raise ImportError(f"{package} has no {function}") from exc
    return Grammar(pointer)


def _spec(path: Path) -> LanguageSpec:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        tests = data.get("tests", {})
        return LanguageSpec(
            name=path.parent.name,
            folder=path.parent,
            title=data["title"],
            grammar=data["grammar"],
            queries=(
                *sorted(path.parent.glob("*.scm")),
                *(path.parent / other for other in _texts(data, "also")),
            ),
            suffixes=_texts(data, "suffixes"),
            file_names=_texts(data, "file_names"),
            interpreters=_texts(data, "interpreters"),
            modules=data.get("modules", "none"),
            braces=data.get("braces", ""),
            reexporting=_texts(data, "reexporting"),
            ignored=frozenset(_texts(data, "ignored")),
            test_files=_pattern(tests, "files"),
            test_functions=_pattern(tests, "functions"),
            test_classes=_pattern(tests, "classes"),
        )
    except KeyError as exc:
        raise ValueError(f"{path}: `{exc.args[0]}` has to be given") from exc
    except (tomllib.TOMLDecodeError, re.error, TypeError) as exc:
        raise ValueError(f"{path}: {exc}") from exc


def _texts(data: Mapping[str, Any], key: str) -> tuple[str, ...]:
    given = data.get(key, [])
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise TypeError(f"`{key}` has to be a list of strings")
    return tuple(given)


def _pattern(data: Mapping[str, Any], key: str) -> re.Pattern[str] | None:
    return re.compile(data[key]) if key in data else None
