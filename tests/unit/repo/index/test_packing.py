"""What goes into the index comes out the same; what is no fact of ours is not believed."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.repo.facts import Definition, FileFacts
from agent.repo.index import packing
from agent.repo.index.packing import (
    Damaged,
    blob_key,
    lines_of,
    pack,
    pack_facts,
    unpack_definition,
    unpack_head,
)
from agent.repo.index.worker import Source, receive, receive_packed, send, work
from agent.repo.reading import read_facts
from agent.task import RepoPath

PATH = RepoPath("shop/cart.py")
SOURCE = (
    b'"""Cart."""\nfrom .x import y as z, w\n\n\nclass Cart:\n    def total(self): return w(1)\n'
)


def test_facts_come_out_as_they_went_in():
    packed = pack(PATH, SOURCE, b"\0" * 20)
    facts = unpack_head(packed.head)._replace(
        definitions=tuple(map(unpack_definition, lines_of(packed.definitions))),
        imports=packing.unpack_imports(packed.imports),
        uses=packed.uses,
    )
    expected = read_facts(PATH, SOURCE)
    assert isinstance(expected, FileFacts)
    assert facts == expected._replace(words="", used="")
    assert packed.key == blob_key(SOURCE, b"\0" * 20)


@given(
    st.lists(
        st.builds(
            Definition,
            name=st.text(),
            kind=st.sampled_from(["function", "class"]),
            line=st.integers(1),
            name_line=st.integers(1),
            end_line=st.integers(1),
            start=st.integers(0),
            end=st.integers(0),
            parent=st.integers(-1),
            qualified=st.text(),
            signature=st.text(),
            doc=st.text(),
            is_test=st.booleans(),
            is_stub=st.booleans(),
        )
    )
)
def test_any_definitions_come_out_as_they_went_in_but_for_our_own_marks(definitions):
    facts = read_facts(PATH, b"")
    assert isinstance(facts, FileFacts)
    packed = pack_facts(b"", facts._replace(definitions=tuple(definitions)))
    found = list(map(unpack_definition, lines_of(packed.definitions)))
    assert [tuple(map(str, one)) for one in found] == [
        tuple(str(each).translate({10: " ", 31: " "}) for each in one) for one in definitions
    ]


def test_ids_are_made_by_the_algorithm_of_the_repository():
    assert blob_key(b"", b"\0" * 20).hex() == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    assert len(blob_key(b"", b"\0" * 32)) == 32


@pytest.mark.parametrize(
    ("unpack", "rubbish"),
    [
        (unpack_head, b"[]"),
        (unpack_head, b'["python", "x", [], "", false]'),
        (unpack_definition, b""),
        (unpack_definition, b"\x1f".join([b"x"] * 12)),
        (unpack_definition, b"a\x1ff\x1f1\x1f1\x1f1\x1f0\x1f9\x1f-1\x1f\x1fa"),
        (unpack_definition, b"\xff"),
        (packing.unpack_imports, b"[[1]]"),
        (packing.unpack_imports, b"\xff"),
    ],
)
def test_what_cannot_be_ours_is_not_believed(unpack, rubbish):
    with pytest.raises(Damaged):
        unpack(rubbish)


def test_a_language_whose_grammar_is_missing_is_no_error(monkeypatch):
    def no_grammar(*_arguments):
        raise ImportError

    monkeypatch.setattr(packing, "read_facts", no_grammar)
    assert pack(PATH, SOURCE, b"").why == "no grammar"


def test_a_worker_answers_batch_by_batch_until_its_input_ends():
    source, sink = io.BytesIO(), io.BytesIO()
    batches = [[Source(PATH, SOURCE, b""), Source(PATH, b"", b"")], [Source(PATH, b"\0", b"")]]
    for batch in batches:
        send(source, batch)
    source.seek(0)
    work(source, sink)
    sink.seek(0)
    answers = [receive_packed(sink), receive_packed(sink), receive_packed(sink)]
    assert answers == [[pack(*one) for one in batch] for batch in batches] + [None]


def test_a_batch_that_is_cut_off_is_none():
    whole = io.BytesIO()
    send(whole, [Source(PATH, SOURCE, b"")])
    assert receive(io.BytesIO(whole.getvalue()[:-1])) is None
    assert receive(io.BytesIO(b"\0\0")) is None
