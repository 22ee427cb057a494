--- From one open hunk to the next: in the review's tab, across its files, or in the user's files.
local marks = require('greenloop.review.marks')
local place = require('greenloop.review.place')
local review = require('greenloop.review')
local say = require('greenloop.say')
local tab = require('greenloop.review.tab')
local task = require('greenloop.task')

local M = {}

--- Open hunks of a proposal in order.
---@param proposal greenloop.Proposal
---@return { path: string, uri: string, hunk: greenloop.Hunk }[]
local function open_hunks(proposal)
  local found = {}
  for _, file in ipairs(proposal.files) do
    for _, hunk in ipairs(file.hunks) do
      if hunk.state == 'open' then
        table.insert(found, { path = file.path, uri = file.uri, hunk = hunk })
      end
    end
  end
  return found
end

---@param proposal greenloop.Proposal
---@param path string
---@return integer
local function file_number(proposal, path)
  for number, file in ipairs(proposal.files) do
    if file.path == path then
      return number
    end
  end
  return 0
end

--- Goes to the next open hunk, or to the one before; round and round.
---@param step 1|-1
function M.go(step)
  local bufnr = vim.api.nvim_get_current_buf()
  local proposal, file, side = place.file_of(bufnr)
  proposal = proposal or review.get(tab.here() or review.current() or '')
  if not proposal then
    task.refuse('no review is open', 'Open one with :Greenloop review')
  end
  local hunks = open_hunks(proposal)
  if #hunks == 0 then
    say.info('no hunk is open any more')
    return
  end
  local row = vim.api.nvim_win_get_cursor(0)[1] - 1
  local rows = {} ---@type table<string, integer>
  for _, each in ipairs(marks.all(bufnr)) do
    rows[each.hunk] = each.first
  end
  local number = file and file_number(proposal, file.path) or 0
  local chosen
  for at = step == 1 and 1 or #hunks, step == 1 and #hunks or 1, step do
    local each = hunks[at]
    local lines = side == 'proposal' and each.hunk.proposed
      or (type(each.hunk.now) == 'table' and each.hunk.now or each.hunk.base)
    local its_number = file_number(proposal, each.path)
    local its_row = its_number == number and rows[each.hunk.id] or lines.line
    local is_behind = its_number > number or (its_number == number and its_row > row)
    local is_before = its_number < number or (its_number == number and its_row < row)
    if (step == 1 and is_behind) or (step == -1 and is_before) then
      chosen = each
      break
    end
  end
  chosen = chosen or hunks[step == 1 and 1 or #hunks]
  if tab.here() == proposal.run then
    tab.show(proposal.run, chosen.path, chosen.hunk.id)
    return
  end
  local lines = type(chosen.hunk.now) == 'table' and chosen.hunk.now or chosen.hunk.base
  if not (file and file.path == chosen.path) then
    vim.cmd('edit ' .. vim.fn.fnameescape(vim.uri_to_fname(chosen.uri)))
  end
  local at = rows[chosen.hunk.id] or lines.line
  vim.api.nvim_win_set_cursor(0, { math.min(at + 1, vim.api.nvim_buf_line_count(0)), 0 })
end

return M
