"""Positions and URIs: what any client may send, and what every text may hold."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from lsp_server.convert import (
    Encoding,
    Lines,
    column_of,
    encoding_named,
    line_range,
    lines_of,
    path_of,
    range_of,
    span_of,
    units_of,
    uri_of,
)

ENCODINGS: tuple[Encoding, ...] = ("utf-8", "utf-16", "utf-32")
TEXTS = st.text(st.sampled_from("ab\u00e9\u4e2d\U0001f600\r\n\f\x85\u2028 "), max_size=40)


def at(line: int, character: int) -> types.Position:
    return types.Position(line=line, character=character)


def test_lines_end_where_the_specification_says_and_nowhere_else() -> None:
    text = "a\r\nb\rc\nd\fe\x0bf\x85g\u2028h"
    assert lines_of(text) == ["a\r\n", "b\r", "c\n", "d\fe\x0bf\x85g\u2028h"]


@given(TEXTS)
def test_lines_are_the_whole_text(text: str) -> None:
    assert "".join(lines_of(text)) == text


@pytest.mark.parametrize(("encoding", "units"), [("utf-8", 10), ("utf-16", 5), ("utf-32", 4)])
def test_units_are_those_of_the_encoding(encoding: Encoding, units: int) -> None:
    assert units_of("a\u00e9\u4e2d\U0001f600", encoding) == units


@pytest.mark.parametrize(
    ("encoding", "character", "column"),
    [
        ("utf-16", 0, 0),
        ("utf-16", 1, 1),
        ("utf-16", 2, 1),  # inside the pair: the character's start
        ("utf-16", 3, 2),
        ("utf-16", 99, 3),
        ("utf-8", 4, 1),
        ("utf-8", 5, 2),
        ("utf-32", 2, 2),
        ("utf-32", 99, 3),
    ],
)
def test_character_past_the_end_is_the_end(encoding: Encoding, character: int, column: int) -> None:
    assert column_of("a\U0001f600b\r\n", character, encoding) == column


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_position_past_the_last_line_is_the_end_of_the_text(encoding: Encoding) -> None:
    for text in ("", "a", "a\n", "a\r\n\u00e9"):
        end = len(text.encode())
        assert span_of(text, types.Range(start=at(0, 0), end=at(9, 9)), encoding) == (0, end)


@given(TEXTS, st.sampled_from(ENCODINGS), st.data())
def test_bytes_become_a_range_and_the_same_bytes_again(
    text: str, encoding: Encoding, data: st.DataObject
) -> None:
    columns = [0]
    for character in text:
        columns.append(columns[-1] + len(character.encode()))
    # Between the two of CR LF there is no position.
    inside = {columns[at] for at in range(1, len(text)) if text[at - 1 : at + 1] == "\r\n"}
    places = [column for column in columns if column not in inside]
    start, end = sorted((data.draw(st.sampled_from(places)), data.draw(st.sampled_from(places))))
    assert span_of(text, range_of(text, start, end, encoding), encoding) == (start, end)


@given(TEXTS, st.sampled_from(ENCODINGS), st.integers(0, 9), st.integers(0, 50))
def test_any_position_lies_in_the_text(
    text: str, encoding: Encoding, line: int, character: int
) -> None:
    lines = Lines(lines_of(text), encoding)
    offset = lines.offset(at(line, character))
    assert 0 <= offset <= len(text.encode())
    assert lines.offset(lines.position(offset)) == offset


def test_range_is_put_in_order() -> None:
    assert span_of("abc\n", types.Range(start=at(0, 2), end=at(0, 1)), "utf-16") == (1, 2)


def test_half_a_pair_is_counted_and_not_refused() -> None:
    text = "a\ud83d b\n"
    assert span_of(text, types.Range(start=at(0, 1), end=at(0, 3)), "utf-16") == (1, 5)


def test_lines_have_a_range() -> None:
    assert line_range(2, 3) == types.Range(start=at(2, 0), end=at(5, 0))


def test_unknown_encoding_is_the_one_that_every_client_knows() -> None:
    assert [encoding_named(name) for name in ("utf-8", "utf-7", None)] == [
        "utf-8",
        "utf-16",
        "utf-16",
    ]


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///a/b.py", "/a/b.py"),
        ("file:///a%20b/%23c.py", "/a b/#c.py"),
        ("file:///a b/#c.py", "/a b/#c.py"),
        ("file:///a?b.py", "/a?b.py"),
        ("file://localhost/a", "/a"),
        ("file:/a/b", "/a/b"),
        ("FILE:///a/../b", "/b"),
        ("file:///c%3A/d", "/c:/d"),
        ("file:///%C3%A9", "/\u00e9"),
        ("file:///%FF.py", "/\udcff.py"),
    ],
)
def test_file_uri_names_a_path_however_it_is_spelled(uri: str, path: str) -> None:
    assert path_of(uri) == Path(path)


@pytest.mark.parametrize(
    "uri",
    [
        "untitled:Untitled-1",
        "vscode-remote://ssh/a",
        "git:/a.py?x",
        "file://server/a",
        "file:relative",
        "file:///a%00b",
        "http://[",
        "",
        "/a/b.py",
    ],
)
def test_other_uris_name_no_path(uri: str) -> None:
    assert path_of(uri) is None


@given(st.binary(min_size=1, max_size=20).filter(lambda data: b"\0" not in data))
def test_any_path_survives_its_uri(name: bytes) -> None:
    path = Path(os.path.normpath("/top/" + os.fsdecode(name)))
    uri = uri_of(path)
    assert uri.isascii()
    assert path_of(uri) == path
