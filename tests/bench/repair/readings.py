"""What came of reading patches: kept by case and by a hash of the patch, without its text."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

READINGS: Final = Path(__file__).parent / "data" / "readings.jsonl"


class Judged(StrEnum):
    """What a patch is, to somebody who reads it beside the real fix."""

    RIGHT = "right"
    """Does what the fix does, wherever it matters."""
    EQUIVALENT = "equivalent"
    """Written otherwise, behaves the same."""
    ACCEPTABLE = "worse but acceptable"
    """Mends what was reported; narrower, wider or less tidy than the fix. Counts as not right."""
    WRONG = "wrong"
    """Pleases the tests only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One patch that was read."""

    case: str
    patch: str
    """`patch_hash`."""
    judged: Judged
    why: str
    """In words."""


def patch_hash(patch: str) -> str:
    """Return what names a patch: its paths and changed lines, without where they stand."""
    lines = [line for line in patch.splitlines() if line[:1] in {"+", "-"}]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def load_readings(file: Path = READINGS) -> Mapping[tuple[str, str], Reading]:
    """Return the readings by case and patch; none where the file is not there."""
    if not file.exists():
        return {}
    records = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    readings = [
        Reading(
            case=each["case"],
            patch=each["patch"],
            judged=Judged(each["judged"]),
            why=each["why"],
        )
        for each in records
    ]
    return {(each.case, each.patch): each for each in readings}


def save_readings(readings: Iterable[Reading], file: Path = READINGS) -> None:
    """Write the readings in a steady order."""
    ordered = sorted(readings, key=lambda each: (each.case, each.patch))
    file.write_text("".join(json.dumps(asdict(each)) + "\n" for each in ordered), "utf-8")
