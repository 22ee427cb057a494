--- The list of files beside a review of several.
local review = require('greenloop.review')

local M = {}

local namespace = vim.api.nvim_create_namespace('greenloop.panel')

---@type table<string, integer> buffers by run
local buffers = {}

local SIGNS = { modified = 'M', added = 'A', deleted = 'D', mode = 'm' }

--- Lines of the list.
---@param proposal greenloop.Proposal
---@return string[]
function M.lines(proposal)
  local lines = {} ---@type string[]
  for _, file in ipairs(proposal.files) do
    local count = review.count({ files = { file } } --[[@as greenloop.Proposal]])
    local parts = {} ---@type string[]
    for _, state in ipairs({ 'open', 'accepted', 'rejected' }) do
      if count[state] > 0 then
        table.insert(parts, ('%d %s'):format(count[state], state))
      end
    end
    local edited = file.edited and ' (edited)' or ''
    table.insert(lines, ('%s %s%s'):format(SIGNS[file.change] or '?', file.path, edited))
    table.insert(lines, '  ' .. table.concat(parts, ', '))
  end
  return lines
end

--- Renews the list; `path` is the file that is shown.
---@param proposal greenloop.Proposal
---@param path string
function M.draw(proposal, path)
  local bufnr = buffers[proposal.run]
  if not bufnr or not vim.api.nvim_buf_is_valid(bufnr) then
    return
  end
  vim.bo[bufnr].modifiable = true
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, M.lines(proposal))
  vim.bo[bufnr].modifiable = false
  vim.api.nvim_buf_clear_namespace(bufnr, namespace, 0, -1)
  for number, file in ipairs(proposal.files) do
    local count = review.count({ files = { file } } --[[@as greenloop.Proposal]])
    local group = count.open > 0 and 'GreenloopOpen' or 'GreenloopHint'
    local row = (number - 1) * 2
    local length = #vim.api.nvim_buf_get_lines(bufnr, row + 1, row + 2, false)[1]
    local shown = { end_col = length, hl_group = group }
    vim.api.nvim_buf_set_extmark(bufnr, namespace, row + 1, 0, shown)
    if file.path == path then
      vim.api.nvim_buf_set_extmark(bufnr, namespace, row, 0, { line_hl_group = 'CursorLine' })
    end
  end
end

--- Opens the list to the left of a window.
---@param proposal greenloop.Proposal
---@param beside integer window
---@param width integer
function M.open(proposal, beside, width)
  local bufnr = vim.api.nvim_create_buf(false, true)
  buffers[proposal.run] = bufnr
  vim.bo[bufnr].bufhidden = 'wipe'
  vim.bo[bufnr].filetype = 'greenloop-files'
  vim.api.nvim_buf_set_name(bufnr, 'greenloop://files/' .. proposal.run)
  local back = vim.api.nvim_get_current_win()
  vim.api.nvim_set_current_win(beside)
  vim.cmd('topleft vertical ' .. width .. 'split')
  local window = vim.api.nvim_get_current_win()
  vim.api.nvim_win_set_buf(window, bufnr)
  vim.wo[window].winfixwidth = true
  vim.wo[window].number = false
  vim.wo[window].relativenumber = false
  vim.wo[window].wrap = false
  vim.wo[window].signcolumn = 'no'
  vim.api.nvim_set_current_win(back)
  local run = proposal.run
  require('greenloop.review.tab').map(bufnr, run)
  vim.b[bufnr].greenloop_place = 'files'
  vim.keymap.set('n', '<CR>', function()
    local path = M.path_at(run, vim.api.nvim_win_get_cursor(0)[1])
    if path then
      require('greenloop.task').start(function()
        require('greenloop.review.tab').show(run, path)
      end)
    end
  end, { buffer = bufnr, desc = 'Greenloop: show this file' })
end

--- The file at a line of the list.
---@param run string
---@param line integer from 1
---@return string?
function M.path_at(run, line)
  local proposal = review.get(run)
  local file = proposal and proposal.files[math.ceil(line / 2)]
  return file and file.path
end

--- The run whose list a buffer is.
---@param bufnr integer
---@return string?
function M.run_of(bufnr)
  for run, each in pairs(buffers) do
    if each == bufnr then
      return run
    end
  end
  return nil
end

---@param run string
function M.close(run)
  local bufnr = buffers[run]
  buffers[run] = nil
  if bufnr and vim.api.nvim_buf_is_valid(bufnr) then
    vim.api.nvim_buf_delete(bufnr, { force = true })
  end
end

return M
