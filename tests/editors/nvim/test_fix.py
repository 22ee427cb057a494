"""From a failing test to reviewed hunks, in real Neovims with a real sandbox."""

import os
import signal

import pytest

from tests.support.neovim import Neovim, suite_passes
from tests.support.shop import FAILING, HEALTHY_SHOP, SHOP
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

pytestmark = [pytest.mark.nvim, pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(600)]

WITH_MODEL = "require('greenloop').setup({ settings = { strategy = 'model', model = 'fake' } })"
RUN = "local line = require('greenloop').runs()[1]\n"
IS_OVER = RUN + "return line and (line.state == 'finished' or line.state == 'interrupted') and line"
PROPOSAL = (
    "local review = require('greenloop.review')\n"
    "local proposal = review.get(review.current() or '')\n"
)


def end_of_run(editor: Neovim) -> dict[str, object]:
    line = editor.wait(IS_OVER)
    assert isinstance(line, dict)
    return line


def measured(editor: Neovim) -> str:
    """Wait until what is left is measured; return the verdict."""
    verdict = editor.wait(
        PROPOSAL + "return proposal and proposal.check.state == 'measured'"
        " and (proposal.check.verdict ~= '' and proposal.check.verdict or 'none')"
    )
    return str(verdict)


def test_a_failing_test_is_fixed_cancelled_fixed_again_reviewed_and_undone(
    editor_on, project, model, desk
):
    repo = project(TILL)
    tax, basket = repo / "shop" / "tax.py", repo / "shop" / "basket.py"
    before = {path: path.read_bytes() for path in (tax, basket)}
    script = conversations([stuck(LOOK), MEND_ALL], [LOOK, MEND_ALL])
    with model(script), editor_on(repo, init=WITH_MODEL) as editor:
        editor.edit(repo / "tests" / "test_tax.py")
        editor.go_to("half_a_cent")

        # Started at the test, watched, cancelled while the model thinks.
        editor.command("Greenloop fix")
        editor.wait(RUN + "return line and line.state == 'running' and line.phase == 'search'")
        assert editor.lua("return require('greenloop').statusline()") == "greenloop: search"
        editor.wait("return #_G.seen.progress > 1")
        begun = editor.lua("return _G.seen.progress[1]")
        assert begun["kind"] == "begin"
        assert "half_a_cent" in begun["title"]
        editor.command("Greenloop cancel")
        assert end_of_run(editor)["verdict"] == "interrupted"
        editor.wait("return _G.seen.progress[#_G.seen.progress].kind == 'end'")
        editor.forget()

        # Started again, for all that fail.
        editor.command("Greenloop fix all")
        editor.wait(RUN + "return line.state == 'running'")
        assert end_of_run(editor)["verdict"] == "green"
        editor.wait_said(":Greenloop review")
        assert {path: path.read_bytes() for path in before} == before

        # Reviewed: the hunk that nothing needs is rejected, the rest is measured, then accepted.
        editor.command("Greenloop review")
        editor.wait(
            "return vim.api.nvim_buf_get_name(0):find('^greenloop%-proposal:') and vim.wo.diff"
        )
        windows = editor.lua(
            "return vim.tbl_map(function(window)"
            " return vim.api.nvim_buf_get_name(vim.api.nvim_win_get_buf(window)) end,"
            " vim.api.nvim_tabpage_list_wins(0))"
        )
        assert windows[0].startswith("greenloop://files/")
        assert windows[1] == str(basket)
        assert editor.lua("return vim.fn.getline(1, 2)") == editor.lua(
            "return vim.fn.readfile(path, '', 2)", path=str(basket)
        )
        editor.command("Greenloop next")
        editor.wait("return vim.api.nvim_buf_get_name(0):find('shop/tax.py', 1, true)")
        editor.go_to("return price - tax")
        editor.keys("\\r")  # <LocalLeader>r
        editor.wait_said("rejected 1 hunk")
        assert measured(editor) == "green"
        editor.wait("return not table.concat(vim.fn.getline(1, '$')):find('tax = tax_within')")
        editor.keys("\\A")
        editor.wait_said("accepted 2 hunks")
        assert tax.read_text() == MENDED_TAX
        assert ">= FREE" in basket.read_text()
        assert suite_passes(desk, repo)
        states = editor.lua(
            PROPOSAL + "local found = {}\n"
            "for _, file in ipairs(proposal.files) do for _, hunk in ipairs(file.hunks) do"
            " table.insert(found, hunk.state) end end return found"
        )
        assert sorted(states) == ["accepted", "accepted", "rejected"]

        # Taken back: every byte is as it was.
        editor.command("Greenloop undo")
        editor.wait_said("took back 2 hunks")
        assert {path: path.read_bytes() for path in before} == before
        editor.command("Greenloop close")
        assert editor.lua("return #vim.api.nvim_list_tabpages()") == 1
        assert editor.lua("return vim.wo.diff") is False


