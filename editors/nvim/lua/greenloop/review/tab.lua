--- The review in a tab of its own: the user's file and the proposal side by side in diff mode, and
--- a list of files where there are several.
local config = require('greenloop.config')
local edits = require('greenloop.edits')
local marks = require('greenloop.review.marks')
local panel = require('greenloop.review.panel')
local review = require('greenloop.review')
local task = require('greenloop.task')
local texts = require('greenloop.review.texts')

local M = {}

---@class greenloop.Tab
---@field run string
---@field path string
---@field tabpage integer
---@field left integer window
---@field right integer window

---@type table<string, greenloop.Tab>
local tabs = {}

---@param run string
---@return greenloop.Tab?
local function tab_of(run)
  local tab = tabs[run]
  if tab and not vim.api.nvim_tabpage_is_valid(tab.tabpage) then
    tabs[run] = nil
    return nil
  end
  return tab
end

---@param text string
---@return string
local function escaped(text)
  return (text:gsub('%%', '%%%%'))
end

---@param window integer
---@param text string
local function set_bar(window, text)
  if vim.api.nvim_win_is_valid(window) then
    vim.api.nvim_set_option_value('winbar', text, { win = window, scope = 'local' })
  end
end

---@param proposal greenloop.Proposal
---@param path string
---@return greenloop.ProposalFile?
local function file_at(proposal, path)
  for _, file in ipairs(proposal.files) do
    if file.path == path then
      return file
    end
  end
  return nil
end

--- The line above the proposal: what was measured, and what is left to decide. What matters most
--- comes first, since narrow windows cut the rest.
---@param proposal greenloop.Proposal
---@return string
function M.bar(proposal)
  local count = review.count(proposal)
  local check, group = review.check_text(proposal)
  local parts = { ('%d open'):format(count.open) }
  if count.accepted > 0 then
    table.insert(parts, count.accepted .. ' accepted')
  end
  if count.rejected > 0 then
    table.insert(parts, count.rejected .. ' rejected')
  end
  if proposal.confidence ~= '' and proposal.confidence ~= 'likely' then
    table.insert(parts, proposal.confidence)
  end
  return (' proposal: %%#%s#%s%%*  %s%%<'):format(group, escaped(check), table.concat(parts, ', '))
end

---@param tab greenloop.Tab
---@param proposal greenloop.Proposal
local function draw(tab, proposal)
  local file = file_at(proposal, tab.path)
  if not file or not vim.api.nvim_win_is_valid(tab.right) then
    return
  end
  set_bar(tab.right, M.bar(proposal))
  local side = config.get().review.left == 'base' and 'before the run' or 'yours'
  set_bar(tab.left, (' %s: %s'):format(side, escaped(file.path)))
  local bufnr = vim.api.nvim_win_get_buf(tab.right)
  if not texts.of(bufnr) then
    return
  end
  marks.clear(bufnr)
  for _, hunk in ipairs(file.hunks) do
    local mark = { run = tab.run, path = file.path, hunk = hunk.id, state = hunk.state }
    marks.add(bufnr, hunk.proposed, mark, {
      virt_text = marks.label(file, hunk),
      virt_text_pos = 'eol',
      sign_text = ({ open = '?', accepted = '+', rejected = 'x' })[hunk.state],
      sign_hl_group = marks.GROUP_OF[hunk.state],
    })
  end
end

