-- Defines the :Greenloop command and the <Plug> maps, and nothing else: everything is loaded when
-- it is first used. The language server is started by vim.lsp.enable('greenloop') or by
-- require('greenloop').setup().
if vim.g.loaded_greenloop then
  return
end
vim.g.loaded_greenloop = true

if vim.fn.has('nvim-0.10') == 0 then
  vim.notify('greenloop: Neovim 0.10 or newer is needed', vim.log.levels.ERROR)
  return
end

vim.api.nvim_create_user_command('Greenloop', function(call)
  require('greenloop.commands').run(call)
end, {
  nargs = '*',
  range = true,
  bang = true,
  desc = 'Fix failing tests, implement code, review the patch',
  complete = function(lead, line, position)
    return require('greenloop.commands').complete(lead, line, position)
  end,
})

local function plug(modes, name, arguments, text)
  vim.keymap.set(
    modes,
    '<Plug>(greenloop-' .. name .. ')',
    arguments,
    { desc = text, silent = true }
  )
end

plug(
  'n',
  'fix',
  '<Cmd>Greenloop fix<CR>',
  'Greenloop: fix the test at the cursor, or all that fail'
)
plug('n', 'fix-all', '<Cmd>Greenloop fix all<CR>', 'Greenloop: fix all failing tests')
plug(
  'n',
  'fix-diagnostic',
  '<Cmd>Greenloop fix diagnostic<CR>',
  'Greenloop: fix what is reported here'
)
plug('n', 'test', '<Cmd>Greenloop test<CR>', 'Greenloop: run the test at the cursor, or all')
plug(
  'n',
  'implement',
  '<Cmd>Greenloop implement<CR>',
  'Greenloop: implement the stub at the cursor'
)
plug('x', 'implement', ':Greenloop implement<CR>', 'Greenloop: change the selection, with a goal')
plug('n', 'runs', '<Cmd>Greenloop runs<CR>', 'Greenloop: the runs')
plug('n', 'log', '<Cmd>Greenloop log<CR>', 'Greenloop: the log of the newest run')
plug('n', 'cancel', '<Cmd>Greenloop cancel<CR>', 'Greenloop: cancel the newest run')
plug('n', 'review', '<Cmd>Greenloop review<CR>', 'Greenloop: review the newest patch')
plug('n', 'inline', '<Cmd>Greenloop inline<CR>', 'Greenloop: show or hide hunks in this buffer')
plug('n', 'hunks', '<Cmd>Greenloop hunks<CR>', 'Greenloop: hunks in the quickfix list')
plug('n', 'accept-hunk', '<Cmd>Greenloop accept<CR>', 'Greenloop: accept the hunk at the cursor')
plug('x', 'accept-hunk', ':Greenloop accept<CR>', 'Greenloop: accept the hunks of the selection')
plug('n', 'reject-hunk', '<Cmd>Greenloop reject<CR>', 'Greenloop: reject the hunk at the cursor')
plug('x', 'reject-hunk', ':Greenloop reject<CR>', 'Greenloop: reject the hunks of the selection')
plug(
  'n',
  'reopen-hunk',
  '<Cmd>Greenloop reopen<CR>',
  'Greenloop: decide anew on the hunk at the cursor'
)
plug(
  'n',
  'accept-file',
  '<Cmd>Greenloop accept file<CR>',
  'Greenloop: accept all hunks of this file'
)
plug(
  'n',
  'reject-file',
  '<Cmd>Greenloop reject file<CR>',
  'Greenloop: reject all hunks of this file'
)
plug('n', 'accept-all', '<Cmd>Greenloop accept all<CR>', 'Greenloop: accept all hunks')
plug('n', 'reject-all', '<Cmd>Greenloop reject all<CR>', 'Greenloop: reject all hunks')
plug('n', 'next-hunk', '<Cmd>Greenloop next<CR>', 'Greenloop: go to the next open hunk')
plug('n', 'previous-hunk', '<Cmd>Greenloop previous<CR>', 'Greenloop: go to the open hunk before')
plug('n', 'check', '<Cmd>Greenloop check<CR>', 'Greenloop: measure what is left of the patch')
plug('n', 'undo', '<Cmd>Greenloop undo<CR>', 'Greenloop: take back what was accepted')
