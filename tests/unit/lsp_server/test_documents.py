"""Open documents: the same text as the editor has, the same bytes as the editor would save."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from lsp_server.convert import Encoding, Lines, lines_of, uri_of
from lsp_server.documents import CannotKeep, Documents, OpenDocument, overlay_of
from lsp_server.marks import edit_of
from tests.support.repos import a_repo

TEXTS = st.text(st.sampled_from("ab\u00e9\U0001f600\r\n\f\u2028"), max_size=25)
ENCODINGS: tuple[Encoding, ...] = ("utf-8", "utf-16", "utf-32")


def item(path: Path, text: str, version: int = 1) -> types.TextDocumentItem:
    return types.TextDocumentItem(
        uri=uri_of(path), language_id="python", version=version, text=text
    )


def changed(uri: str, version: int, *changes: object) -> types.DidChangeTextDocumentParams:
    return types.DidChangeTextDocumentParams(
        text_document=types.VersionedTextDocumentIdentifier(uri=uri, version=version),
        content_changes=list(changes),
    )


def part(start: tuple[int, int], end: tuple[int, int], text: str) -> object:
    positions = [types.Position(line=line, character=at) for line, at in (start, end)]
    range_ = types.Range(start=positions[0], end=positions[1])
    return types.TextDocumentContentChangePartial(range=range_, text=text)


def opened(documents: Documents, path: Path, text: str) -> OpenDocument:
    document = documents.open(item(path, text))
    assert document is not None
    documents.learn(documents.compare(document))
    document = documents.find(path)
    assert document is not None
    return document


def typed(documents: Documents, document: OpenDocument, text: str) -> OpenDocument:
    whole = types.TextDocumentContentChangeWholeDocument(text=text)
    now = documents.change(changed(document.uri, document.version + 1, whole))
    assert now is not None
    return now


@given(TEXTS, TEXTS, st.sampled_from(ENCODINGS), st.data())
def test_partial_change_gives_the_text_that_the_editor_has(
    old: str, put: str, encoding: Encoding, data: st.DataObject
) -> None:
    documents = Documents()
    documents.encoding = encoding
    seen = []
    documents.on_change.append(lambda document, changes: seen.extend(changes))
    lines = Lines(lines_of(old), encoding)
    columns = [len(old[:at].encode()) for at in range(len(old) + 1)]
    start, end = sorted((data.draw(st.sampled_from(columns)), data.draw(st.sampled_from(columns))))
    range_ = lines.range(start, end)
    start, end = lines.span(range_)  # between the two of CR LF there is no position
    documents.open(item(Path("/r/a.py"), old))
    partial = types.TextDocumentContentChangePartial(range=range_, text=put)
    document = documents.change(changed("file:///r/a.py", 2, partial))
    assert document is not None
    new = (old.encode()[:start] + put.encode() + old.encode()[end:]).decode()
    assert document.text == new
    assert list(document.lines) == lines_of(new)
    assert document.version == 2
    assert len(seen) == 1


@given(TEXTS, TEXTS)
def test_whole_change_is_told_as_what_became_other(old: str, new: str) -> None:
    documents = Documents()
    seen = []
    documents.open(item(Path("/r/a.py"), old))
    documents.on_change.append(lambda document, changes: seen.extend(changes))
    whole = types.TextDocumentContentChangeWholeDocument(text=new)
    document = documents.change(changed("file:///r/a.py", 2, whole))
    assert document is not None
    assert document.text == new
    (change,) = seen
    lines = Lines(lines_of(old), "utf-16")
    start, end = lines.span(types.Range(start=change.start, end=change.end))
    assert (old.encode()[:start] + change.text.encode() + old.encode()[end:]).decode() == new


def test_changes_of_one_message_are_made_one_after_the_other() -> None:
    documents = Documents()
    documents.open(item(Path("/r/a.py"), "one\ntwo\n"))
    document = documents.change(
        changed("file:///r/a.py", 5, part((0, 0), (0, 0), "x\n"), part((1, 0), (1, 3), "1"))
    )
    assert document is not None
    assert (document.text, document.version) == ("x\n1\ntwo\n", 5)


def test_document_is_found_however_its_uri_is_spelled() -> None:
    documents = Documents()
    documents.open(
        types.TextDocumentItem(uri="file:///r/a%40b.py", language_id="x", version=1, text="")
    )
    found = documents.named("file:///r/a@b.py")
    assert found is not None
    assert found.uri == "file:///r/a%40b.py"
    assert documents.find(Path("/r/a@b.py")) is found


def test_documents_of_other_schemes_are_nobodys_files() -> None:
    documents = Documents()
    for uri in ("untitled:Untitled-1", "git:/r/a.py"):
        assert (
            documents.open(types.TextDocumentItem(uri=uri, language_id="x", version=1, text="a"))
            is None
        )
        assert documents.change(changed(uri, 2, part((0, 0), (0, 0), "x"))) is None
        assert documents.close(uri) is None
    assert documents.all() == ()


def test_text_that_was_changed_and_changed_back_is_saved(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"a = 1\n")
    documents = Documents()
    document = opened(documents, path, "a = 1\n")
    assert not document.is_unsaved
    document = typed(documents, document, "a = 2\n")
    assert document.is_unsaved
    assert not typed(documents, document, "a = 1\n").is_unsaved


def test_file_that_changed_under_an_untouched_document_is_not_overlaid(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"a = 1\n")
    documents = Documents()
    document = opened(documents, path, "a = 1\n")
    path.write_bytes(b"a = 3\n")
    assert not document.is_unsaved
    path.unlink()
    assert not document.is_unsaved


def test_document_that_was_restored_with_changes_is_unsaved(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"a = 1\r\n")
    document = opened(Documents(), path, "a = 2\n")
    assert document.is_unsaved
    assert document.data == b"a = 2\r\n"


def test_new_file_counts_as_soon_as_there_is_something_in_it(tmp_path: Path) -> None:
    documents = Documents()
    document = opened(documents, tmp_path / "new.py", "")
    assert not document.is_unsaved
    document = typed(documents, document, "a = 1\n")
    assert document.is_unsaved
    assert document.data == b"a = 1\n"


def test_line_end_that_neovim_sees_in_an_empty_file_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"")
    documents = Documents()
    for place in (path, tmp_path / "new.py"):
        assert not opened(documents, place, "\n").is_unsaved
    document = documents.find(path)
    assert document is not None
    assert document.data == b""
    assert typed(documents, document, "a\n").data == b"a\n"


def test_save_makes_it_saved_whatever_the_form(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"a\n")
    documents = Documents()
    document = typed(documents, opened(documents, path, "a\n"), "\u00e9\n")
    path.write_bytes("\u00e9\n".encode("utf-16"))
    documents.learn(documents.compare(documents.saved(document)))
    document = documents.find(path)
    assert document is not None
    assert not document.is_unsaved
    assert typed(documents, document, "\u00e8\n").data == "\u00e8\n".encode("utf-16")


def test_form_is_learnt_for_the_document_as_it_is_by_then(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"\xef\xbb\xbfa\r\n")
    documents = Documents()
    document = documents.open(item(path, "a\r\n"))
    assert document is not None
    typed(documents, document, "b\r\n")
    documents.learn(documents.compare(document))
    document = documents.find(path)
    assert document is not None
    assert (document.is_unsaved, document.data) == (True, b"\xef\xbb\xbfb\r\n")


def test_unknown_encoding_of_unsaved_text_is_refused_with_the_path(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"caf\xe9\n")
    documents = Documents()
    document = opened(documents, path, "caf\ufffd\n")
    assert not document.is_unsaved
    document = typed(documents, document, "caf\ufffd!\n")
    assert document.is_unsaved
    with pytest.raises(CannotKeep, match=str(path)):
        overlay_of([document], a_repo(tmp_path / "r")) or document.data


def test_overlay_holds_what_is_unsaved_of_one_repository(tmp_path: Path) -> None:
    top = a_repo(tmp_path / "r", {"a.py": b"a\n", "b.py": b"b\r\n", "c/d.py": b"d\n"})
    inner = a_repo(top / "inner", {"e.py": b"e\n"})
    (top / "link.py").symlink_to("a.py")
    (tmp_path / "way").symlink_to(top)
    documents = Documents()
    typed(documents, opened(documents, top / "link.py", "a\n"), "A\n")
    typed(documents, opened(documents, tmp_path / "way" / "b.py", "b\r\n"), "B\r\n")
    opened(documents, top / "c" / "d.py", "d\n")
    typed(documents, opened(documents, inner / "e.py", "e\n"), "E\n")
    typed(documents, opened(documents, top / ".git" / "COMMIT_EDITMSG", ""), "message")
    typed(documents, opened(documents, tmp_path / "outside.py", ""), "x")
    assert overlay_of(documents.all(), top) == {"a.py": b"A\n", "b.py": b"B\r\n"}
    assert overlay_of(documents.all(), inner) == {"e.py": b"E\n"}


@given(TEXTS, TEXTS, TEXTS)
def test_edit_of_a_change_leads_where_the_new_text_ends(old: str, put: str, tail: str) -> None:
    lines = Lines(lines_of(old + tail), "utf-16")
    at = lines.position(len(old.encode()))
    start = lines.offset(at)
    new = ((old + tail).encode()[:start] + put.encode() + (old + tail).encode()[start:]).decode()
    edit = edit_of(at, at, put, "utf-16")
    if put.endswith("\r") or (put and old.endswith("\r")):
        return  # CR LF comes together at the seam
    after = Lines(lines_of(new), "utf-16").position(start + len(put.encode()))
    assert edit.new_end == (after.line, after.character)
