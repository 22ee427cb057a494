"""How the plugin starts, and what it offers before anything runs."""

import pytest

from tests.support.shop import FAILING, SHOP

pytestmark = [pytest.mark.nvim, pytest.mark.timeout(180)]

CLIENTS = "return #vim.lsp.get_clients({ name = 'greenloop', bufnr = 0 })"


@pytest.mark.parametrize("version", ["0.12"])
def test_enabling_it_is_all_that_a_new_neovim_needs(version, editor_on, project):
    repo = project(SHOP)
    with editor_on(repo, init="vim.lsp.enable('greenloop')") as editor:
        editor.edit(repo / "shop" / "basket.py")
        editor.edit(repo / "pyproject.toml")  # unsaved text of any file counts
        assert editor.lua("return #vim.lsp.get_clients()") == 1
        editor.command("enew")
        assert editor.lua(CLIENTS) == 0


def test_tests_of_the_file_are_completed(editor_on, project):
    repo = project(SHOP)
    with editor_on(repo) as editor:
        editor.edit(repo / "tests" / "test_basket.py")
        names = editor.lua("return vim.fn.getcompletion('Greenloop fix tests/', 'cmdline')")
        assert FAILING in names
        assert len(names) == 6


def test_lenses_are_shown_where_they_are_wanted(editor_on, project):
    repo = project(SHOP)
    with editor_on(repo, init="require('greenloop').setup({ codelens = true })") as editor:
        editor.edit(repo / "tests" / "test_basket.py")
        editor.wait("return #vim.lsp.codelens.get(vim.fn.has('nvim-0.12') == 1 and {} or 0) > 0")
    assert "E5108" not in editor.errors()


def test_settings_reach_the_server_and_can_be_changed(editor_on, project):
    repo = project(SHOP)
    init = "require('greenloop').setup({ settings = { strategy = 'offline' } })"
    status = (
        "_G.strategy = nil\n"
        "require('greenloop.task').start(function()"
        " _G.strategy = require('greenloop.status').load().strategy end)"
    )
    with editor_on(repo, init=init) as editor:
        editor.edit(repo / "shop" / "basket.py")
        editor.lua(status)
        assert editor.wait("return _G.strategy") == "offline"
        editor.lua("require('greenloop').set({ strategy = 'model' })")
        editor.wait(
            status + " vim.wait(2000, function() return _G.strategy end)"
            " return _G.strategy == 'model'"
        )


def test_restarting_attaches_the_same_buffers_again(editor_on, project):
    repo = project(SHOP)
    with editor_on(repo) as editor:
        editor.edit(repo / "shop" / "basket.py")
        editor.edit(repo / "tests" / "test_basket.py")
        before = editor.server_pid()
        editor.command("Greenloop restart")
        editor.wait_said("the language server runs")
        assert editor.server_pid() != before
        editor.wait(
            "local client = vim.lsp.get_clients({ name = 'greenloop' })[1]\n"
            "return client and vim.tbl_count(client.attached_buffers) == 2"
        )
        editor.forget()
        editor.command("Greenloop stop")
        editor.wait_said("has ended")
        assert editor.said() == ["greenloop: the language server has ended"]
