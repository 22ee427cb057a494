"""One event as one line of JSON, and back. Touches no disk (see `store`).

A line holds the format's version, the record's number within its run, the time and the event. What
a later version of Greenloop adds (fields, whole events) is left out on reading; what it changes
has a higher version and is refused. docs/journal.md describes the format for other programs.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, get_args

from agent.errors import JournalError
from agent.events import Event

VERSION: Final = 1
NOT_KEPT: Final = -1
_EVENTS: Final[Mapping[str, type[Event]]] = {each.__name__: each for each in get_args(Event)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An event, when it happened and its place in the run."""

    number: int
    """Counts from 0 without a gap; `NOT_KEPT` for what only passes by."""
    at_unix_s: float
    event: Event


def record_to_json(record: Record) -> dict[str, Any]:
    """Return the object that is written as one line."""
    return {
        "version": VERSION,
        "number": record.number,
        "at_unix_s": round(record.at_unix_s, 3),
        "event": type(record.event).__name__,
        "data": asdict(record.event),
    }


def record_from_json(parsed: Mapping[str, Any]) -> Record | None:
    """Return the record that `record_to_json` gave; None for an event that is not known here."""
    event = _event(parsed)
    if event is None:
        return None
    return Record(number=parsed["number"], at_unix_s=parsed["at_unix_s"], event=event)


def read_records(data: bytes) -> Iterator[Record]:
    """Yield the records of a journal's bytes, up to the last whole one.

    A write that was cut short by a kill, a full disk or a power loss ends the journal there: what
    follows a line that cannot be read is not believed. Raises: JournalError for a later format.
    """
    for line in data.split(b"\n")[:-1]:  # what follows the last line end is not a whole record
        parsed = _parse(line)
        if parsed is None:
            return
        record = record_from_json(parsed)
        if record is not None:
            yield record


def whole_records(data: bytes) -> tuple[int, int]:
    """Return how many bytes of a journal are whole records, and the number of the next one.

    Raises: JournalError for a later format.
    """
    size_bytes, number = 0, 0
    for line in data.split(b"\n")[:-1]:
        parsed = _parse(line)
        if parsed is None:
            break
        size_bytes += len(line) + 1
        number = parsed["number"] + 1
    return size_bytes, number


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        parsed = json.loads(line)
    except ValueError:
        return None
    if not isinstance(parsed, dict) or not isinstance(parsed.get("version"), int):
        return None
    if parsed["version"] > VERSION:
        raise JournalError(
            f"this run was recorded by a later version of Greenloop (format {parsed['version']}).",
            remedy="Update Greenloop to read it.",
        )
    return parsed if {"number", "at_unix_s", "event", "data"} <= parsed.keys() else None


def _event(parsed: Mapping[str, Any]) -> Event | None:
    kind = _EVENTS.get(parsed["event"])
    if kind is None:
        return None
    values = {
        each.name: _value(parsed["data"][each.name])
        for each in fields(kind)
        if each.name in parsed["data"]
    }
    return kind(**values)


def _value(value: Any) -> Any:
    return tuple(map(_value, value)) if isinstance(value, list) else value
