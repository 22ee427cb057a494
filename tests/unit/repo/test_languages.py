"""Languages as data folders, and what their smoke sets say of each."""

import shutil
from pathlib import Path

import pytest

from agent.repo.facts import FileFacts, Unread
from agent.repo.languages import (
    GRAMMARS,
    Language,
    built_in,
    language_of,
    load_grammar,
    load_languages,
    spec_of,
)
from agent.repo.reading import kind_of, read_facts, reading_version
from agent.repo.reading.captures import reader_of
from agent.task import RepoPath
from tests.support.languages import ASPECTS, asserted, differences, languages, programs, table

PROGRAMS = [(language, name) for language in languages() for name in programs(language)]
WANTED = {
    "bash", "c", "cpp", "csharp", "go", "java", "javascript", "kotlin", "lua", "php", "python",
    "ruby", "rust", "swift", "tsx", "typescript",
}  # fmt: skip


@pytest.mark.parametrize(("language", "name"), PROGRAMS)
def test_smoke_program_is_read_as_expected(language: str, name: str) -> None:
    assert differences(language, name) == []


def test_every_language_has_its_data_folder() -> None:
    assert set(languages()) == WANTED


@pytest.mark.parametrize("language", sorted(WANTED))
def test_everything_that_an_index_needs_is_asserted_of_each_language(language: str) -> None:
    assert asserted(language) >= set(ASPECTS)


def test_document_says_what_the_smoke_sets_assert() -> None:
    document = Path(__file__).parents[3] / "docs" / "languages.md"
    assert table() in document.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a/b.py", "python"),
        ("stubs/b.pyi", "python"),
        ("A.PY", "python"),
        ("SConstruct", "python"),
        ("src/x.mjs", "javascript"),
        ("src/x.d.ts", "typescript"),
        ("x.tsx", "tsx"),
        ("x.C", "cpp"),
        ("x.c", "c"),
        ("include/x.h", "cpp"),
        ("Rakefile", "ruby"),
        ("dir.py/README", None),
        ("README.md", None),
        (".py", "python"),
        ("", None),
        ("py", None),
    ],
)
def test_language_is_told_by_suffix_or_file_name(path: str, name: str | None) -> None:
    spec = spec_of(RepoPath(path))
    assert (spec.name if spec else None) == name


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"#!/usr/bin/env python3\n", "python"),
        (b"#!/usr/bin/python3.11 -I\n", "python"),
        (b"#! /bin/sh\necho", "bash"),
        (b"#!/usr/bin/env -S node --harmony\n", "javascript"),
        (b"#!/usr/bin/perl\n", None),
        (b"#!\n", None),
        (b"#!\xff\xfe\n", None),
        (b"print", None),
    ],
)
def test_first_line_tells_the_language_of_a_file_without_suffix(
    head: bytes, name: str | None
) -> None:
    spec = spec_of(RepoPath("bin/tool"), head)
    assert (spec.name if spec else None) == name
    assert spec_of(RepoPath("bin/tool.txt"), head) is None


def test_code_is_written_for_some_languages_only() -> None:
    assert language_of(RepoPath("a.py")) is Language.PYTHON
    assert language_of(RepoPath("a.mjs")) is Language.JAVASCRIPT
    assert language_of(RepoPath("a.mts")) is Language.TYPESCRIPT
    assert language_of(RepoPath("a.tsx")) is Language.TSX
    assert language_of(RepoPath("a.go")) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a/x.py", "b/y.py"),
        ("test_a.py", "b/test_b.py"),
        ("a/__init__.py", "b/__init__.py"),
        ("a.js", "deep/b.mjs"),
    ],
)
def test_paths_of_one_kind_are_read_alike(one: str, other: str) -> None:
    data = b"#!/usr/bin/env python3\nimport a\ndef test_x():\n    pass\n"
    assert kind_of(RepoPath(one)) == kind_of(RepoPath(other))
    assert read_facts(RepoPath(one), data) == read_facts(RepoPath(other), data)


