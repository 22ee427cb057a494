--- Marks of hunks in a buffer: where they are while the text moves, and how they are drawn.
local review = require('greenloop.review')

local M = {}

M.namespace = vim.api.nvim_create_namespace('greenloop.hunks')

local GROUPS = {
  GreenloopAdd = 'DiffAdd',
  GreenloopDelete = 'DiffDelete',
  GreenloopOpen = 'DiagnosticInfo',
  GreenloopAccepted = 'DiagnosticOk',
  GreenloopRejected = 'DiagnosticError',
  GreenloopWarn = 'DiagnosticWarn',
  GreenloopHint = 'Comment',
}

--- Defines the highlight groups; what the user or a colour scheme has set stays.
function M.define_groups()
  for name, target in pairs(GROUPS) do
    vim.api.nvim_set_hl(0, name, { link = target, default = true })
  end
end

M.GROUP_OF =
  { open = 'GreenloopOpen', accepted = 'GreenloopAccepted', rejected = 'GreenloopRejected' }

---@class greenloop.Mark
---@field run string
---@field path string
---@field hunk string
---@field state string

---@type table<integer, table<integer, greenloop.Mark>> by buffer and extmark
local marks = {}

---@param bufnr integer
function M.clear(bufnr)
  marks[bufnr] = nil
  if vim.api.nvim_buf_is_valid(bufnr) then
    vim.api.nvim_buf_clear_namespace(bufnr, M.namespace, 0, -1)
  end
end

--- The first row of a hunk and the row behind it, kept within the buffer.
---@param bufnr integer
---@param lines greenloop.Lines
---@return integer first
---@return integer stop
function M.rows(bufnr, lines)
  local last = vim.api.nvim_buf_line_count(bufnr)
  local first = math.min(lines.line, last)
  return first, math.min(first + lines.count, last)
end

--- Notes where a hunk stands in a buffer; `drawn` are further fields of its extmark.
---@param bufnr integer
---@param lines greenloop.Lines
---@param mark greenloop.Mark
---@param drawn vim.api.keyset.set_extmark
function M.add(bufnr, lines, mark, drawn)
  local last = vim.api.nvim_buf_line_count(bufnr)
  local first, stop = M.rows(bufnr, lines)
  local row = math.min(first, last - 1)
  local options = vim.tbl_extend('keep', drawn, { right_gravity = true, strict = false })
  if stop > row + 1 then
    -- Up to its last line and not to the one behind, which would get its sign as well.
    options.end_row = stop - 1
    options.end_col = #vim.api.nvim_buf_get_lines(bufnr, stop - 1, stop, false)[1]
  end
  local id = vim.api.nvim_buf_set_extmark(bufnr, M.namespace, row, 0, options)
  marks[bufnr] = marks[bufnr] or {}
  marks[bufnr][id] = mark
end

---@class greenloop.Placed : greenloop.Mark
---@field first integer row, from 0
---@field last integer row of its last line

--- The hunks of a buffer from top to bottom, where they stand now.
---@param bufnr integer
---@return greenloop.Placed[]
function M.all(bufnr)
  local found = {} ---@type greenloop.Placed[]
  bufnr = bufnr == 0 and vim.api.nvim_get_current_buf() or bufnr
  local extmarks = vim.api.nvim_buf_get_extmarks(bufnr, M.namespace, 0, -1, { details = true })
  for _, extmark in ipairs(extmarks) do
    local id, row, details = extmark[1], extmark[2], extmark[4]
    local mark = (marks[bufnr] or {})[id]
    if mark then
      local last = math.max(row, details and details.end_row or row)
      table.insert(found, vim.tbl_extend('force', mark, { first = row, last = last }))
    end
  end
  return found
end

--- The hunks that touch a range of lines of a buffer; at a single line the one nearest to it where
--- it is only a gap between lines.
---@param bufnr integer
---@param first integer row, from 0
---@param last integer row
---@return greenloop.Placed[]
function M.within(bufnr, first, last)
  return vim.tbl_filter(function(each)
    return each.first <= last and each.last >= first
  end, M.all(bufnr))
end

--- The words at a hunk.
---@param file greenloop.ProposalFile
---@param hunk greenloop.Hunk
---@return [string, string][]
function M.label(file, hunk)
  local group = hunk.conflict and hunk.conflict ~= vim.NIL and 'GreenloopWarn'
    or M.GROUP_OF[hunk.state]
  return { { ' ' .. review.hunk_text(file, hunk) .. ' ', group } }
end

return M