def test_what_is_typed_and_not_saved_is_what_gets_fixed(editor_on, project, desk):
    repo = project(HEALTHY_SHOP)
    basket = repo / "shop" / "basket.py"
    on_disk = basket.read_bytes()
    with editor_on(repo) as editor:
        editor.edit(basket)
        editor.go_to(">= FREE")
        editor.keys("lx")  # `>=` becomes `>`
        editor.keys("ggO# Mine.<Esc>")
        editor.command(f"Greenloop fix {FAILING}")
        assert end_of_run(editor)["verdict"] == "green"

        # Drawn into the buffer itself, and accepted there.
        editor.command("Greenloop inline")
        editor.wait("return #require('greenloop.review.marks').all(0) == 1")
        editor.go_to("> FREE")
        editor.command("Greenloop accept")
        editor.wait_said("1 file changed and not written")
        assert editor.text() == "# Mine.\n" + HEALTHY_SHOP["shop/basket.py"]
        assert basket.read_bytes() == on_disk
        editor.command("write")
    assert basket.read_text().startswith("# Mine.\n")
    assert suite_passes(desk, repo)


def test_what_is_typed_during_a_run_stays_and_meets_it_as_a_conflict(editor_on, project, model):
    repo = project(TILL)
    tax, basket = repo / "shop" / "tax.py", repo / "shop" / "basket.py"
    script = conversations([after(2, LOOK), MEND_ALL])
    with model(script), editor_on(repo, init=WITH_MODEL) as editor:
        editor.edit(basket)
        editor.command("Greenloop fix all")
        editor.wait(RUN + "return line and line.phase == 'search'")
        editor.keys("ggO# Typed meanwhile.<Esc>")
        editor.edit(tax)
        editor.go_to("return price * PERCENT")
        editor.keys("wC16 * price // 100<Esc>")
        assert end_of_run(editor)["verdict"] == "green"
        editor.command("Greenloop review")
        editor.wait("return vim.wo.diff")
        editor.command("Greenloop accept all")
        editor.wait_said("1 place of the patch left out")
        entries = editor.lua("return vim.fn.getqflist({ items = 0, title = 0 })")
        assert entries["title"].startswith("Greenloop: conflicts")
        assert "16 * price // 100" in entries["items"][0]["text"]
        lines = "return vim.api.nvim_buf_get_lines(vim.fn.bufnr(path), 0, -1, false)"
        assert "    return 16 * price // 100" in editor.lua(lines, path=str(tax))
        mine = editor.lua(lines, path=str(basket))
        assert mine[0] == "# Typed meanwhile."
        assert any(">= FREE" in line for line in mine)
    assert tax.read_text() == TAX
    assert "Typed" not in basket.read_text()


def test_two_runs_at_once_end_each_with_its_own_patch(editor_on, project, desk):
    first, second = project(SHOP, "first"), project(SHOP, "second")
    with editor_on(first) as editor:
        editor.edit(first / "tests" / "test_basket.py")
        editor.command(f"Greenloop fix {FAILING}")
        editor.edit(second / "tests" / "test_basket.py")
        editor.command(f"Greenloop fix {FAILING}")
        editor.wait("return #require('greenloop').runs() == 2")
        assert (
            len(
                editor.lua(
                    "return vim.lsp.get_clients({ name = 'greenloop' })[1].workspace_folders"
                )
            )
            == 2
        )
        runs = editor.wait(
            "local runs = require('greenloop').runs()\n"
            "for _, line in ipairs(runs) do if line.state ~= 'finished' then return end end\n"
            "return runs"
        )
        assert [each["verdict"] for each in runs] == ["green", "green"]
        for each in runs:
            editor.forget()
            editor.command(f"Greenloop accept all {each['run']}")
            editor.wait_said("accepted 1 hunk")
    assert suite_passes(desk, first)
    assert suite_passes(desk, second)


