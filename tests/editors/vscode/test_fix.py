"""From a failing test to reviewed hunks, in a real VS Code with a real sandbox."""

import pytest

from tests.support.editor_runs import (
    RUN_S,
    end_of,
    failing_tests,
    hunk_with,
    in_phase,
    measured,
    nth_run,
    proposal,
)
from tests.support.served import requests
from tests.support.shop import BASKET, HEALTHY_SHOP
from tests.support.till import (
    LOOK,
    MEND_ALL,
    MENDED_TAX,
    TAX,
    TAX_TEST,
    TILL,
    after,
    conversations,
    stuck,
)
from tests.support.workbench import until_true

pytestmark = [pytest.mark.vscode, pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(900)]

MODEL = {"greenloop.strategy": "model", "greenloop.model": "fake"}
LENS = ".codelens-decoration a"
FIX_LENS = f'{LENS}:has-text("Fix")'
TOAST = ".notification-toast"


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n")


def test_a_failing_test_is_fixed_cancelled_fixed_again_reviewed_and_undone(
    project, model, window_on
):
    repo = project(TILL)
    tests, tax, basket = (
        repo / name for name in ("tests/test_tax.py", "shop/tax.py", "shop/basket.py")
    )
    before = {file: file.read_bytes() for file in (tests, tax, basket)}
    script = conversations([stuck(LOOK), MEND_ALL], [LOOK, MEND_ALL])
    # No time to find out which hunks are needed: the needless one stays for the reviewer.
    hasty = "minimise_s = 0.001"
    with model(script, hasty) as fake, window_on(repo, **MODEL) as window:
        # From the lens of the test, and cancelled from the notification.
        line = line_of(tests.read_text(), "def test_half_a_cent")
        window.show(tests, line)
        window.see(FIX_LENS)
        window.click_above("def test_half_a_cent", "Fix")
        first = nth_run(window)
        until_true(lambda: requests(fake.sent), "the model is not asked", RUN_S)
        window.see(f'{TOAST}:has-text("Greenloop")')
        window.press_button("Cancel")
        assert end_of(window, first)["verdict"] == "interrupted"
        window.trace.wait(what="progress", run=first, step="end")

        # From the light bulb.
        window.show(tests, line, character=6)
        window.press("Control+.")
        window.click('.action-widget .monaco-list-row:has-text("Fix this test")')
        run = nth_run(window, 2)
        assert end_of(window, run)["verdict"] == "green"
        assert {file: file.read_bytes() for file in before} == before

        # The review: all files in one editor, a decision above each hunk.
        review(window, run)
        needless = hunk_with(window, run, "tax = tax_within(price)")
        assert needless["neededFor"] == []
        needed = hunk_with(window, run, "whole = 100 + PERCENT")
        window.click_above("tax = tax_within(price)", "Reject")
        window.trace.wait(what="decided", run=run, decision="reject")
        assert measured(window, run)["check"]["verdict"] == "green"
        states = {h["id"]: h["state"] for f in proposal(window, run)["files"] for h in f["hunks"]}
        assert states[needless["id"]] == "rejected"
        assert states[needed["id"]] == "open"

        window.palette("Greenloop: Accept All Hunks")
        window.trace.wait(what="decided", run=run, decision="accept")
        until_true(lambda: b"whole" in tax.read_bytes(), "nothing is accepted on disk")
        assert tax.read_text() == MENDED_TAX
        assert ">= FREE" in basket.read_text()
        assert failing_tests(repo) == []

        window.palette("Greenloop: Undo Accepted")
        until_true(
            lambda: {file: file.read_bytes() for file in before} == before,
            "undo does not give back what was there",
        )


def test_what_is_typed_and_not_saved_is_what_gets_fixed(project, window_on):
    repo = project(HEALTHY_SHOP)
    basket = repo / "shop" / "basket.py"
    on_disk = basket.read_bytes()
    with window_on(repo) as window:
        window.show(basket, line_of(basket.read_text(), "    if amount >= FREE"), character=15)
        window.press("Delete")  # `>=` becomes `>`
        window.press("Control+Home")
        window.type("# Mine.\n")
        until_true(lambda: "amount > FREE" in window.text(basket), "typing is lost")
        window.palette("Greenloop: Fix Failing Tests")
        run = nth_run(window)
        assert end_of(window, run)["verdict"] == "green"
        review(window, run)
        window.palette("Greenloop: Accept All Hunks")
        window.trace.wait(what="decided", run=run, decision="accept")
        expected = '# Mine.\n"""What is in'
        until_true(lambda: "amount > FREE" not in window.text(basket), "nothing is accepted")
        assert window.text(basket).startswith(expected)
        # It was not saved before, so it is for the user to save it.
        assert window.is_unsaved(basket)
        assert basket.read_bytes() == on_disk
        window.ask("save", uri=basket.as_uri())
    assert failing_tests(repo) == []
    assert basket.read_text().startswith(expected)


def test_what_is_typed_during_a_run_is_kept_and_meets_it_as_a_conflict(project, model, window_on):
    repo = project(TILL)
    tax, basket = repo / "shop" / "tax.py", repo / "shop" / "basket.py"
    with model(conversations([after(2, LOOK), MEND_ALL])), window_on(repo, **MODEL) as window:
        window.palette("Greenloop: Fix Failing Tests")
        run = nth_run(window)
        in_phase(window, run, "search", "gate", "minimise", "patch")
        window.show(basket)
        window.type("# Typed meanwhile.\n")
        window.show(tax, line_of(TAX, "    return price * PERCENT"), character=4)
        window.press("Shift+End")
        window.type("return 16 * price // 100")
        until_true(lambda: "16 * price" in window.text(tax), "typing is lost")
        assert end_of(window, run)["verdict"] == "green"
        review(window, run)
        window.palette("Greenloop: Accept All Hunks")
        decided = window.trace.wait(what="decided", run=run, decision="accept")
        assert decided["conflicts"]
        until_true(lambda: ">= FREE" in window.text(basket), "nothing is accepted")
        assert window.text(basket).startswith("# Typed meanwhile.\n")
        assert "return 16 * price // 100" in window.text(tax)
        assert "whole" not in window.text(tax)
        assert hunk_with(window, run, "whole = 100")["conflict"]


def test_without_a_needed_hunk_the_verdict_follows_and_accepting_asks(project, model, window_on):
    repo = project(TILL)
    tax, basket = repo / "shop" / "tax.py", repo / "shop" / "basket.py"
    with model(conversations([LOOK, MEND_ALL])), window_on(repo, **MODEL) as window:
        window.palette("Greenloop: Fix Failing Tests")
        run = nth_run(window)
        assert end_of(window, run)["verdict"] == "green"
        review(window, run)
        window.click_above("whole = 100 + PERCENT", "Reject")
        window.trace.wait(what="decided", run=run, decision="reject")
        check = measured(window, run, revision=1)["check"]
        assert check["verdict"] not in {"", "green"}
        window.palette("Greenloop: Accept All Hunks")
        window.trace.wait(what="message", level="modal")
        assert basket.read_text() == BASKET
        window.press_button("Accept Anyway")
        until_true(lambda: ">= FREE" in basket.read_text(), "nothing is accepted")
    assert tax.read_text() == TAX
    assert failing_tests(repo) == [TAX_TEST]


def review(window, run: str) -> None:
    """Open the review of a run that has just ended, from its message, and wait for its lenses."""
    window.press_button("Review")
    window.trace.wait(what="opened", run=run)
    window.see(f'{LENS}:has-text("Accept")')
    window.see(".monaco-diff-editor .monaco-editor.focused")
