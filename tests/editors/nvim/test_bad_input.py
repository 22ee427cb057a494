"""What a user is told where something is missing or cannot be done: one line with the next step."""

import pytest

from tests.support.neovim import Neovim
from tests.support.shop import FAILING, HEALTHY_SHOP, SHOP

pytestmark = [pytest.mark.nvim, pytest.mark.timeout(300)]


def said(editor: Neovim, part: str) -> str:
    """Wait for a message; all messages are one line, and none holds a traceback."""
    text = editor.wait_said(part)
    assert text.startswith("greenloop: ")
    assert "\n" not in text
    assert "traceback" not in text.lower()
    return text


def test_without_a_server_it_says_what_to_install(editor_on, project):
    repo = project(SHOP)
    with editor_on(repo, server=("/nowhere/greenloop-lsp",)) as editor:
        editor.command(f"edit {repo / 'shop' / 'basket.py'}")
        text = said(editor, '"/nowhere/greenloop-lsp"')
        assert "uv tool install greenloop" in text
        editor.command("edit pyproject.toml")
        assert len(editor.said()) == 1  # once, and not for every file
        editor.forget()
        editor.command("Greenloop fix")
        assert "is not executable" in said(editor, "/nowhere")


def test_a_server_that_does_not_start_is_named_with_the_place_of_its_words(editor_on, project):
    repo = project(SHOP)
    with editor_on(repo, server=("/bin/sh", "-c", "exit 3")) as editor:
        editor.command(f"edit {repo / 'shop' / 'basket.py'}")
        assert "lsp.log" in said(editor, "(exit code 3)")


def test_outside_of_a_repository_it_asks_for_one(editor_on, tmp_path):
    (tmp_path / "loose").mkdir()
    file = tmp_path / "loose" / "a.py"
    file.write_text("def a(): ...\n")
    with editor_on(tmp_path / "loose") as editor:
        editor.command(f"edit {file}")
        editor.command("Greenloop fix")
        assert "Open a file of a repository" in said(editor, "in no git repository")


def test_what_cannot_be_sent_is_refused_with_its_reason(editor_on, project):
    repo = project(SHOP)
    basket = repo / "shop" / "basket.py"
    init = "require('greenloop').setup({ max_file_bytes = 200 })"
    with editor_on(repo, init=init) as editor:
        editor.edit(repo / "pyproject.toml")
        editor.command(f"edit {basket}")
        editor.command("1,2Greenloop implement make it linear")
        said(editor, "larger than 200 bytes")
        assert editor.lua("return #vim.lsp.get_clients({ bufnr = 0 })") == 0
        editor.forget()
        editor.command(f"edit ++bin {repo / 'shop' / '__init__.py'}")
        editor.command("1Greenloop implement make it linear")
        said(editor, "binary file")
        editor.forget()
        editor.command("enew")
        editor.command("1Greenloop implement make it linear")
        said(editor, "this buffer is no file")


def test_words_that_mean_nothing_are_answered(editor_on, project):
    repo = project(SHOP)
    with editor_on(repo) as editor:
        editor.edit(repo / "shop" / "basket.py")
        for words, answer in {
            "mend": "there is no :Greenloop mend",
            "review": "there is no run with a patch",
            "review nosuch": 'there is no run "nosuch"',
            "cancel": "there is no run that could be cancelled",
            "accept": "no hunk is at the cursor",
            "accept file": "no file of a review is here",
            "inline": "there is no run with a patch",
            "fix attempts=many": "attempts=many is no number",
            "fix diagnostic": "nothing is reported here",
            "next": "no review is open",
            "close": "no review is shown in this tab",
        }.items():
            editor.forget()
            editor.command(f"Greenloop {words}")
            said(editor, answer)


def test_an_untrusted_repository_runs_nothing_until_it_is_trusted(editor_on, project):
    repo = project(HEALTHY_SHOP)
    init = "require('greenloop').setup({ trusted = function(root) return root:find('/safe/') end })"
    with editor_on(repo, init=init) as editor:
        editor.edit(repo / "shop" / "basket.py")
        editor.command("Greenloop fix all")
        said(editor, "trust")
        assert editor.lua("return require('greenloop').runs()") == []
        editor.forget()
        editor.command("Greenloop trust")
        said(editor, "may run code")


@pytest.mark.docker
@pytest.mark.slow
def test_a_read_only_buffer_is_changed_and_not_written(editor_on, project):
    repo = project(SHOP)
    basket = repo / "shop" / "basket.py"
    with editor_on(repo) as editor:
        editor.edit(basket)
        editor.command("set readonly")
        editor.command(f"Greenloop fix {FAILING}")
        editor.wait_said(":Greenloop review")
        editor.command("set nomodifiable")
        editor.command("Greenloop accept all")
        said(editor, "'nomodifiable'")
        editor.command("set modifiable")
        editor.forget()
        editor.command("Greenloop accept all")
        assert ":w! writes it" in said(editor, "read-only")
        assert ">= FREE" in editor.text()
    assert basket.read_text() == SHOP["shop/basket.py"]


@pytest.mark.docker
def test_health_looks_at_all_that_a_run_needs(editor_on, project):
    repo = project(SHOP)
    with editor_on(repo) as editor:
        editor.edit(repo / "shop" / "basket.py")
        editor.command("checkhealth greenloop")
        text = editor.text()
        for part in (
            "the options are sound",
            "greenloop-lsp",
            "it answers and speaks protocol 1",
            f"repository: {repo}",
            "engine: ",
            "no model is set",
        ):
            assert part in text, text
        assert "ERROR" not in text


def test_health_says_where_a_missing_server_was_looked_for(editor_on, project):
    repo = project(SHOP)
    nothing = {"PATH": "/usr/bin:/bin", "VIRTUAL_ENV": "", "HOME": str(repo)}
    init = "vim.g.greenloop = nil require('greenloop').setup()"
    with editor_on(repo, init=init, variables=nothing) as editor:
        editor.command("checkhealth greenloop")
        text = editor.text()
        assert "no language server (greenloop-lsp) was found" in text
        assert f"{repo}/.local/bin/greenloop-lsp" in text