def test_a_killed_server_comes_back_and_its_run_is_known_as_interrupted(editor_on, project, model):
    repo = project(TILL)
    script = conversations([stuck(LOOK), MEND_ALL], [LOOK, MEND_ALL])
    with model(script), editor_on(repo, init=WITH_MODEL) as editor:
        editor.edit(repo / "shop" / "tax.py")
        editor.command(f"Greenloop fix {TAX_TEST}")
        editor.wait(RUN + "return line and line.phase == 'search'")
        os.kill(editor.server_pid(), signal.SIGKILL)
        editor.wait_said("has ended by itself and is started again")
        assert editor.lua(RUN + "return line.state") == "interrupted"
        editor.wait("return #vim.lsp.get_clients({ name = 'greenloop', bufnr = 0 }) == 1")
        editor.wait(RUN + "return line.verdict == 'interrupted' and line.canResume")
        editor.command("Greenloop fix all")
        editor.wait(RUN + "return line.state == 'running'")
        assert end_of_run(editor)["verdict"] == "green"


def test_a_proposal_edited_by_hand_is_measured_and_accepted(editor_on, project, desk):
    repo = project(SHOP)
    basket = repo / "shop" / "basket.py"
    with editor_on(repo) as editor:
        editor.edit(repo / "tests" / "test_basket.py")
        editor.command(f"Greenloop fix {FAILING}")
        assert end_of_run(editor)["verdict"] == "green"
        editor.command("Greenloop review")
        editor.wait("return vim.wo.diff and vim.fn.line('$') > 5")

        # The maps of diff mode do as always: in the user's file they take what is proposed.
        editor.keys("<C-W>hgg]cdo")
        editor.wait("return vim.fn.getline('.'):find('>= FREE') and vim.bo.modified")
        assert editor.text().count(">= FREE") == 1
        editor.keys("u<C-W>l")
        editor.wait("return vim.api.nvim_buf_get_name(0):find('^greenloop%-proposal:')")

        editor.go_to("if amount >")
        editor.keys("A  # the limit is free<Esc>")
        editor.command("write")
        editor.wait_said("the proposal is changed")
        assert editor.lua("return vim.bo.modified") is False
        assert editor.lua(PROPOSAL + "return proposal.files[1].edited") is True
        editor.command("Greenloop check")
        assert measured(editor) == "green"
        editor.command("Greenloop accept")
        editor.wait_said("accepted 1 hunk")
    assert "# the limit is free" in basket.read_text()
    assert suite_passes(desk, repo)


def test_rejecting_what_is_needed_is_not_green_and_accepting_it_takes_a_bang(
    editor_on, project, model
):
    repo = project(TILL)
    tax, basket = repo / "shop" / "tax.py", repo / "shop" / "basket.py"
    with model(conversations([LOOK, MEND_ALL])), editor_on(repo, init=WITH_MODEL) as editor:
        editor.edit(tax)
        editor.command("Greenloop fix all")
        assert end_of_run(editor)["verdict"] == "green"
        editor.command("Greenloop hunks")
        editor.wait("return vim.bo.buftype == 'quickfix' and vim.fn.line('$') == 3")
        editor.go_to("shop/basket.py")
        editor.command("Greenloop reject")
        editor.wait_said("rejected 1 hunk")
        assert measured(editor) != "green"
        assert editor.lua("return vim.fn.getqflist()[1].text").startswith("rejected")
        editor.command("Greenloop accept all")
        editor.wait_said(":Greenloop! accept takes it all the same")
        assert basket.read_text() == TILL["shop/basket.py"]
        editor.command("Greenloop! accept all")
        editor.wait_said("accepted 2 hunks")
        assert "whole" in tax.read_text()
        assert basket.read_text() == TILL["shop/basket.py"]
