"""The page of a run: complete, self-contained, and deaf to whatever a repository holds."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.cli.page import build_page
from agent.cli.page.elements import element, text
from agent.cli.page.timeline import describe
from agent.cli.patches import hunk_places
from agent.journal.records import Record
from agent.journal.redaction import Redactor
from tests.support.cli import (
    TEST,
    a_patch,
    a_result,
    a_stored_run,
    all_events,
    an_ambiguous_result,
    diff_of,
)
from tests.unit.cli.conftest import Greenloop

EVENTS = all_events("20261123-161502-3f9a", "/repo")
RECORDS = tuple(
    Record(number=number, at_unix_s=1000.0 + number, event=event)
    for number, event in enumerate(EVENTS)
)


class Reader(HTMLParser):
    """Notes every tag with its attributes, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)


def a_page(**changes: object) -> str:
    patch = a_patch()
    rows = [(TEST, "fails", "passes"), ("tests/test_stats.py::test_mean", "passed", "passed")]
    return build_page(a_result(**changes), RECORDS, rows, hunk_places(patch), Redactor())


def test_page_holds_verdict_diff_alternatives_tests_evidence_and_timeline() -> None:
    shown = Reader(a_page()).text
    for part in (
        "green, plausible",
        "1 test fixed, nothing else broken",
        "greenloop apply 20261123-161502-3f9a",
        "return ordered[middle]",
        "middle one lower",
        TEST,
        "tests/test_stats.py::test_mean",
        "virtualenv of the repository",
        "3f9a1c2d4e5f60718293a4b5c6d7e8f901234567",
        "greenloop verify 20261123-161502-3f9a",
        "line 6 is run by no test",
        "812 tried, 2 plausible",
    ):
        assert part in shown


def test_every_hunk_has_an_anchor_that_its_id_links_to() -> None:
    reader = Reader(a_page())
    (hunk,) = a_patch().hunks
    anchor = f"hunk-{hunk.id[:8]}"
    assert anchor in [attributes.get("id") for _, attributes in reader.tags]
    assert ("a", {"class": "hunk-id", "href": f"#{anchor}"}) in reader.tags


def test_page_has_a_search_box_and_one_row_for_each_test() -> None:
    reader = Reader(a_page())
    assert [a["type"] for tag, a in reader.tags if tag == "input"] == ["search"]
    assert [a["class"] for tag, a in reader.tags if tag == "tr" and "class" in a][-2:] == [
        "changed",
        "same",
    ]


def test_page_loads_nothing_and_its_policy_allows_only_its_own_style_and_script() -> None:
    page = a_page()
    reader = Reader(page)
    assert {tag for tag, _ in reader.tags} & {"img", "link", "iframe", "object", "base"} == set()
    assert all("src" not in attributes for _, attributes in reader.tags)
    links = [a["href"] or "" for tag, a in reader.tags if tag == "a"]
    assert all(link.startswith("#") for link in links)
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    for name in ("style", "script"):
        (content,) = re.findall(rf"<{name}>(.*?)</{name}>", page, flags=re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "url(" not in page


EVIL = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><script>alert(1)</script>",
    "'-alert(1)-'",
    "<!--",
    "]]>",
    "\x1b[31m\u202e\0",
)


@pytest.mark.parametrize("evil", EVIL)
def test_nothing_of_a_repository_becomes_markup(evil: str) -> None:
    patch = a_patch(f"x = 1  # {evil}\n".encode(), f"x = 2  # {evil}\n".encode())
    option = {"patch": diff_of(patch), "confidence": "likely", "rank": 1, "why": evil}
    result = a_result(
        message=evil, patch=diff_of(patch), notes=[evil], candidates=[option, option], receipt=evil
    )
    records = tuple(
        Record(number=0, at_unix_s=1.0, event=event) for event in all_events(evil, f"/repo/{evil}")
    )
    rows = [(evil, evil, "passes")]
    page = build_page(result, records, rows, hunk_places(patch), Redactor())
    plain = build_page(
        a_result(patch=diff_of(patch), candidates=[option, option]), records, rows, {}, Redactor()
    )
    tags = [tag for tag, _ in Reader(page).tags]
    assert set(tags) <= {tag for tag, _ in Reader(plain).tags} | {"a"}
    assert tags.count("script") == 1
    assert all(
        not name.startswith("on") for _, attributes in Reader(page).tags for name in attributes
    )
    assert "\x1b" not in page
    assert "\0" not in page


@given(content=st.text(st.characters(codec=None, categories=None)))
@settings(max_examples=50)
def test_any_text_comes_back_as_text(content: str) -> None:
    reader = Reader(element("p", text(content), title=content))
    assert [tag for tag, _ in reader.tags] == ["p"]


def test_secrets_are_not_on_the_page() -> None:
    token = "ghp_" + "aB3" * 12
    page = build_page(a_result(message=token, notes=[token]), RECORDS, [], {}, Redactor())
    assert token not in page


def test_every_kind_of_event_has_its_line() -> None:
    assert all(describe(event) for event in EVENTS)


def test_page_of_a_run_without_patch_has_no_patch() -> None:
    page = a_page(
        verdict="none", confidence=None, patch="", candidates=[], receipt="", durations={}
    )
    assert 'id="patch"' not in page
    assert 'id="alternatives"' not in page
    assert "no fix found" in page


def test_show_writes_the_page_with_all_tests_of_the_receipt(
    greenloop: Greenloop, state_dir: Path, repo: Path
) -> None:
    stored = a_stored_run(state_dir, repo)
    sides = {
        "before": {TEST: "failed", "t.py::a": "passed"},
        "after": {TEST: "passed", "b": "passed"},
    }
    stored.receipt_path.write_text(json.dumps({"tests": sides}))
    answer = greenloop("show", stored.run, "--html", "run.html")
    page = repo / "run.html"
    assert answer.out == f"written: {page}\n"
    shown = Reader(page.read_text(encoding="utf-8")).text
    assert "t.py::a" in shown
    assert "not there" in shown
    answer = greenloop("show", stored.run, "--html", "run.html", "--json")
    assert answer.json == {"run": stored.run, "page": str(page)}


@pytest.mark.parametrize("receipt", ["{", "[]", '{"tests": 3}', '{"tests": {"before": []}}'])
def test_page_does_without_a_receipt_that_cannot_be_read(
    greenloop: Greenloop, state_dir: Path, repo: Path, receipt: str
) -> None:
    stored = a_stored_run(state_dir, repo)
    stored.receipt_path.write_text(receipt)
    assert greenloop("show", stored.run, "--html", "run.html").code == 0
    assert TEST in (repo / "run.html").read_text(encoding="utf-8")


def test_page_that_cannot_be_written_is_one_line(
    greenloop: Greenloop, state_dir: Path, repo: Path
) -> None:
    a_stored_run(state_dir, repo)
    answer = greenloop("show", "last", "--html", "nowhere/run.html")
    assert answer.code == 2
    assert answer.err == (
        "greenloop: cannot write nowhere/run.html: No such file or directory.\n"
        "  Name another file with --html.\n"
    )


def test_page_asks_which_behaviour_is_right_and_has_the_tests_that_decide() -> None:
    page = build_page(an_ambiguous_result(), RECORDS, [], {}, Redactor())
    shown = " ".join(Reader(page).text.split())
    assert "2 behaviours with which the same tests pass" in shown
    assert shown.count("behaviour 2") == 2
    assert "Which is right? median([1, 2])" in shown
    assert "patches 2 and 3" in shown
    assert "assert median([1, 2]) == 1.5" in shown
    assert "Which is right?" not in Reader(a_page()).text