def test_paths_that_are_read_otherwise_are_of_another_kind() -> None:
    paths = [
        "x.py", "test_x.py", "__init__.py", "x.js", "x.min.js", "x-min.js", "x", "x.md", "Rakefile"
    ]  # fmt: skip
    kinds = [kind_of(RepoPath(path)) for path in paths]
    assert kinds[6:8] == ["unnamed", None]
    assert len(set(kinds) - {None}) == len(paths) - 2  # both spellings of `min` are one kind


def test_version_of_the_reading_is_the_same_within_one_installation() -> None:
    assert reading_version() == reading_version()
    assert len(reading_version()) == 16


def a_language(folder: Path, text: str, queries: str = "") -> Path:
    own = folder / "tiny"
    own.mkdir(parents=True)
    (own / "language.toml").write_text(text)
    (own / "definitions.scm").write_text(queries)
    return folder


def test_language_is_added_by_a_folder_alone(tmp_path: Path) -> None:
    folder = a_language(
        tmp_path,
        'title = "Tiny"\ngrammar = "tree_sitter_python:language"\nsuffixes = [".tiny"]\n'
        'interpreters = ["tiny"]\n[tests]\nfunctions = "^check"\nfiles = "_checks"\n',
        "(function_definition name: (identifier) @name body: (_) @body) @definition.function\n",
    )
    shutil.copytree(GRAMMARS / "go", tmp_path / "go")
    known = load_languages(folder)
    facts = read_facts(RepoPath("a_checks.tiny"), b"def check_a():\n    pass\n", languages=known)
    assert isinstance(facts, FileFacts)
    assert facts.language == "tiny"
    assert [(one.name, one.is_test) for one in facts.definitions] == [("check_a", True)]
    assert read_facts(RepoPath("a.py"), b"", languages=known) == Unread("no grammar")
    go = read_facts(RepoPath("a.go"), b"package a\nfunc B() {}\n", languages=known)
    assert isinstance(go, FileFacts)
    assert [one.qualified for one in go.definitions] == ["B"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('grammar = "x:y"\n', "`title` has to be given"),
        ('title = "T"\ngrammar = "x:y"\nsuffixes = "x"\n', "`suffixes` has to be a list"),
        ('title = "T"\ngrammar = "x:y"\n[tests]\nfiles = "("\n', "unterminated subpattern"),
        ("title =", "Invalid value"),
    ],
)
def test_folder_that_is_wrong_is_named_with_what_is_wrong(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        load_languages(a_language(tmp_path, text))
    assert "tiny/language.toml" in str(caught.value)


def test_query_that_does_not_fit_its_grammar_is_named(tmp_path: Path) -> None:
    folder = a_language(
        tmp_path, 'title = "T"\ngrammar = "tree_sitter_python:language"\n', "(no_such_node) @use\n"
    )
    with pytest.raises(ValueError, match=r"tiny/definitions\.scm: .*row 0"):
        reader_of(load_languages(folder).specs["tiny"])


@pytest.mark.parametrize("grammar", ["tree_sitter_python:no_such", "no_such_package:language"])
def test_grammar_that_is_not_there_is_an_import_error(tmp_path: Path, grammar: str) -> None:
    folder = a_language(tmp_path, f'title = "T"\ngrammar = "{grammar}"\n')
    with pytest.raises(ImportError, match="no_such"):
        load_grammar(load_languages(folder).specs["tiny"])


def test_no_grammar_is_imported_before_a_file_is_read() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from agent.repo.reading import kind_of; kind_of('a.go'); "
        "print([name for name in sys.modules if name.startswith('tree_sitter_')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_every_pattern_of_tests_is_anchored_to_names() -> None:
    for spec in built_in().specs.values():
        assert not spec.is_test_file(RepoPath("src/latest.x")), spec.name
        assert not spec.is_test_file(RepoPath(f"src/contest{spec.suffixes[0]}")), spec.name
