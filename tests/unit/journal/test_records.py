"""Records survive: every event comes back equal, every cut leaves the whole records before it."""

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import JournalError
from agent.events import Event, Notice, SearchProgress
from agent.journal.records import Record, read_records, record_to_json
from tests.support.cli import all_events

EVENTS = all_events("20261123-161502-3f9a", "/home/me/caf\udce9")


def lines_of(*events: Event) -> list[bytes]:
    records = (
        Record(number=number, at_unix_s=1000.5 + number, event=event)
        for number, event in enumerate(events)
    )
    return [json.dumps(record_to_json(record)).encode() + b"\n" for record in records]


def test_the_example_run_has_every_kind_of_event() -> None:
    assert {type(event) for event in EVENTS} == set(get_args(Event))


def test_every_kind_of_event_comes_back_equal() -> None:
    records = tuple(read_records(b"".join(lines_of(*EVENTS))))
    assert tuple(record.event for record in records) == EVENTS
    assert [record.number for record in records] == list(range(len(EVENTS)))
    assert records[1].at_unix_s == 1001.5


@given(cut=st.integers(min_value=0), garbage=st.sampled_from([b"", b"\0\0\0", b"{", b"\xff"]))
def test_journal_cut_at_any_byte_reads_up_to_its_last_whole_record(
    cut: int, garbage: bytes
) -> None:
    lines = lines_of(*EVENTS)
    data = b"".join(lines)
    cut %= len(data) + 1
    whole = data[:cut].count(b"\n")
    records = tuple(read_records(data[:cut] + garbage))
    assert tuple(record.event for record in records) == EVENTS[:whole]


def test_journal_cut_at_every_byte_of_a_short_run_reads_up_to_there() -> None:
    lines = lines_of(*EVENTS[:3])
    data = b"".join(lines)
    for cut in range(len(data) + 1):
        whole = data[:cut].count(b"\n")
        assert len(tuple(read_records(data[:cut]))) == whole


@pytest.mark.parametrize(
    "damage", [b"not json\n", b"[]\n", b"{}\n", b'{"version": "x"}\n', b'{"version": 1}\n']
)
def test_nothing_after_a_damaged_line_is_believed(damage: bytes) -> None:
    first, second = lines_of(*EVENTS[:2])
    records = tuple(read_records(first + damage + second))
    assert tuple(record.event for record in records) == EVENTS[:1]


def test_events_and_fields_of_later_versions_are_left_out() -> None:
    known = record_to_json(
        Record(number=0, at_unix_s=1.0, event=Notice(level="info", text="hello"))
    )
    newer = {**known, "data": {**known["data"], "colour": "blue"}}
    unknown = {**known, "event": "SomethingNew"}
    data = b"".join(json.dumps(each).encode() + b"\n" for each in (unknown, newer))
    records = tuple(read_records(data))
    assert [record.event for record in records] == [Notice(level="info", text="hello")]


def test_later_format_is_refused_with_a_remedy() -> None:
    line = lines_of(*EVENTS[:1])[0].replace(b'"version": 1', b'"version": 2')
    with pytest.raises(JournalError) as caught:
        tuple(read_records(line))
    assert "format 2" in caught.value.message
    assert caught.value.remedy == "Update Greenloop to read it."


@given(best=st.text(st.characters(codec=None, categories=None)))
def test_any_text_survives(best: str) -> None:
    event = SearchProgress(tried=1, plausible=0, space_left=0, best=best)
    (record,) = read_records(lines_of(event)[0])
    assert record.event == event