---@param bufnr integer
---@param run string
function M.map(bufnr, run)
  if not config.get().review.maps then
    return
  end
  local function map(modes, key, arguments, text)
    vim.keymap.set(
      modes,
      key,
      arguments,
      { buffer = bufnr, silent = true, desc = 'Greenloop: ' .. text }
    )
  end
  map('n', '<LocalLeader>a', '<Cmd>Greenloop accept<CR>', 'accept the hunk')
  map('x', '<LocalLeader>a', ':Greenloop accept<CR>', 'accept the hunks')
  map('n', '<LocalLeader>r', '<Cmd>Greenloop reject<CR>', 'reject the hunk')
  map('x', '<LocalLeader>r', ':Greenloop reject<CR>', 'reject the hunks')
  map('n', '<LocalLeader>o', '<Cmd>Greenloop reopen<CR>', 'decide anew')
  map('n', '<LocalLeader>fa', '<Cmd>Greenloop accept file<CR>', 'accept the file')
  map('n', '<LocalLeader>fr', '<Cmd>Greenloop reject file<CR>', 'reject the file')
  map('n', '<LocalLeader>A', '<Cmd>Greenloop accept all ' .. run .. '<CR>', 'accept all')
  map('n', '<LocalLeader>R', '<Cmd>Greenloop reject all ' .. run .. '<CR>', 'reject all')
  map('n', '<LocalLeader>n', '<Cmd>Greenloop next<CR>', 'next open hunk')
  map('n', '<LocalLeader>p', '<Cmd>Greenloop previous<CR>', 'open hunk before')
  map('n', '<LocalLeader>m', '<Cmd>Greenloop check ' .. run .. '<CR>', 'measure what is left')
  map('n', '<LocalLeader>u', '<Cmd>Greenloop undo ' .. run .. '<CR>', 'take back what was accepted')
  map('n', '<LocalLeader>q', '<Cmd>Greenloop close<CR>', 'close the review')
  map('n', 'g?', '<Cmd>help greenloop-review-maps<CR>', 'help')
end

--- The buffer on the left: the user's file where there is one, else the text before the run.
---@param file greenloop.ProposalFile
---@param run string
---@return integer
local function left_buffer(file, run)
  local path = vim.uri_to_fname(file.uri)
  local exists = edits.loaded(file.uri) or vim.uv.fs_stat(path)
  if config.get().review.left == 'base' or not exists or file.binary then
    local bufnr = texts.open(file, run, 'base')
    M.map(bufnr, run)
    task.start(function()
      texts.load(bufnr, file.baseUri, 0)
    end)
    return bufnr
  end
  local bufnr = edits.loaded(file.uri) or vim.fn.bufadd(path)
  local before = vim.o.shortmess
  vim.o.shortmess = before .. 'A' -- a swap file of another editor is no reason to stop and ask
  pcall(vim.fn.bufload, bufnr)
  vim.o.shortmess = before
  vim.bo[bufnr].buflisted = true
  return bufnr
end

---@param window integer
---@param bufnr integer
---@param is_diff boolean
local function put(window, bufnr, is_diff)
  vim.api.nvim_win_call(window, function()
    vim.cmd('diffoff')
    vim.api.nvim_win_set_buf(window, bufnr)
    if is_diff then
      vim.cmd('diffthis')
    end
  end)
end

---@param tab greenloop.Tab
local function update_diff(tab)
  if vim.api.nvim_tabpage_is_valid(tab.tabpage) and vim.api.nvim_win_is_valid(tab.right) then
    vim.api.nvim_win_call(tab.right, function()
      vim.cmd('diffupdate')
    end)
  end
end

--- Shows a file of a review in its tab. To be called within a task.
---@param run string
---@param path string
---@param hunk string? where the cursor goes; nil: the first open hunk
function M.show(run, path, hunk)
  local proposal, tab = assert(review.get(run)), tab_of(run)
  local file = file_at(proposal, path)
  if not tab or not file then
    return
  end
  vim.api.nvim_set_current_tabpage(tab.tabpage)
  local right = texts.open(file, run, 'proposal')
  M.map(right, run)
  texts.load(right, file.proposedUri, proposal.revision)
  if not (vim.api.nvim_win_is_valid(tab.left) and vim.api.nvim_win_is_valid(tab.right)) then
    return -- closed while the text came
  end
  tab.path = path
  local left = left_buffer(file, run)
  put(tab.left, left, not file.binary)
  put(tab.right, right, not file.binary)
  local was_listed = edits.loaded(file.uri) == left
  if was_listed then
    M.follow(left, tab)
  end
  draw(tab, proposal)
  panel.draw(proposal, path)
  vim.api.nvim_set_current_win(tab.right)
  update_diff(tab)
  for _, window in ipairs({ tab.left, tab.right }) do
    vim.api.nvim_win_call(window, function()
      vim.cmd('normal! zX') -- the same folds on both sides
    end)
  end
  M.go_to(run, path, hunk)
end

--- Keeps the differences right while the user's file changes under the review.
---@param bufnr integer
---@param tab greenloop.Tab
function M.follow(bufnr, tab)
  local group = vim.api.nvim_create_augroup('greenloop-follow-' .. tab.tabpage, { clear = true })
  vim.api.nvim_create_autocmd({ 'TextChanged', 'InsertLeave', 'BufReadPost' }, {
    group = group,
    buffer = bufnr,
    desc = 'Greenloop: renew the differences',
    callback = function()
      update_diff(tab)
    end,
  })
