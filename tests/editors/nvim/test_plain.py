"""The whole way of a task in a Neovim that has no plugin of ours: LSP alone."""

import json

import pytest

from tests.support.neovim import SERVER, suite_passes
from tests.support.shop import SHOP

pytestmark = [pytest.mark.nvim, pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(600)]

INIT = f"""
_G.asked = {{}}
vim.ui.select = function(items, options, choose)
  table.insert(_G.asked, options.prompt)
  for number, item in ipairs(items) do
    if type(item) == 'table' and item.title == 'Later' then
      choose(item, number)
      return
    end
  end
  choose(items[1], 1)
end
vim.api.nvim_create_autocmd('FileType', {{
  pattern = 'python',
  callback = function()
    vim.lsp.start({{
      name = 'greenloop',
      cmd = {{ {json.dumps(str(SERVER))} }},
      root_dir = vim.fs.root(0, '.git'),
    }})
  end,
}})
"""
ACT = """
vim.lsp.buf.code_action({
  apply = true,
  filter = function(action) return vim.startswith(action.title, title) end,
})
"""


def test_from_a_code_action_to_accepted_hunks(editor_on, project, desk):
    repo = project(SHOP)
    basket, tests = repo / "shop" / "basket.py", repo / "tests" / "test_basket.py"
    with editor_on(repo, init=INIT) as editor:
        editor.edit(tests)
        editor.go_to("exactly_the_limit")
        editor.lua(ACT, title="Fix this test")
        editor.wait("return #_G.seen.progress > 0")
        assert "exactly_the_limit" in editor.lua("return _G.seen.progress[1].title")
        editor.wait("return _G.seen.progress[#_G.seen.progress].kind == 'end'")
        assert "green" in editor.lua("return _G.seen.progress[#_G.seen.progress].message")
        editor.wait("return #_G.asked > 0")

        # The failing test is marked, and the hunk is where it would go.
        editor.wait(
            "return vim.iter(vim.diagnostic.get(0)):any(function(each)"
            " return each.source == 'greenloop' and each.message:find('5490 == 5000') end)"
        )
        editor.edit(basket)
        hunk = editor.wait(
            "return vim.iter(vim.diagnostic.get(0)):find(function(each)"
            " return each.source == 'greenloop-review' end)"
        )
        assert "amount >= FREE_SHIPPING_FROM" in hunk["message"]
        editor.lua("vim.api.nvim_win_set_cursor(0, { line + 1, 4 })", line=hunk["lnum"])
        editor.lua(ACT, title="Accept this change")
        editor.wait("return table.concat(vim.fn.getline(1, '$')):find('>= FREE')")
        editor.wait(
            "return not vim.iter(vim.diagnostic.get(0)):any(function(each)"
            " return each.source == 'greenloop-review' end)"
        )
        # Nothing is written behind the user's back.
        assert editor.lua("return vim.bo.modified") is True
        assert basket.read_text() == SHOP["shop/basket.py"]
        editor.command("write")
        assert suite_passes(desk, repo)

        editor.lua(ACT, title="Undo what was accepted")
        editor.wait("return not table.concat(vim.fn.getline(1, '$')):find('>= FREE')")
        assert editor.text() == SHOP["shop/basket.py"]
