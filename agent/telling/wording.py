"""How things are said: safe text, times, counts, and what a verdict means in plain words."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.events import RunStarted

GOAL_CHARACTERS: Final = 80
"""Of what is wanted; the whole is in the run's task."""

_UNSAFE: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)
"""Control characters drive terminals; direction marks make code look like other code."""
_PLAIN: Final = str.maketrans({"·": "-", "…": "...", "−": "-", "–": "-"})  # noqa: RUF001 - told apart here


def clean(text: str) -> str:
    """Return text from a repository such that a terminal or page shows it and does not obey it."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def one_line(text: str) -> str:
    """Return cleaned text without line ends and tabs."""
    return " ".join(clean(text).split())


def shortened(text: str, limit: int) -> str:
    """Return one line of at most so many characters."""
    line = one_line(text)
    return line if len(line) <= limit else line[: max(limit - 1, 0)] + "…"


def asked_for(started: "RunStarted") -> str:
    """Return what a run is about: tests, what shall be implemented, or all that fails."""
    if started.kind == "implement" and started.goal:
        return shortened(f'"{started.goal}"', GOAL_CHARACTERS)
    return " ".join(map(one_line, started.targets)) or "every failing test"


def plain_marks(text: str) -> str:
    """Return text with our typographic marks in ASCII, for terminals that have no others."""
    return text.translate(_PLAIN)


def counted(count: int, noun: str) -> str:
    """Return `1 test`, `2 patches`, `1,024 tests`."""
    ending = "" if count == 1 else "es" if noun.endswith("ch") else "s"
    return f"{count:,} {noun}{ending}"


def short_count(count: int) -> str:
    """Return `940`, `45.3k`, `1.25M`."""
    if count < 1_000:
        return str(count)
    if count < 999_950:
        return f"{count / 1_000:.1f}k"
    return f"{count / 1_000_000:.2f}M"


def duration(seconds: float) -> str:
    """Return `0.4 s`, `12.3 s`, `2 min 05 s`, `1 h 02 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest_s = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest_s:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def age(seconds: float) -> str:
    """Return how long ago: `now`, `5 min ago`, `3 h ago`, `2 d ago`."""
    if seconds < 60:
        return "now"
    if seconds < 3600:
        return f"{int(seconds // 60)} min ago"
    if seconds < 86400:
        return f"{int(seconds // 3600)} h ago"
    return f"{int(seconds // 86400)} d ago"


def headline(verdict: str, confidence: str | None) -> str:
    """Return the few words over a result."""
    words = _HEADLINES.get(verdict, verdict)
    return f"{words}, {confidence}" if verdict == "green" and confidence else words


def explanation(
    verdict: str, confidence: str | None, *, alternatives: int, still_failing: int
) -> str:
    """Return what a verdict means and what to do with it; one or two sentences.

    `alternatives` counts the patches found, `still_failing` the tests that fail with the patch.
    """
    if verdict != "green":
        return _MEANINGS.get(verdict, "")
    others = counted(alternatives, "different patch")
    match confidence:
        case "likely":
            also = f" ({others} found that do the same)" if alternatives > 1 else ""
            passing = "The whole suite passes"
            if still_failing:
                passing = (
                    f"Nothing that passed fails, {counted(still_failing, 'test')} still failing"
                )
            return f"{passing}, without a warning sign{also}. Read it before you keep it."
        case "plausible":
            room = "whether it is the right change, the tests cannot say."
            if alternatives > 1:
                room = f"the tests leave room for other changes ({others} found)."
            passing = "The tests asked for pass and nothing that passed fails"
            return f"{passing}, but {room} Read it with care."
        case "ambiguous":
            return (
                f"{others} make the same tests pass, and the tests cannot tell them apart. "
                "Choose one, or add a test that decides. It is never applied by itself."
            )
        case _:
            return ""


def notes_of(result: Mapping[str, Any]) -> list[str]:
    """Return what should be known of a result; at the end, the input on which its patches differ.

    For whoever cannot lay the question out as `greenloop show` does.
    """
    notes = [one_line(note) for note in result.get("notes", ())]
    if question := result.get("question"):
        answers = ", ".join(
            f"{number}: {one_line(answer['shown'])}"
            for number, answer in enumerate(question["answers"], 1)
        )
        command = f"greenloop answer {result['run']} N"
        asked = f"which is right? {one_line(question['call'])} {answers}"
        notes.append(f"{asked} (`{command}` keeps a test for it)")
    return notes


def colour(verdict: str, confidence: str | None) -> str:
    """Return the colour in which a verdict is shown, on terminals and pages alike."""
    if verdict == "green":
        return "yellow" if confidence == "ambiguous" else "green"
    return _COLOURS.get(verdict, "red")


_HEADLINES: Final = {
    "green": "green",
    "none": "no fix found",
    "regressed": "not green: something else breaks",
    "unchanged": "not green: the tests still fail",
    "broken": "not green: no trustworthy test report",
    "tampered": "refused: the patch reaches for the tests or their tools",
    "infrastructure": "not measured: the machine failed",
    "interrupted": "interrupted",
    "error": "could not be carried out",
    "running": "still running",
}
_MEANINGS: Final = {
    "none": "Nothing that was tried made the tests pass. Nothing was changed.",
    "regressed": "The best candidate fixes what was asked and breaks something that worked.",
    "unchanged": "The best candidate did not survive a measurement in a fresh sandbox.",
    "broken": "The test run died, hung or wrote no report, so nothing can be said about the patch.",
    "tampered": "A green that changes how green is measured is worth nothing; it was thrown away.",
    "infrastructure": "Nothing is known about the code. Trying again may help.",
    "interrupted": "What was measured until then is on record.",
    "running": "The run goes on in another process.",
}
_COLOURS: Final = {
    "none": "yellow",
    "unchanged": "yellow",
    "interrupted": "yellow",
    "running": "cyan",
    "tampered": "magenta",
}