end

--- Puts the cursor of the proposal's window on a hunk.
---@param run string
---@param path string
---@param hunk string?
function M.go_to(run, path, hunk)
  local tab = tab_of(run)
  if not tab or tab.path ~= path or not vim.api.nvim_win_is_valid(tab.right) then
    return
  end
  local placed = marks.all(vim.api.nvim_win_get_buf(tab.right))
  for _, each in ipairs(placed) do
    if (hunk and each.hunk == hunk) or (not hunk and each.state == 'open') then
      vim.api.nvim_win_set_cursor(tab.right, { each.first + 1, 0 })
      vim.api.nvim_win_call(tab.right, function()
        vim.cmd('normal! zz')
      end)
      return
    end
  end
end

---@param run string
local function forget(run)
  tabs[run] = nil
  panel.close(run)
  vim.schedule(function()
    texts.close(run)
  end)
end

--- Opens the review of a run, or goes to it. To be called within a task.
---@param run string
function M.open(run)
  local proposal = review.load(run)
  if #proposal.files == 0 then
    task.refuse('the patch of this run changes nothing', ':Greenloop log tells what the run did')
  end
  local first = proposal.files[1]
  for _, file in ipairs(proposal.files) do
    local is_open = vim.iter(file.hunks):any(function(hunk)
      return hunk.state == 'open'
    end)
    if is_open then
      first = file
      break
    end
  end
  local tab = tab_of(run)
  if tab then
    M.show(run, file_at(proposal, tab.path) and tab.path or first.path)
    return
  end
  vim.cmd('tabnew')
  local empty = vim.api.nvim_get_current_buf()
  vim.bo[empty].bufhidden = 'wipe'
  local left = vim.api.nvim_get_current_win()
  vim.cmd('rightbelow vsplit')
  local right = vim.api.nvim_get_current_win()
  local tabpage = vim.api.nvim_get_current_tabpage()
  tabs[run] = { run = run, path = first.path, tabpage = tabpage, left = left, right = right }
  if #proposal.files > 1 and config.get().review.panel_width > 0 then
    panel.open(proposal, left, config.get().review.panel_width)
    vim.cmd('wincmd =')
  end
  vim.api.nvim_create_autocmd('TabClosed', {
    desc = 'Greenloop: the review is closed',
    callback = function()
      if vim.api.nvim_tabpage_is_valid(tabpage) then
        return false
      end
      forget(run)
      return true
    end,
  })
  M.show(run, first.path)
end

--- Closes the tab of the review that is shown now, if it is one.
---@return boolean
function M.close()
  local here = vim.api.nvim_get_current_tabpage()
  for run, tab in pairs(tabs) do
    if tab.tabpage == here then
      for _, window in ipairs({ tab.left, tab.right }) do
        if vim.api.nvim_win_is_valid(window) then
          -- Neovim would give what is set here to the file's next window.
          set_bar(window, '')
          vim.api.nvim_win_call(window, function()
            vim.cmd('diffoff')
          end)
        end
      end
      if #vim.api.nvim_list_tabpages() == 1 then
        vim.cmd('tabnew')
        vim.cmd('tabprevious')
      end
      vim.cmd('tabclose')
      forget(run)
      return true
    end
  end
  return false
end

--- The run whose review is shown in this tab.
---@return string?
function M.here()
  local here = vim.api.nvim_get_current_tabpage()
  for run, tab in pairs(tabs) do
    if tab.tabpage == here then
      return run
    end
  end
  return nil
end

review.listen(function(proposal)
  local tab = tab_of(proposal.run)
  if not tab then
    return
  end
  panel.draw(proposal, tab.path)
  local file = file_at(proposal, tab.path)
  if not file then
    return
  end
  task.start(function()
    for _, window in ipairs({ tab.left, tab.right }) do
      local bufnr = vim.api.nvim_win_is_valid(window) and vim.api.nvim_win_get_buf(window)
      local of = bufnr and texts.of(bufnr)
      if of and of.side == 'proposal' and of.path == file.path then
        texts.load(bufnr, file.proposedUri, proposal.revision)
      end
    end
    draw(tab, review.get(proposal.run) or proposal)
    update_diff(tab)
  end)
end)

return M
